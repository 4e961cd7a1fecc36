import SSH
import Synchronization

/// Answers the questions of a login with the person at the terminal.
struct TerminalPrompter: LoginPrompter {
    let console: Console
    let keyboard: Keyboard
    /// What the user calls the host that asks.
    let host: String
    /// Whether it is a jump host, or has some before it: then a question has to say whose it is.
    let isOnTheWay: Bool
    let passphrases: Passphrases
    let history: LoginHistory

    func confirm(_ question: HostKeyQuestion) async throws -> Bool {
        history.noteQuestion()
        let name = [host, host.lowercased()].contains(question.host) ? host : "\(host) (\(question.host))"
        let authority =
            "A certificate authority is recorded for it, whose certificates are not supported here."
        guard keyboard.isPresent else {
            throw Failure(
                Exit.noHost, "the host key of \(name) is not known",
                why:
                    "its \(question.keyType) fingerprint is \(question.fingerprint), and nobody is at a terminal to confirm it"
                    + (question.hasCertificateAuthority ? "\n" + authority : ""),
                remedy: question.hasCertificateAuthority
                    ? "let your own ssh do it: add \"transport\": \"openssh\" to the profile"
                    : "connect once from a terminal, or add the key to known_hosts")
        }
        var lines = ["The host key of \(name) is not known. Its \(question.keyType) fingerprint is"]
        lines.append("  \(question.fingerprint)")
        if !question.recordedTypes.isEmpty {
            lines.append(
                "Known are keys of other types (\(question.recordedTypes.joined(separator: ", "))), but not this one.")
        }
        if question.hasCertificateAuthority { lines.append(authority) }
        lines.append("Is it right, and shall it be remembered? [y/N] ")
        let answer = try await ask(lines.joined(separator: "\n"), echo: true)
        return ["y", "yes"].contains(answer?.lowercased())
    }

    func answer(_ prompt: String, echo: Bool) async throws -> String {
        history.noteQuestion()
        guard keyboard.isPresent else {
            throw NobodyToAsk("it asks \"\(Self.harmless(prompt))\", and nobody is at a terminal to answer")
        }
        let whose = isOnTheWay ? "\(host) asks:\n" : ""
        guard let answer = try await ask(whose + Self.harmless(prompt), echo: echo) else {
            throw Failure(Exit.noPermission, "no answer to \"\(Self.harmless(prompt))\"")
        }
        return answer
    }

    /// Puts a question on the terminal, and waits for a line; nil when the input has ended.
    private func ask(_ question: String, echo: Bool) async throws -> String? {
        // One login after the other asks.
        if try await keyboard.beginLoginQuestion() { console.report(.note("\(host) asks who you are")) }
        defer { keyboard.endLoginQuestion() }
        let answer: String?
        do {
            answer = try await keyboard.readLine(echo: echo) { console.ask(question) }
        } catch {
            // Nobody waits for the answer any more, as when the server has hung up.
            console.endQuestion(isAnswered: false)
            throw error
        }
        console.endQuestion(isAnswered: answer != nil)
        if !echo { console.breakLine() }
        return answer
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
        history.noteQuestion()
        guard keyboard.isPresent else { throw NobodyToAsk("nobody is at a terminal to tell the passphrase") }
        let prompt = "\(attempt == 0 ? "" : "That was not it. ")Passphrase for \(path): "
        guard let passphrase = try await ask(prompt, echo: false) else {
            throw Failure(Exit.noPermission, "no passphrase for \(path)")
        }
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
