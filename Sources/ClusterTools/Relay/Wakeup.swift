/// A signal, given once, that one task waits for. Cancelling the task ends the wait.
///
/// Made of a stream that only ever ends, which brings what a bare continuation lacks: a signal given before the wait is
/// not lost, and cancellation needs no second task.
struct Wakeup: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func signal() {
        continuation.finish()
    }

    /// Returns after the signal.
    ///
    /// - Throws: `CancellationError`.
    func wait() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }

    /// Signals all that wait, and empties the list.
    static func signalAll(in waiting: inout [Wakeup]) {
        for wakeup in waiting { wakeup.signal() }
        waiting.removeAll()
    }
}
