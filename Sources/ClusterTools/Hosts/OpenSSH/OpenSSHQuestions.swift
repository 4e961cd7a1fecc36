import IO
import SSH
import Synchronization

/// Answers the questions of one login of ssh, which come from ``AskPass``, with the same person as all questions.
final class OpenSSHQuestions: Sendable {
    private struct State {
        /// Since when nothing was asked; nil while something is.
        var idleSince: ContinuousClock.Instant? = .now
        /// How often the passphrase of each key was asked for.
        var attempts: [String: Int] = [:]
        /// Why there was no answer.
        var refusal: (any Error)?
    }

    private let prompter: any LoginPrompter
    private let login: OpenSSHLogin
    private let state = Mutex(State())

    init(of login: OpenSSHLogin, prompter: any LoginPrompter) {
        self.login = login
        self.prompter = prompter
    }

    /// How long ssh has asked nothing; zero while it waits for an answer.
    var idle: Duration { state.withLock { $0.idleSince }.map { .now - $0 } ?? .zero }

    /// What the prompter has ended the login by. ssh goes on without the answer, and fails in a way that explains nothing.
    var refusal: (any Error)? { state.withLock { $0.refusal } }

    /// Answers until it is cancelled, or the prompter ends the login by an error.
    func serve(_ listener: SocketListener) async throws {
        while true {
            let connection = try await listener.accept()
            let request: [UInt8]
            do { request = try await connection.readToEnd(limit: 1 << 16) } catch is IOError { continue }
            let parts = request.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let question = OpenSSHQuestion(
                String(decoding: parts[1], as: UTF8.self), hint: String(decoding: parts[0], as: UTF8.self))

            state.withLock { $0.idleSince = nil }
            defer { state.withLock { $0.idleSince = .now } }
            let answer: String?
            do {
                answer = try await self.answer(question)
            } catch let error as NobodyToAsk where question.isAboutAKey {
                // There may be another key. If there is none, this is why.
                state.withLock { $0.refusal = error }
                answer = nil
            } catch {
                state.withLock { $0.refusal = error }
                throw error
            }
            do {
                if let answer { try await connection.write([AskPass.isAnswer] + Array(answer.utf8)) }
            } catch is IOError {
                // Whoever asked has gone, and ssh says why.
            }
            await connection.close()
        }
    }

    private func answer(_ question: OpenSSHQuestion) async throws -> String? {
        switch question {
        case .notice(let text):
            await prompter.show(text)
            return nil
        case .passphrase(let key):
            let attempt = state.withLock { state in
                defer { state.attempts[key, default: 0] += 1 }
                return state.attempts[key, default: 0]
            }
            return try await prompter.passphrase(forKey: key, attempt: attempt)
        case .hostKey(let type, let fingerprint):
            let isRight = try await prompter.confirm(
                HostKeyQuestion(
                    host: login.destination, port: UInt16(login.port ?? 22), keyType: type, fingerprint: fingerprint,
                    recordedTypes: []))
            return isRight ? "yes" : "no"
        case .confirmation(let prompt): return try await prompter.answer(prompt, echo: true)
        case .secret(let prompt): return try await prompter.answer(prompt, echo: false)
        }
    }
}
