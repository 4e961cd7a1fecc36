/// How many bytes the server may send on a channel before they are read.
///
/// It bounds the throughput to this much in a round trip. But what it may send and nobody can take yet lies in queues, where
/// everything else that the session carries has to wait behind it, and in our memory. So it is as large as a quick link needs it
/// to be, which depends on how far away the server is, and no larger. It is chosen once, when the channel opens: libssh2 itself
/// keeps it at that, and counts wrongly when others adjust it while keys are exchanged.
enum ReceiveWindow {
    /// What no server is too near for, in bytes: it keeps both sides busy.
    static let least = 128 << 10
    static let largest = 16 << 20
    /// Of all channels of a session together, as long as there are not very many: it bounds their memory.
    static let all = 64 << 20
    /// What a link is taken for, in bytes a second. One core decrypts about as much.
    private static let rate = 120e6

    /// - Parameters:
    ///   - roundTrip: to the server and back, with nothing in the way.
    ///   - channels: how many there will be in the session.
    static func size(roundTrip: Duration, channels: Int) -> Int {
        let flight = rate * (roundTrip / .seconds(1))
        let wanted = least + Int(min(flight, Double(largest)))
        return min(wanted, largest, max(least, all / max(1, channels)))
    }
}
