import IO
import Synchronization

/// Ends a pause early: for a loop that looks at regular times, and at once when there is reason to.
final class Pulse: Sendable {
    private struct Over: Error {}

    private let fired = Condition()
    /// The firings that ended a pause, or came too early for one.
    private let seen = Mutex<UInt64>(0)

    /// Ends the present pause, or the next one if there is none.
    func fire() { fired.signal() }

    /// Pauses for this long, or until ``fire()``.
    ///
    /// - Throws: `CancellationError` when the task was cancelled.
    func pause(for duration: Duration) async throws {
        let generation = seen.withLock { $0 }
        do {
            try await withTimeout(duration, or: Over()) { [fired] in try await fired.wait(after: generation) }
        } catch is Over {}
        seen.withLock { $0 = fired.generation }
    }
}
