public import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The person at the terminal, if there is one: standard input and standard error are both terminals.
public struct Keyboard: Sendable {
    private let hasTerminal: Bool
    private let loop: PollLoop

    /// Whether somebody can answer now: not while this process runs in the background of its terminal.
    public var isPresent: Bool { hasTerminal && tcgetpgrp(STDIN_FILENO) == getpgrp() }

    public init(loop: PollLoop) {
        self.loop = loop
        hasTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
    }

    /// The next line that is typed, without its end; nil when the input has ended (Ctrl-D). Can be cancelled.
    func readLine() async throws -> String? {
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

    /// As ``readLine()``, and what is typed does not appear.
    func readSecret() async throws -> String? {
        var original = termios()
        guard tcgetattr(STDIN_FILENO, &original) == 0 else {
            throw Failure(Exit.osError, "cannot ask for a secret: the terminal's echo cannot be turned off")
        }
        var silent = original
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &original) }
        return try await readLine()
    }
}
