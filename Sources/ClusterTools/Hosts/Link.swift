import IO
import SSH
import Synchronization

/// Keeps at something over a link that may drop: logs in again and starts again, until it is done.
struct Link: Sendable {
    /// What whoever talks with the user should know of it.
    enum Change: Sendable { case lost, back, needsUser }

    let connector: Connector
    let console: Console
    /// Fires when the user wants another attempt at once.
    let retry: Pulse
    let use: LinkUse
    let loop: PollLoop
    /// Called when the link is lost, when there is a new one, and when a login needs a person. Says whether somebody heard it.
    let changed: @Sendable (Change) -> Bool

    /// After the network has changed: a moment, so that all of it is there.
    private static let settling: Duration = .milliseconds(300)

    /// Runs `body` on the host, and again on a new connection after each link loss.
    ///
    /// - Throws: what `body` throws; ``Failure`` when the first connection cannot be made, or a later login needs a person and
    ///   nobody is there.
    func keep<R: Sendable>(_ body: (any Host) async throws -> R) async throws -> R {
        let networkChange = Pulse()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watchNetwork { networkChange.fire() } }
            defer { group.cancelAll() }
            var reconnection = Reconnection()
            while true {
                do {
                    return try await connector.withHost { host in
                        use.begin()
                        if reconnection.succeeded() {
                            console.report(.linkBack)
                            _ = changed(.back)
                        }
                        return try await body(host)
                    }
                } catch {
                    try await recover(from: error, &reconnection, networkChange)
                }
            }
        }
    }

    /// Says what happened, and waits for the right moment to try again.
    private func recover(from error: any Error, _ reconnection: inout Reconnection, _ networkChange: Pulse) async throws
    {
        let failure = Failure.connecting(to: connector.name, error)
        guard let trouble = trouble(error, failure) else { throw failure }
        let wasDown = reconnection.isDown
        let action = reconnection.failed(trouble, wasOfUse: !wasDown && use.isProven, canAsk: connector.canAsk)
        if action == .giveUp { throw failure }
        if !wasDown {
            console.report(.linkLost(reason: "\(error)"))
            _ = changed(.lost)
        } else if trouble == .link {
            console.report(.debug("\(error)"))
        } else {
            console.report(.warning("cannot log in again: \(failure)"))
        }
        switch action {
        case .giveUp: break
        case .waitForUser:
            guard changed(.needsUser) else { throw failure }
            try await retry.wait()
        case .retry(let pause):
            if try await waited(pause, retry, networkChange) == .network {
                reconnection.encourage()
                try await Task.sleep(for: Self.settling)
            }
        }
    }

    /// What kind of trouble an error is; nil for what has nothing to do with the link.
    private func trouble(_ error: any Error, _ failure: any Error) -> Reconnection.Trouble? {
        if isLinkLoss(error) { return .link }
        guard let failure = failure as? Failure else { return nil }
        switch failure.status {
        case Exit.unavailable where error is SSHError: return .link
        case Exit.noPermission, Exit.noHost: return connector.neededAPerson ? .personNeeded : .refusal
        default: return nil
        }
    }

    private enum Reason { case time, user, network }

    /// Waits for this long, or until one of the two fires.
    private func waited(_ pause: Duration, _ retry: Pulse, _ networkChange: Pulse) async throws -> Reason {
        try await withThrowingTaskGroup(of: Reason.self) { group in
            group.addTask {
                try await Task.sleep(for: pause)
                return .time
            }
            group.addTask {
                try await retry.wait()
                return .user
            }
            group.addTask {
                try await networkChange.wait()
                return .network
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .time
        }
    }

    /// Where the system does not say, the next attempt comes a little later.
    private func watchNetwork(_ changed: () -> Void) async {
        do {
            try await IO.watchNetwork(loop: loop, changed)
        } catch is CancellationError {
            // It is over.
        } catch {
            console.report(.debug("changes of the network are not noticed: \(error)"))
        }
    }
}

/// Whether the present connection has been of use, which is for those to say who get their answers over it.
final class LinkUse: Sendable {
    private let state = Atomic(false)

    var isProven: Bool { state.load(ordering: .acquiring) }

    /// There is a new connection.
    func begin() { state.store(false, ordering: .releasing) }

    /// There was an answer.
    func prove() { state.store(true, ordering: .releasing) }
}
