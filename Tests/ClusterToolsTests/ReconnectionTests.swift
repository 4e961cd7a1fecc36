import Testing

@testable import ClusterTools

struct ReconnectionTests {
    private let start = ContinuousClock.now

    private func connected() -> Reconnection {
        var reconnection = Reconnection()
        let wasLost = reconnection.succeeded(now: start)
        #expect(!wasLost)
        return reconnection
    }

    /// What follows on the same trouble, time after time, a minute after the connection was made.
    private func actions(
        _ reconnection: inout Reconnection, _ trouble: Reconnection.Trouble, times: Int = 1, canAsk: Bool = true,
        after seconds: Int = 60
    ) -> [Reconnection.Action] {
        (0..<times).map { _ in reconnection.failed(trouble, canAsk: canAsk, now: start + .seconds(seconds)) }
    }

    private func retries(_ seconds: Double...) -> [Reconnection.Action] {
        seconds.map { .retry(after: .milliseconds(Int($0 * 1000))) }
    }

    @Test func whatNeverWorkedIsNotTriedAgain() {
        var reconnection = Reconnection()
        let answers = actions(&reconnection, .link) + actions(&reconnection, .personNeeded)
        #expect(answers == [.giveUp, .giveUp])
    }

    @Test func aLostLinkIsTriedAgainSoonAndThenLessOften() {
        var reconnection = connected()
        let answers = actions(&reconnection, .link, times: 8)
        #expect(answers == retries(0.5, 1, 2, 4, 8, 16, 30, 30))
        #expect(reconnection.isDown)
        let wasLost = reconnection.succeeded()
        #expect(wasLost)
        #expect(!reconnection.isDown)
    }

    /// A host that lets us in and hangs up at once is not to be hammered.
    @Test func onlyAConnectionThatLastsBringsShortPausesBack() {
        var reconnection = connected()
        var answers = actions(&reconnection, .link, after: 0)
        _ = reconnection.succeeded(now: start + .seconds(1))
        answers += actions(&reconnection, .link, after: 2)
        _ = reconnection.succeeded(now: start + .seconds(3))
        answers += actions(&reconnection, .link, after: 63)
        #expect(answers == retries(0.5, 1, 0.5))
    }

    @Test func aNetworkThatIsBackBringsShortPausesBack() {
        var reconnection = connected()
        _ = actions(&reconnection, .link, times: 5)
        reconnection.encourage()
        let answers = actions(&reconnection, .link)
        #expect(answers == retries(0.5))
    }

    @Test func aRefusalIsTriedSeldom() {
        var reconnection = connected()
        let answers = actions(&reconnection, .refusal, times: 6)
        #expect(answers == retries(30, 60, 120, 240, 300, 300))
    }

    @Test func aLoginThatNeedsAPersonWaitsForThePerson() {
        var reconnection = connected()
        let answers =
            actions(&reconnection, .personNeeded) + actions(&reconnection, .personNeeded, canAsk: false)
        #expect(answers == [.waitForUser, .giveUp])
    }
}
