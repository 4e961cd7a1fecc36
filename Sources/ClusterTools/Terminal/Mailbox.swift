import Synchronization

/// A queue between tasks: anyone posts, one task at a time takes.
public final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var taker: CheckedContinuation<Message?, Never>?
    }

    private let state = Mutex(State())

    public init() {}

    public func post(_ message: Message) {
        let taker = state.withLock { state -> CheckedContinuation<Message?, Never>? in
            if let taker = state.taker {
                state.taker = nil
                return taker
            }
            state.messages.append(message)
            return nil
        }
        taker?.resume(returning: message)
    }

    /// The next message; one that is posted later if there is none. A cancelled taker loses no message.
    public func take() async throws -> Message {
        let message = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let immediate = state.withLock { state -> Message?? in
                    if !state.messages.isEmpty { return .some(state.messages.removeFirst()) }
                    if Task.isCancelled { return .some(nil) }
                    precondition(state.taker == nil, "two tasks take from one mailbox")
                    state.taker = continuation
                    return nil
                }
                if let immediate { continuation.resume(returning: immediate) }
            }
        } onCancel: {
            let taker = state.withLock { state in
                defer { state.taker = nil }
                return state.taker
            }
            taker?.resume(returning: nil)
        }
        guard let message else { throw CancellationError() }
        return message
    }
}
