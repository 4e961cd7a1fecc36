import SSH
import Synchronization

/// Answers the questions of a login with the person at the terminal.
struct TerminalPrompter: LoginPrompter {
    let console: Console
    let keyboard: Keyboard
    let host: String
    let passphrases: Passphrases
    let history: LoginHistory

    func confirm(_ question: HostKeyQuestion) async throws -> Bool {
        history.noteQuestion()
        guard keyboard.isPresent else {
            throw Failure(
                Exit.noHost, "the host key of \(host) is not known",
                why:
                    "its \(question.keyType) fingerprint is \(question.fingerprint), and nobody is at a terminal to confirm it",
                remedy: "connect once from a terminal, or add the key to known_hosts")
        }
        try await begin()
        defer { keyboard.endLoginQuestion() }
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
        history.noteQuestion()
        guard keyboard.isPresent else {
            throw Failure(
                Exit.noPermission, "\(host) asks for \"\(prompt)\"", why: "nobody is at a terminal to answer",
                remedy: "use a key in the agent or without a passphrase, or run submit in a terminal")
        }
        try await begin()
        defer { keyboard.endLoginQuestion() }
        console.ask(Self.harmless(prompt))
        let answer = echo ? try await keyboard.readLine() : try await keyboard.readSecret()
        console.endQuestion(isAnswered: answer != nil)
        if !echo { console.breakLine() }
        guard let answer else { throw Failure(Exit.noPermission, "no answer to \"\(prompt)\"") }
        return answer
    }

    /// One login after the other asks.
    private func begin() async throws {
        if try await keyboard.beginLoginQuestion() { console.report(.note("\(host) asks who you are")) }
    }

    func show(_ notice: String) async { console.report(.note(Self.harmless(notice))) }

    /// A text of the server: it may say what it wants, but not to the terminal itself.
    private static func harmless(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(
            contentsOf: text.unicodeScalars.filter { $0.properties.generalCategory != .control || $0 == "\n" })
        return String(scalars)
    }

    func passphrase(forKey path: String, attempt: Int) async throws -> String {
        if attempt == 0, let known = passphrases[path] { return known }
        let passphrase = try await answer(
            "\(attempt == 0 ? "" : "That was not it. ")Passphrase for \(path): ", echo: false)
        passphrases[path] = passphrase
        return passphrase
    }
}

/// The passphrases that were typed in this process, so that a later login with the same key does not ask again.
final class Passphrases: Sendable {
    private let known = Mutex<[String: String]>([:])

    subscript(path: String) -> String? {
        get { known.withLock { $0[path] } }
        set { known.withLock { $0[path] = newValue } }
    }
}

/// What the logins of this process have taken.
final class LoginHistory: Sendable {
    private let hasAsked = Mutex(false)

    /// Whether the last login, or the one that is under way, had a question for the person at the terminal, be there one or not.
    var neededAPerson: Bool { hasAsked.withLock { $0 } }

    /// A login begins.
    func begin() { hasAsked.withLock { $0 = false } }

    /// There is a question.
    func noteQuestion() { hasAsked.withLock { $0 = true } }
}

/// Answers in a login from the access node to a worker: nobody is asked a second time for what has been said to the first.
struct WorkerPrompter: LoginPrompter {
    let host: String
    let passphrases: Passphrases

    func confirm(_ question: HostKeyQuestion) async throws -> Bool { false }

    func answer(_ prompt: String, echo: Bool) async throws -> String {
        throw NoWayThrough(description: "\(host) asks for \"\(prompt)\"")
    }

    func passphrase(forKey path: String, attempt: Int) async throws -> String {
        guard attempt == 0, let known = passphrases[path] else {
            throw NoWayThrough(description: "the key \(path) has a passphrase that is not known")
        }
        return known
    }
}
