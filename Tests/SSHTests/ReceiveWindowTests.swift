import Testing

@testable import SSH

/// How far a sender may run ahead, on links of any length.
@Suite struct ReceiveWindowTests {
    /// Simulates a reader that gets as much as window and link allow, for a second and a half.
    private func window(roundTrip: Duration, rate: Double, channels: Int = 1) -> ReceiveWindow {
        var now = ContinuousClock.now
        var window = ReceiveWindow(channels: channels, at: now)
        for _ in 0..<150 {
            now += .milliseconds(10)
            let bytes = min(rate, Double(window.size) / (roundTrip / .seconds(1))) * 0.01
            window.take(Int(bytes), at: now, roundTrip: roundTrip, channels: channels)
        }
        return window
    }

    @Test func fillsALongLinkAndDoesNotQueueMoreThanAnotherRoundTrip() {
        let inFlight = 100e6 * 0.05
        let size = Double(window(roundTrip: .milliseconds(50), rate: 100e6).size)
        #expect(size >= inFlight * 1.2)
        #expect(size <= inFlight * 2)
    }

    @Test func staysSmallNearby() {
        #expect(window(roundTrip: .microseconds(200), rate: 1e9).size <= 1 << 20)
    }

    @Test func isBoundedOnAnyLink() {
        #expect(window(roundTrip: .milliseconds(300), rate: 1e9).size == ReceiveWindow.largest)
    }

    @Test func manyChannelsShareTheMemory() {
        let size = window(roundTrip: .milliseconds(300), rate: 1e9, channels: 64).size
        #expect(size * 64 <= ReceiveWindow.all)
        #expect(window(roundTrip: .milliseconds(300), rate: 1e9, channels: 100_000).size == ReceiveWindow.smallest)
    }

    @Test func aPauseOfTheSenderDoesNotNarrowIt() {
        var window = window(roundTrip: .milliseconds(50), rate: 100e6)
        let before = window.size
        window.take(1000, at: .now + .seconds(100), roundTrip: .milliseconds(50), channels: 1)
        #expect(window.size == before)
    }
}
