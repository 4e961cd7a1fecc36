import IO
import Testing

@testable import ClusterTools

@Suite(.timeLimit(.minutes(1))) struct WaitingTests {
    @Test func aPaceSlowsDownToItsLimitAndQuickens() {
        var pace = Pace(first: .seconds(1), limit: .seconds(3), factor: 2)
        #expect((0..<4).map { _ in pace.next() } == [1, 2, 3, 3].map { Duration.seconds($0) })
        pace.quicken()
        #expect(pace.next() == .seconds(1))
    }

    @Test func aPauseThatGrowsByATenthIsATenthOfWhatHasGoneByAtMost() {
        var pace = Pace(first: .milliseconds(100), limit: .seconds(1))
        pace.factor = 1.1
        var elapsed = Duration.zero
        while elapsed < .seconds(60) {
            let pause = pace.next()
            // Rounding is none of its business.
            #expect(pause <= min(.seconds(1), elapsed / 10 + .milliseconds(100)) + .microseconds(1))
            elapsed += pause
        }
    }

    @Test func aPulseEndsThePresentPauseOrTheNext() async throws {
        let pulse = Pulse()
        async let pause: Void = pulse.pause(for: .seconds(3600))
        try await Task.sleep(for: .milliseconds(20))
        pulse.fire()
        try await pause
        pulse.fire()
        try await pulse.pause(for: .seconds(3600))
        let clock = ContinuousClock()
        let elapsed = try await clock.measure { try await pulse.pause(for: .milliseconds(50)) }
        #expect(elapsed >= .milliseconds(50))
    }

    @Test func aCancelledPauseSaysSo() async throws {
        let pulse = Pulse()
        let task = Task { try await pulse.pause(for: .seconds(3600)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func aMailboxLosesNothing() async throws {
        let mailbox = Mailbox<Int>()
        let taker = Task { try await mailbox.take() }
        taker.cancel()
        await #expect(throws: CancellationError.self) { try await taker.value }
        for number in 0..<100 { mailbox.post(number) }
        for number in 0..<100 { #expect(try await mailbox.take() == number) }
    }

    @Test func aBeaconWakesWhoWaitsForItsValue() async throws {
        let beacon = Beacon<Int?>(nil)
        async let first = beacon.first { $0.flatMap { $0 > 1 ? $0 : nil } }
        beacon.set(1)
        beacon.set(2)
        #expect(try await first == 2)
    }

    @Test func aBoundedQueueHoldsItsMakerBack() async throws {
        let queue = BoundedQueue<Int>(capacity: 2)
        async let maker = onThread {
            defer { queue.finish() }
            return (0..<50).allSatisfy { queue.put($0) }
        }
        for number in 0..<50 { #expect(try await queue.take() == number) }
        #expect(try await queue.take() == nil)
        #expect(try await maker)
    }

    @Test func anAbandonedQueueLetsItsMakerGo() async throws {
        let queue = BoundedQueue<Int>(capacity: 1)
        async let refused = onThread { (0..<50).first { !queue.put($0) } }
        _ = try await queue.take()
        queue.abandon()
        #expect(try await refused != nil)
    }
}
