/// Decides when streams that bring much have to wait, so that short answers need not.
///
/// All that the server may send at once comes before whatever it says next. Nearby that takes several times as long as the way there
/// and back, and libssh does not let it be less (``ReceiveWindow/least``). So while short questions are asked and answered, the
/// others take turns with them: what comes of theirs is left with libssh, and the server soon may not send more, until a few times
/// as long has passed as that took. Then they have a moment, in which it may send as much again.
///
/// It is told what happens and when, and looks at no clock.
final class Courtesy {
    typealias Instant = ContinuousClock.Instant

    private enum Turn {
        /// What brings much may be taken over.
        case bulk(since: Instant?)
        /// It may not. Some has come nevertheless, at last at that time.
        case questions(since: Instant, latestBulk: Instant)
    }

    /// How long after a short answer more of them are expected: somebody clicks, or a page asks for its parts.
    static let attention = Duration.milliseconds(60)
    /// How long a turn of what brings much is: enough to let the server send more.
    static let moment = Duration.milliseconds(1)
    /// How many times as long as the server's last bytes took nothing of theirs is to be in the way.
    static let share = 6
    static let shortestPause = Duration.milliseconds(10)
    static let longestPause = Duration.milliseconds(300)

    private var lastShortAnswer: Instant?
    private var turn = Turn.bulk(since: nil)

    /// A question had a short answer, and the next may come.
    func noteShortAnswer(at now: Instant) {
        lastShortAnswer = now
        if case .bulk(let since) = turn, since.map({ now >= $0 + Courtesy.moment }) ?? true {
            turn = .questions(since: now, latestBulk: now)
        }
    }

    /// Something has come on a stream that brings much.
    ///
    /// - Returns: whether to take it over.
    func mayTakeOver(at now: Instant) -> Bool {
        guard pause(at: now) == nil else {
            if case .questions(let since, _) = turn { turn = .questions(since: since, latestBulk: now) }
            return false
        }
        guard isAttentive(at: now), case .bulk(let since?) = turn, now >= since + Courtesy.moment else { return true }
        turn = .questions(since: now, latestBulk: now)
        return false
    }

    /// Until when nothing is to be taken over of streams that bring much, or a little longer; nil when it may be done now.
    func pause(at now: Instant) -> Instant? {
        guard case .questions(let since, let latestBulk) = turn else { return nil }
        if isAttentive(at: now) {
            let wanted = latestBulk + max((latestBulk - since) * Courtesy.share, Courtesy.shortestPause)
            let end = min(wanted, since + Courtesy.longestPause)
            if now < end { return end }
        }
        turn = .bulk(since: now)
        return nil
    }

    private func isAttentive(at now: Instant) -> Bool {
        lastShortAnswer.map { now < $0 + Courtesy.attention } ?? false
    }
}
