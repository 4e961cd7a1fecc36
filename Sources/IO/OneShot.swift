internal import Synchronization

/// A value that arrives once, or a failure instead of it. Whoever delivers first wins.
///
/// This is the bridge from everything that reports by callback, on whatever thread, to one waiting task, and it makes
/// the wait cancellable.
public final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(CheckedContinuation<Value, any Error>)
        case settled(Result<Value, any Error>)
    }

    private let state = Mutex(State.empty)

    public init() {}

    /// Whether the outcome is known, be it that nobody waits any more.
    public var isSettled: Bool {
        state.withLock { if case .settled = $0 { true } else { false } }
    }

    /// Settles the outcome. Says false when it was settled already, and changes nothing then.
    @discardableResult
    public func deliver(_ result: Result<Value, any Error>) -> Bool {
        let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Value, any Error>?) in
            switch state {
            case .settled: return (false, nil)
            case .empty:
                state = .settled(result)
                return (true, nil)
            case .awaited(let continuation):
                state = .settled(result)
                return (true, continuation)
            }
        }
        waiter?.resume(with: result)
        return isFirst
    }

    /// The outcome, for the one task that waits for it.
    ///
    /// When the task is cancelled the outcome is settled as `CancellationError`, so that a later delivery says false.
    public func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let settled = state.withLock { state -> Result<Value, any Error>? in
                    switch state {
                    case .settled(let result): return result
                    case .empty, .awaited:
                        state = .awaited(continuation)
                        return nil
                    }
                }
                if let settled { continuation.resume(with: settled) }
            }
        } onCancel: {
            deliver(.failure(CancellationError()))
        }
    }
}
