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
        do {
            try await withTimeout(duration, or: Over()) { try await self.wait() }
        } catch is Over {}
    }

    /// Waits for ``fire()``, or for none when it came too early for an earlier pause.
    func wait() async throws {
        try await fired.wait(after: seen.withLock { $0 })
        seen.withLock { $0 = fired.generation }
    }
}
