import CTerminal
import Dispatch
import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The user's terminal, where it is ours altogether: standard input and output are both on it.
struct UserTerminal: Sendable {
    /// What it understands, as `TERM` names it.
    let type: String
    /// Its modes before we change them.
    let modes: termios
    /// Fires when it has another size, and when the process goes on after a stop.
    let changed = Pulse()

    /// Nil where there is none, or we are in its background.
    init?(environment: [String: String]) {
        var modes = termios()
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == getpgrp(),
            tcgetattr(STDIN_FILENO, &modes) == 0
        else { return nil }
        self.modes = modes
        type = environment["TERM"].flatMap { $0.isEmpty ? nil : $0 } ?? "dumb"
    }

    var size: TerminalSize { TerminalSize(of: STDOUT_FILENO) ?? TerminalSize(columns: 80, rows: 24) }

    /// A terminal like this one, for a process elsewhere.
    var request: TerminalRequest { TerminalRequest(type: type, size: size, modes: modes) }

    /// What it is to do with what is typed while it is ours.
    enum Use {
        /// All keys are somebody else's, Ctrl-C too.
        case raw
        /// Keys come one by one and are not shown; Ctrl-C is a signal as ever.
        case keys
    }

    /// Undoes what a program may have switched on and had no time to switch off: other screens, mice, marks around what is
    /// pasted, a hidden cursor, colours.
    static let reset =
        "\u{1B}[?1049l\u{1B}[?1000;1002;1003;1006l\u{1B}[?2004l\u{1B}[?1l\u{1B}[?25h\u{1B}[0m\u{1B}[r\u{1B}[999;1H"

    /// Has the terminal work this way while `body` runs. It is as before afterwards, whatever ends that: a crash and a stop
    /// from outside too.
    ///
    /// - Parameters:
    ///   - greeting: is written to it at the beginning, and when the process goes on after a stop.
    ///   - farewell: is written to it at the end, where there is one.
    func hold<R>(
        _ use: Use, greeting: String = "", farewell: String = "", _ body: () async throws -> R
    ) async throws -> R {
        // Before the sources, which put a handler in its place.
        let before = signal(SIGTSTP, SIG_IGN)
        let isReady = DispatchGroup()
        let sources = [SIGWINCH, SIGCONT, SIGTSTP].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler {
                // Stops nobody yet: first the terminal is to be as a shell expects it.
                if number == SIGTSTP { stop(use, greeting, farewell) }
                changed.fire()
            }
            isReady.enter()
            source.setRegistrationHandler { isReady.leave() }
            source.activate()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            signal(SIGTSTP, before)
        }
        // A stop before that would leave the terminal as nobody wants it.
        isReady.wait()
        try take(use, greeting)
        var modes = modes
        terminal_guard(STDIN_FILENO, &modes, Self.reset)
        defer {
            terminal_guard(STDIN_FILENO, nil, nil)
            give(farewell)
        }
        return try await body()
    }

    private func take(_ use: Use, _ greeting: String) throws {
        var changed = modes
        switch use {
        case .raw: cfmakeraw(&changed)
        case .keys: changed.c_lflag &= ~tcflag_t(ICANON | ECHO)
        }
        guard set(changed) == 0 else {
            throw Failure(
                Exit.osError, "the terminal's modes cannot be set", why: String(cString: strerror(errno)))
        }
        put(greeting)
    }

    private func give(_ farewell: String) {
        put(farewell)
        // Fails where the terminal is gone, which needs nothing any more.
        _ = set(modes)
    }

    /// Waits for what is still to be shown; a signal may end that wait too early.
    private func set(_ modes: termios) -> CInt {
        var modes = modes
        var result: CInt
        repeat { result = tcsetattr(STDIN_FILENO, TCSADRAIN, &modes) } while result != 0 && errno == EINTR
        return result
    }

    private func stop(_ use: Use, _ greeting: String, _ farewell: String) {
        give(farewell)
        // To this thread: another might take the signal, and this one go on for a moment.
        raise(SIGSTOP)
        // Here again.
        do { try take(use, greeting) } catch { changed.fire() }
    }

    /// Writes a few bytes to it.
    func put(_ text: String) {
        guard !text.isEmpty else { return }
        var text = text
        text.withUTF8 { bytes in
            // A terminal that does not take them is gone.
            _ = write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
        }
    }
}
