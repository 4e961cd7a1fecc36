internal import Dispatch
internal import Synchronization

/// Does `first` on another thread while this one does `second`. When one fails, the other is told to end, and the failure thrown.
///
/// - Parameter first: asks its argument often whether it is still wanted.
func atOnce<First: Sendable, Second>(
    _ first: @escaping @Sendable (_ isUnwanted: @escaping @Sendable () -> Bool) throws -> First,
    _ second: () throws -> Second
) throws -> (First, Second) {
    let side = Side<First>()
    let group = DispatchGroup()
    DispatchQueue.global(qos: .userInitiated).async(group: group) {
        let result = Result { try first { side.isUnwanted.load(ordering: .relaxed) } }
        side.result.withLock { $0 = result }
    }
    let result = Result { try second() }
    if case .failure = result { side.isUnwanted.store(true, ordering: .relaxed) }
    group.wait()
    let second = try result.get()
    guard let first = side.result.withLock({ $0 }) else { preconditionFailure("the other thread has left no result") }
    return (try first.get(), second)
}

private final class Side<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
    let isUnwanted = Atomic(false)
}
