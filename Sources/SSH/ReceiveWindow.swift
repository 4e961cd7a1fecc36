/// How many bytes the server may send on a channel before they are read.
///
/// What it may send and nobody can take yet lies in queues, where everything else that the session carries has to wait behind
/// it. So a channel may send what fills the link for somewhat more than one round trip at the rate that it is really read
/// at: then the link is never idle, and a small answer beside a download comes within twice its usual time. A fixed window
/// is too small far away, or too large nearby.
///
/// A pure value: it is told what happens, and when.
struct ReceiveWindow {
    typealias Instant = ContinuousClock.Instant

    /// Of a channel that reads little.
    static let usual = 512 << 10
    /// With more than this nobody reads faster: 320 MB/s over 50 ms.
    static let largest = 16 << 20
    /// Of a channel among very many.
    static let smallest = 64 << 10
    /// Of all channels of a session together, as long as there are not very many: it bounds their memory.
    static let all = 64 << 20

    /// More than one, so that it grows where it is what limits the rate; less than two for the sake of the others.
    private static let gain = 1.75
    /// What passes in a shorter time tells nothing of a rate.
    private static let period = Duration.milliseconds(20)

    private(set) var size: Int
    private var since: Instant
    private var taken = 0
    /// Bytes a second: the highest of late.
    private var rate = 0.0

    /// - Parameter channels: how many there are in the session.
    init(channels: Int, at now: Instant) {
        size = min(ReceiveWindow.usual, ReceiveWindow.share(channels))
        since = now
    }

    private static func share(_ channels: Int) -> Int { max(smallest, all / max(1, channels)) }

    /// Somebody has read.
    ///
    /// - Parameter roundTrip: to the server and back, with nothing in the way.
    mutating func take(_ count: Int, at now: Instant, roundTrip: Duration, channels: Int) {
        taken += count
        let elapsed = now - since
        let period = max(roundTrip, ReceiveWindow.period)
        guard elapsed >= period else { return }
        // Nobody had anything to send for a while: that says nothing of how fast it could be.
        if elapsed < period * 4 { rate = max(Double(taken) / (elapsed / .seconds(1)), rate * 0.9) }
        since = now
        taken = 0
        let flight = ReceiveWindow.gain * rate * (roundTrip / .seconds(1))
        let wanted = ReceiveWindow.usual + Int(min(flight, Double(ReceiveWindow.largest)))
        size = min(wanted, ReceiveWindow.largest, ReceiveWindow.share(channels))
    }
}
