internal import Synchronization

/// Wakes tasks that wait for something to change: a condition variable for tasks.
///
/// A wake-up cannot be missed: take ``generation`` *before* looking at what is waited for, and hand it to ``wait(after:)``,
/// which returns at once when there was a signal in between.
public final class Condition: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: OneShot<Void>] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// Counts the signals so far.
    public var generation: UInt64 { state.withLock { $0.generation } }

    /// Wakes every task that waits.
    public func signal() {
        let waiters = state.withLock { state in
            state.generation &+= 1
            guard !state.waiters.isEmpty else { return [UInt64: OneShot<Void>]() }
            defer { state.waiters.removeAll(keepingCapacity: true) }
            return state.waiters
        }
        for waiter in waiters.values { waiter.deliver(.success(())) }
    }

    /// Waits for a signal after `generation`. Throws only `CancellationError`.
    public func wait(after generation: UInt64) async throws {
        let waiter = OneShot<Void>()
        let id = state.withLock { state -> UInt64? in
            guard state.generation == generation else { return nil }
            state.nextWaiter += 1
            state.waiters[state.nextWaiter] = waiter
            return state.nextWaiter
        }
        guard let id else { return try Task.checkCancellation() }
        // A cancelled waiter would otherwise stay listed until the next signal.
        defer { state.withLock { _ = $0.waiters.removeValue(forKey: id) } }
        try await waiter.value()
    }
}
