internal import Dispatch
internal import Synchronization

/// Does `first` on another thread while this one does `second`. When one fails, the other is told to end, and the failure thrown.
///
/// - Parameter first: asks its argument often whether it is still wanted.
func atOnce<Value>(
    _ first: @escaping @Sendable (_ isUnwanted: @escaping @Sendable () -> Bool) throws -> Void,
    _ second: () throws -> Value
) throws -> Value {
    let side = Side()
    let group = DispatchGroup()
    DispatchQueue.global(qos: .userInitiated).async(group: group) {
        do {
            try first { side.isUnwanted.load(ordering: .relaxed) }
        } catch {
            side.failure.withLock { $0 = error }
        }
    }
    let result = Result { try second() }
    if case .failure = result { side.isUnwanted.store(true, ordering: .relaxed) }
    group.wait()
    let value = try result.get()
    if let failure = side.failure.withLock({ $0 }) { throw failure }
    return value
}

private final class Side: Sendable {
    let failure = Mutex<(any Error)?>(nil)
    let isUnwanted = Atomic(false)
}
