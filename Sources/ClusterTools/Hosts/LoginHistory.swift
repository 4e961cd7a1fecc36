import Synchronization

/// Whether the last login put a question to the person at the terminal, or would have, had there been one.
final class LoginHistory: Sendable {
    private let state = Mutex(false)

    var neededAPerson: Bool { state.withLock { $0 } }

    /// A login begins.
    func begin() { state.withLock { $0 = false } }

    /// It needs a person.
    func noteNeed() { state.withLock { $0 = true } }
}
