import IO
import Synchronization

/// A value that changes and that tasks wait for.
final class Beacon<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    private let changed = Condition()

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    func set(_ value: Value) {
        state.withLock { $0 = value }
        changed.signal()
    }

    func change(_ body: (inout Value) -> Void) {
        state.withLock { body(&$0) }
        changed.signal()
    }

    /// The first value, from now on, that `transform` gives something for. Can be cancelled.
    func first<Result>(_ transform: (Value) -> Result?) async throws -> Result {
        while true {
            let generation = changed.generation
            if let result = transform(value) { return result }
            try await changed.wait(after: generation)
        }
    }
}
