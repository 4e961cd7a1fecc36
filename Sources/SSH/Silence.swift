internal import CSSH
internal import IO

/// Decides when to ask a silent server for a sign of life, and when to give it up.
///
/// A pure value: it is told the time, and says what to do.
struct SilenceMonitor {
    /// Of a clock that goes on while the machine sleeps: after a night the link is asked about at once.
    typealias Instant = ContinuousClock.Instant

    enum Action: Equatable {
        case wait(until: Instant)
        case probe
        case giveUp
    }

    /// How long the server may be silent altogether. A third of it passes before it is asked.
    let limit: Duration
    private var lastProbe: Instant?

    init(limit: Duration) { self.limit = limit }

    mutating func action(at now: Instant, lastReceived: Instant) -> Action {
        if let probe = lastProbe, lastReceived < probe {
            let deadline = probe + limit * 2 / 3
            if now < deadline { return .wait(until: deadline) }
            // Much too late is not the server's doing: this process was stopped, or the machine slept. The answer may wait in
            // the socket.
            guard now > deadline + limit / 3 else { return .giveUp }
        } else {
            let quiet = lastReceived + limit / 3
            if now < quiet { return .wait(until: quiet) }
        }
        lastProbe = now
        return .probe
    }
}

extension Session {
    /// Sees to it that a dead link is noticed.
    func watchForSilence(limit: Duration) async {
        var monitor = SilenceMonitor(limit: limit)
        let clock = ContinuousClock()
        do {
            while failure == nil {
                switch monitor.action(at: clock.now, lastReceived: lastReceived) {
                case .wait(let until): try await clock.sleep(until: until, tolerance: limit / 20)
                case .probe: try probe()
                case .giveUp: fail(lost("no sign of life for \(limit.components.seconds) s"))
                }
            }
        } catch {
            // The session ends, or has failed.
        }
    }

    /// Asks the server for an answer, whatever it is.
    private func probe() throws {
        if let failure { throw failure }
        // When libssh has an answer to the one before, it takes note of that, and asks when it is called again.
        for _ in 0..<2 { ssh_send_keepalive(library.session) }
        noticeEffects()
    }
}
