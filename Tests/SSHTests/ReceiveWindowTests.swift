import Testing

@testable import SSH

/// How far a sender may run ahead, on links of any length.
@Suite struct ReceiveWindowTests {
    @Test func fillsALongLinkAndDoesNotQueueMuchMore() {
        let inFlight = 125e6 * 0.05
        let size = Double(ReceiveWindow().size(roundTrip: .milliseconds(50), channels: 1))
        #expect(size >= inFlight * 1.2)
        #expect(size <= inFlight * 2)
    }

    @Test func whatLibsshKeepsIsEnoughNearby() {
        #expect(ReceiveWindow().size(roundTrip: .microseconds(200), channels: 1) <= ReceiveWindow.least / 2)
    }

    @Test func isBoundedOnAnyLink() {
        #expect(ReceiveWindow().size(roundTrip: .seconds(1000), channels: 1) == ReceiveWindow.largest)
    }

    @Test func manyChannelsShareTheMemory() {
        #expect(ReceiveWindow().size(roundTrip: .milliseconds(300), channels: 32) * 32 <= ReceiveWindow.all)
        #expect(ReceiveWindow().size(roundTrip: .milliseconds(300), channels: 100_000) <= ReceiveWindow.least / 2)
    }

    // MARK: What the link turns out to need

    /// A channel over a link of 50 ms, with a time of its own.
    private struct LongLink {
        private let roundTrip = Duration.milliseconds(50)
        private var window = ReceiveWindow()
        private var now = ContinuousClock.now

        var size: Int { window.size(roundTrip: roundTrip, channels: 1) }

        /// For so many round trips, so many bytes come in each, a hundredth at a time.
        mutating func bring(_ bytes: Int, trips: Int) {
            for _ in 0..<trips * 100 {
                now += roundTrip / 100
                window.note(bytes / 100, at: now, roundTrip: roundTrip)
            }
        }

        mutating func pause(_ duration: Duration) { now += duration }
    }

    @Test func aSlowLinkGetsNoLongQueue() {
        var link = LongLink()
        let first = link.size
        link.bring(2_000_000, trips: 3)
        #expect(link.size == first, "TCP has only begun")
        link.bring(2_000_000, trips: 40)
        #expect((2_500_000...3_500_000).contains(link.size))
    }

    @Test func whatLibsshKeepsIsEnoughOnTheSlowest() {
        var link = LongLink()
        link.bring(400_000, trips: 40)
        #expect(link.size <= ReceiveWindow.least / 2)
    }

    @Test func whatFillsTheWindowMakesItGrow() {
        var link = LongLink()
        let first = link.size
        link.bring(1_500_000, trips: 40)
        #expect(link.size < first / 2)
        for _ in 0..<8 { link.bring(link.size * 7 / 8, trips: 2) }
        #expect(link.size == first)
    }

    @Test func pausesSayNothingAboutTheLink() {
        var link = LongLink()
        link.bring(4_000_000, trips: 40)
        let before = link.size
        for _ in 0..<100 {
            link.pause(.seconds(1))
            link.bring(100_000, trips: 1)
        }
        #expect(link.size == before)
    }
}
