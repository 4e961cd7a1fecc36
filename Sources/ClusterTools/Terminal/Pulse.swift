import Synchronization

/// Ends a pause early: for a loop that looks at regular times, and at once when there is reason to.
final class Pulse: Sendable {
    private struct State {
        var isFired = false
        var sleeper: Task<Void, any Error>?
    }

    private let state = Mutex(State())

    /// Ends the present pause, or the next one if there is none.
    func fire() {
        state.withLock {
            $0.isFired = true
            $0.sleeper?.cancel()
        }
    }

    /// Pauses for this long, or until ``fire()``.
    ///
    /// - Throws: `CancellationError` when the task was cancelled.
    func pause(for duration: Duration) async throws {
        let sleeper = Task { try await Task.sleep(for: duration) }
        let isFired = state.withLock { state in
            if !state.isFired { state.sleeper = sleeper }
            return state.isFired
        }
        if isFired { sleeper.cancel() }
        await withTaskCancellationHandler {
            // Whether it slept to the end or was woken makes no difference here.
            _ = await sleeper.result
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock {
            $0.sleeper = nil
            $0.isFired = false
        }
        try Task.checkCancellation()
    }
}
