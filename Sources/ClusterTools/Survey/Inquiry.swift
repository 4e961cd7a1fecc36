import IO
import Synchronization

/// A question to a cluster: one login, which has so much time, and an answer, which has so much more. For asking many at once,
/// none of which may hold up the others.
struct Inquiry: Sendable {
    let connector: Connector
    /// The login's own, of those that share the terminal.
    let keyboard: Keyboard

    /// How long a cluster has to let us in; what a person takes to answer a login's question does not count.
    static let patienceForLogin: Duration = .seconds(15)
    /// How long it may take to answer then. Slurm's commands give up on their controller a little sooner.
    static let patienceForAnswer: Duration = .seconds(30)

    /// Logs in, starts a program there, and talks with it.
    ///
    /// - Parameter body: is given the conversation, and what the user calls the machine.
    func run<Value: Sendable>(
        _ program: RemoteProgram, _ body: @escaping @Sendable (Conversation, _ host: String) async throws -> Value
    ) async throws -> Value {
        let login = LoginLimit(keyboard: keyboard)
        return try await login.hold(Self.patienceForLogin, host: connector.name) {
            try await connector.withHost { host in
                login.succeeded()
                return try await withTimeout(
                    Self.patienceForAnswer,
                    or: Failure(
                        Exit.unavailable, "cannot ask \(host.name)",
                        why: "no answer within \(Self.patienceForAnswer.components.seconds) s")
                ) {
                    try await Conversation.with(program, on: host) { try await body($0, host.name) }
                }
            }
        }
    }
}

/// A login that has so much time and no more, but for what a person takes to answer its questions.
private final class LoginLimit: Sendable {
    private let keyboard: Keyboard
    private let isOver = Mutex(false)

    init(keyboard: Keyboard) { self.keyboard = keyboard }

    /// The host has let us in: nothing is limited any more, and other logins may ask.
    func succeeded() {
        keyboard.endLogin()
        isOver.withLock { $0 = true }
    }

    /// Runs what logs in, and cancels it when it has not ``succeeded()`` in time.
    func hold<Value: Sendable>(
        _ limit: Duration, host: String, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        defer { keyboard.endLogin() }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await self.watch(limit, host: host)
                return nil
            }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    private func watch(_ limit: Duration, host: String) async throws {
        let step = Duration.milliseconds(200)
        var left = limit
        while left > .zero, !isOver.withLock({ $0 }) {
            try await Task.sleep(for: step)
            if !keyboard.isWantedByLogin.value { left -= step }
        }
        guard isOver.withLock({ $0 }) else {
            throw Failure(
                Exit.unavailable, "cannot connect to \(host)", why: "no login within \(limit.components.seconds) s")
        }
    }
}
