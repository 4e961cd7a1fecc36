public import IO
import SSH

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The person at the terminal, if there is one: standard input and standard error are both terminals.
public struct Keyboard: Sendable {
    /// Nobody can answer.
    public let isPresent: Bool
    private let loop: PollLoop

    public init(loop: PollLoop) {
        self.loop = loop
        isPresent = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
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

/// Answers the questions of a login with the person at the terminal.
struct TerminalPrompter: LoginPrompter {
    let console: Console
    let keyboard: Keyboard
    let host: String

    func confirm(_ question: HostKeyQuestion) async throws -> Bool {
        guard keyboard.isPresent else {
            throw Failure(
                Exit.noHost, "the host key of \(host) is not known",
                why:
                    "its \(question.keyType) fingerprint is \(question.fingerprint), and nobody is at a terminal to confirm it",
                remedy: "connect once from a terminal, or add the key to known_hosts")
        }
        console.ask(
            """
            The host key of \(host) is not known. Its \(question.keyType) fingerprint is
              \(question.fingerprint)
            Is it right, and shall it be remembered? [y/N]\u{20}
            """)
        let answer = try await keyboard.readLine()
        console.endQuestion(isAnswered: answer != nil)
        return ["y", "yes"].contains(answer?.lowercased())
    }

    func answer(_ prompt: String, echo: Bool) async throws -> String {
        guard keyboard.isPresent else {
            throw Failure(
                Exit.noPermission, "\(host) asks for \"\(prompt)\"", why: "nobody is at a terminal to answer",
                remedy: "use a key in the agent or without a passphrase, or run submit in a terminal")
        }
        console.ask(prompt)
        let answer = echo ? try await keyboard.readLine() : try await keyboard.readSecret()
        console.endQuestion(isAnswered: answer != nil)
        if !echo { console.breakLine() }
        guard let answer else { throw Failure(Exit.noPermission, "no answer to \"\(prompt)\"") }
        return answer
    }
}
