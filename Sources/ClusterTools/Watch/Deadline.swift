/// It took longer than it was given.
struct DeadlinePassed: Error, CustomStringConvertible {
    let limit: Duration
    var description: String { "nothing happened within \(limit.components.seconds) s" }
}

/// Runs `body`, and cancels it when it takes longer than `limit`.
///
/// - Throws: ``DeadlinePassed``, or what `body` throws.
func withDeadline<R: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async throws -> R) async throws -> R {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else { throw DeadlinePassed(limit: limit) }
        return result
    }
}
