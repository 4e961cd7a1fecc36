/// Waits until `check` finds something, looking a hundred times a second.
///
/// - Parameters:
///   - what: names what is waited for in the error's message.
///   - context: what to show with a timeout, for instance what a program has written.
/// - Throws: a timeout after `limit`, or what `check` throws.
@discardableResult
func eventually<Found>(
    _ what: String, within limit: Duration = .seconds(30), context: () async -> String = { "" },
    check: () async throws -> Found?
) async throws -> Found {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while true {
        if let found = try await check() { return found }
        guard clock.now < deadline else {
            throw LabError(code: .timeout, message: "no \(what) within \(limit)\n\(await context())")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}
