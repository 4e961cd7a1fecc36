/// How many bytes the server may send on a channel before they are read.
///
/// It bounds the throughput to this much in a round trip. But what it may send and nobody can take yet lies in queues, where
/// everything else that the session carries has to wait behind it, and in our memory. So it is as large as a quick link needs it
/// to be, which depends on how far away the server is, and no larger.
enum ReceiveWindow {
    /// What libssh itself keeps it at, in bytes, or a little less: its WINDOWBASE.
    static let least = 1_280_000
    static let largest = 16 << 20
    /// Of all channels of a session together, as long as there are not very many: it bounds their memory.
    static let all = 64 << 20
    /// What a link is taken for, in bytes a second: one of 1 Gbit/s is filled, with some to spare.
    private static let rate = 160e6

    /// - Parameters:
    ///   - roundTrip: to the server and back, with nothing in the way.
    ///   - channels: how many there are in the session.
    static func size(roundTrip: Duration, channels: Int) -> Int {
        let wanted = Int(min(flight(roundTrip), Double(largest)))
        return max(least, min(wanted, all / max(1, channels)))
    }

    /// Whether even the least window takes longer to come than the way there and back does.
    static func isLong(roundTrip: Duration) -> Bool { flight(roundTrip) <= Double(least) }

    /// How many bytes are on their way at once on a link that is filled.
    private static func flight(_ roundTrip: Duration) -> Double { rate * (roundTrip / .seconds(1)) }
}
