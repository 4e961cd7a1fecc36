/// Asks the user for as long as the server is there to hear the answer: servers hang up on whom they have waited for too long.
struct AttentivePrompter: LoginPrompter {
    let prompter: any LoginPrompter
    let session: Session

    func confirm(_ question: HostKeyQuestion) async throws -> Bool {
        try await whileConnected { try await prompter.confirm(question) }
    }

    func answer(_ prompt: String, echo: Bool) async throws -> String {
        try await whileConnected { try await prompter.answer(prompt, echo: echo) }
    }

    func passphrase(forKey path: String, attempt: Int) async throws -> String {
        try await whileConnected { try await prompter.passphrase(forKey: path, attempt: attempt) }
    }

    func show(_ notice: String) async { await prompter.show(notice) }

    /// Withdraws the question when the session fails, and throws why.
    private func whileConnected<R: Sendable>(_ question: @escaping @Sendable () async throws -> R) async throws -> R {
        try await withThrowingTaskGroup(of: R.self) { group in
            group.addTask { try await question() }
            group.addTask { throw try await session.waitForFailure() }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }
}
