import Dispatch
import IO
import Synchronization

/// Pieces of data on their way from a thread that makes them to a task that sends them: making, compressing and sending
/// overlap, and the maker waits when the sender falls behind.
final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var isAbandoned = false
    }

    private let state = Mutex(State())
    private let changed = Condition()
    private let room: DispatchSemaphore
    /// How many elements wait at most.
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        // A semaphore that is freed with less than it began with is a trap: this one begins with nothing.
        room = DispatchSemaphore(value: 0)
        for _ in 0..<capacity { room.signal() }
    }

    /// Hands an element over. Blocks the calling thread, which must not be one of the cooperative pool, while it is full.
    ///
    /// - Returns: false when nobody takes any more.
    func put(_ element: Element) -> Bool {
        room.wait()
        let isTaken = state.withLock { state in
            if !state.isAbandoned { state.elements.append(element) }
            return !state.isAbandoned
        }
        changed.signal()
        return isTaken
    }

    /// How many of those that wait are such ones.
    func count(where isCounted: (Element) -> Bool) -> Int {
        state.withLock { state in state.elements.count { isCounted($0) } }
    }

    /// Says that nothing more will be put.
    func finish() {
        state.withLock { $0.isFinished = true }
        changed.signal()
    }

    /// Says that nothing more will be taken. A maker that waits for room goes on, and is told.
    func abandon() {
        state.withLock { $0.isAbandoned = true }
        room.signal()
    }

    /// The next element; nil after the last.
    func take() async throws -> Element? {
        while true {
            let generation = changed.generation
            let (element, isFinished) = state.withLock { state in
                (state.elements.isEmpty ? nil : state.elements.removeFirst(), state.isFinished)
            }
            if let element {
                room.signal()
                return element
            }
            if isFinished { return nil }
            try await changed.wait(after: generation)
        }
    }
}
