/// How many bytes the server may send on a channel before they are read.
///
/// It bounds the throughput to this much in a round trip. But what it may send and nobody can take yet lies in queues, where
/// everything else that the session carries has to wait behind it, and in our memory. So it is as large as a quick link needs it
/// to be, which depends on how far away the server is; and no larger than the link turns out to need it, once it has been watched
/// for some round trips.
///
/// It is told what happens and when, and looks at no clock.
struct ReceiveWindow {
    typealias Instant = ContinuousClock.Instant

    /// What libssh itself makes it, in bytes, whenever it has shrunk to half of that: its WINDOWBASE.
    static let least = 1_280_000
    static let largest = 16 << 20
    /// Of all channels of a session together, as long as there are not very many: it bounds their memory.
    static let all = 64 << 20
    /// What a link is taken for, in bytes a second, until it is known better: one of 2 Gbit/s is filled.
    private static let rate = 250e6
    /// How many round trips are watched: TCP needs about as many until it fills the link.
    private static let watched = 16
    /// How many times what came in the best of them may be on its way: more, so that it can grow.
    private static let headroom = 1.5

    /// What came in each of the latest round trips, in bytes.
    private var trips: [Double] = []
    /// What has come in the one that goes on.
    private var trip: (start: Instant, bytes: Int)?

    /// What it takes to fill the link, in bytes. It may be less than libssh keeps it at.
    ///
    /// - Parameters:
    ///   - roundTrip: to the server and back, with nothing in the way.
    ///   - channels: how many there are in the session.
    func size(roundTrip: Duration, channels: Int) -> Int {
        let needed = trips.count == Self.watched ? trips.max().map { $0 * Self.headroom } : nil
        let wanted = min(Self.flight(roundTrip), needed ?? .infinity, Double(Self.largest))
        return min(Int(wanted), Self.all / max(1, channels))
    }

    /// So many bytes have been read.
    mutating func note(_ count: Int, at now: Instant, roundTrip: Duration) {
        guard !Self.isLong(roundTrip: roundTrip) else { return }
        guard let (start, bytes) = trip, now - start < roundTrip * 2 else {
            // The first ones, or nothing was to come for a while, which says nothing about the link.
            trip = (now, 0)
            return
        }
        trip = (start, bytes + count)
        guard now - start >= roundTrip else { return }
        trips = trips.suffix(Self.watched - 1) + [Double(bytes + count) * (roundTrip / (now - start))]
        trip = (now, 0)
    }

    /// Whether even the least window takes longer to come, by 1 Gbit/s, than the way there and back does.
    static func isLong(roundTrip: Duration) -> Bool { roundTrip <= .milliseconds(8) }

    /// How many bytes are on their way at once on a link that is filled.
    private static func flight(_ roundTrip: Duration) -> Double { rate * (roundTrip / .seconds(1)) }
}
