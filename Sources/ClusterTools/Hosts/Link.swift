/// Keeps at something over a link that may drop: logs in again and starts again, until it is done.
struct Link: Sendable {
    let connector: Connector
    let console: Console
    /// Called when the link is lost, and when there is a new one.
    let changed: @Sendable (_ isUp: Bool) -> Void

    /// A connection that lasts this long was no false start: after it, the next attempt comes soon again.
    private static let proof: Duration = .seconds(10)

    /// Runs `body` on the host, and again on a new connection after each link loss.
    ///
    /// - Throws: what `body` throws; ``Failure`` when the first connection cannot be made, or a later login is refused.
    func keep<R: Sendable>(_ body: (any Host) async throws -> R) async throws -> R {
        var pace = Pace(first: .milliseconds(500), limit: .seconds(30), factor: 2)
        var connected: ContinuousClock.Instant?
        var isDown = false
        while true {
            do {
                return try await connector.withHost { host in
                    connected = .now
                    if isDown {
                        isDown = false
                        console.report(.linkBack)
                        changed(true)
                    }
                    return try await body(host)
                }
            } catch {
                let isLoss = isLinkLoss(error)
                let failure = Failure.connecting(to: connector.name, error)
                let mayPass = isLoss || (failure as? Failure)?.status == Exit.unavailable
                guard let since = connected, isLoss || (isDown && mayPass) else { throw failure }
                if ContinuousClock.now - since > Self.proof && !isDown { pace.quicken() }
                if isDown {
                    console.report(.debug("\(error)"))
                } else {
                    isDown = true
                    console.report(.linkLost(reason: "\(error)"))
                    changed(false)
                }
            }
            try await Task.sleep(for: pace.next())
        }
    }
}
