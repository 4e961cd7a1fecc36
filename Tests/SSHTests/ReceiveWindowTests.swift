import Testing

@testable import SSH

/// How far a sender may run ahead, on links of any length.
@Suite struct ReceiveWindowTests {
    @Test func fillsALongLinkAndDoesNotQueueMuchMore() {
        let inFlight = 125e6 * 0.05
        let size = Double(ReceiveWindow.size(roundTrip: .milliseconds(50), channels: 1))
        #expect(size >= inFlight * 1.2)
        #expect(size <= inFlight * 2)
    }

    @Test func isWhatLibsshKeepsNearby() {
        #expect(ReceiveWindow.size(roundTrip: .microseconds(200), channels: 1) == ReceiveWindow.least)
    }

    @Test func isBoundedOnAnyLink() {
        #expect(ReceiveWindow.size(roundTrip: .seconds(1000), channels: 1) == ReceiveWindow.largest)
    }

    @Test func manyChannelsShareTheMemory() {
        #expect(ReceiveWindow.size(roundTrip: .milliseconds(300), channels: 32) * 32 <= ReceiveWindow.all)
        #expect(ReceiveWindow.size(roundTrip: .milliseconds(300), channels: 100_000) == ReceiveWindow.least)
    }
}
