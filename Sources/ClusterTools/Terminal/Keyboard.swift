public import IO
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The person at the terminal, if there is one: standard input and standard error are both terminals.
public struct Keyboard: Sendable {
    private let hasTerminal: Bool
    private let turn: Turn
    /// Whose login may ask, where several go on at once.
    private let floor: Floor?
    /// Whether a login asks for something. It cannot go on without, so other questions make way.
    let isWantedByLogin = Beacon(false)
    private let loop: PollLoop

    /// Whether somebody can answer now: not while this process runs in the background of its terminal.
    public var isPresent: Bool { hasTerminal && tcgetpgrp(STDIN_FILENO) == getpgrp() }

    public init(loop: PollLoop) {
        self.loop = loop
        hasTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
        turn = Turn()
        floor = nil
    }

    private init(sharedWith other: Keyboard, floor: Floor) {
        loop = other.loop
        hasTerminal = other.hasTerminal
        turn = other.turn
        self.floor = floor
    }

    /// The same keyboard for each of several logins that go on at once: the first that asks has it until ``endLogin()``.
    func shared(among count: Int) -> [Keyboard] {
        let turn = Turn()
        return (0..<count).map { _ in Keyboard(sharedWith: self, floor: Floor(turn)) }
    }

    // MARK: Logins

    /// A login is about to ask something; waits until no other one does.
    ///
    /// - Returns: whether the user has to be told whose questions these are.
    func beginLoginQuestion() async throws -> Bool {
        isWantedByLogin.set(true)
        do {
            return try await floor?.take() ?? false
        } catch {
            isWantedByLogin.set(false)
            throw error
        }
    }

    func endLoginQuestion() { isWantedByLogin.set(false) }

    /// The login is over: another one may ask.
    func endLogin() { floor?.give() }

    // MARK: Reading

    /// The next line that is typed, without its end; nil when the input has ended (Ctrl-D). Can be cancelled. One reader after
    /// the other gets a line as a whole.
    ///
    /// - Parameters:
    ///   - echo: whether what is typed appears.
    ///   - question: puts the question on the terminal, once an answer to it would be read: whoever answers at once must
    ///     neither be seen nor be passed over.
    func readLine(echo: Bool = true, asking question: () -> Void = {}) async throws -> String? {
        try await turn.take()
        defer { turn.give() }
        guard !echo else {
            question()
            return try await line()
        }
        var original = termios()
        guard tcgetattr(STDIN_FILENO, &original) == 0 else { throw Self.echoStays(errno) }
        var silent = original
        silent.c_lflag &= ~tcflag_t(ECHO)
        // What was typed before is no answer: it goes.
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else { throw Self.echoStays(errno) }
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &original) }
        question()
        return try await line()
    }

    private static func echoStays(_ code: CInt) -> Failure {
        Failure(
            Exit.osError, "cannot ask for a secret: the terminal's echo cannot be turned off",
            why: String(cString: strerror(code)))
    }

    private func line() async throws -> String? {
        var line: [UInt8] = []
        while true {
            try await loop.readable(STDIN_FILENO)
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard count > 0 else { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
    }

    /// Forgets the lines that were typed and not read.
    func discardTypedAhead() { tcflush(STDIN_FILENO, TCIFLUSH) }
}

/// Who reads the keyboard now: one at a time.
private final class Turn: Sendable {
    private let isTaken = Mutex(false)
    private let freed = Condition()

    func take() async throws {
        while true {
            let generation = freed.generation
            let isMine = isTaken.withLock { isTaken in
                defer { isTaken = true }
                return !isTaken
            }
            if isMine { return }
            try await freed.wait(after: generation)
        }
    }

    func give() {
        isTaken.withLock { $0 = false }
        freed.signal()
    }
}

/// The turn of one of several logins, from its first question to its end.
private final class Floor: Sendable {
    private let turn: Turn
    private let isMine = Mutex(false)

    init(_ turn: Turn) { self.turn = turn }

    /// - Returns: whether it was not ours before.
    func take() async throws -> Bool {
        if isMine.withLock({ $0 }) { return false }
        try await turn.take()
        isMine.withLock { $0 = true }
        return true
    }

    func give() {
        let wasMine = isMine.withLock { isMine in
            defer { isMine = false }
            return isMine
        }
        if wasMine { turn.give() }
    }
}
