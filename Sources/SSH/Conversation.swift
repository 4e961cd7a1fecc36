internal import Dispatch
internal import Synchronization

/// A question of the server during a keyboard-interactive login.
struct ServerQuestion: Sendable {
    var prompt: String
    var echo: Bool
}

/// One round of questions. There may be none, and only something to show.
struct ServerQuestions: Sendable {
    var name: String
    var instruction: String
    var questions: [ServerQuestion]
}

/// Carries the server's questions from the thread that libssh2 asks on to the task that asks the user, and answers back.
///
/// libssh2 wants the answers before its callback returns, so the thread has to stand still; it must not be the loop's,
/// which the user's answer may need.
final class Conversation: Sendable {
    enum Event: Sendable {
        case asked(ServerQuestions)
        /// libssh2's call has returned this.
        case returned(CInt)
    }

    private struct State {
        var event: Event?
        var listener: CheckedContinuation<Event, Never>?
        var answers: [String] = []
    }

    private let state = Mutex(State())
    private let answered = DispatchSemaphore(value: 0)

    // MARK: On the thread

    /// Asks, and stands still until there are answers: as many as questions, or fewer.
    func ask(_ questions: ServerQuestions) -> [String] {
        report(.asked(questions))
        answered.wait()
        return state.withLock { $0.answers }
    }

    func report(_ event: Event) {
        let listener = state.withLock { state -> CheckedContinuation<Event, Never>? in
            defer { state.listener = nil }
            if state.listener == nil { state.event = event }
            return state.listener
        }
        listener?.resume(returning: event)
    }

    // MARK: In the task

    /// What happens next. Not cancelled: the thread always comes back, and nothing may go on before.
    func next() async -> Event {
        await withCheckedContinuation { continuation in
            let event = state.withLock { state -> Event? in
                defer { state.event = nil }
                if state.event == nil { state.listener = continuation }
                return state.event
            }
            if let event { continuation.resume(returning: event) }
        }
    }

    func answer(_ answers: [String]) {
        state.withLock { $0.answers = answers }
        answered.signal()
    }
}
