import Testing

@testable import ClusterTools

struct ReconnectionTests {
    private func connected() -> Reconnection {
        var reconnection = Reconnection()
        let wasLost = reconnection.succeeded()
        #expect(!wasLost)
        return reconnection
    }

    /// What follows on the same trouble, time after time.
    private func actions(
        _ reconnection: inout Reconnection, _ trouble: Reconnection.Trouble, times: Int = 1, wasOfUse: Bool = false,
        canAsk: Bool = true
    ) -> [Reconnection.Action] {
        (0..<times).map { _ in reconnection.failed(trouble, wasOfUse: wasOfUse, canAsk: canAsk) }
    }

    private func retries(_ seconds: Double...) -> [Reconnection.Action] {
        seconds.map { .retry(after: .microseconds(Int($0 * 1_000_000))) }
    }

    @Test func whatNeverWorkedIsNotTriedAgain() {
        var reconnection = Reconnection()
        let answers = actions(&reconnection, .link) + actions(&reconnection, .personNeeded)
        #expect(answers == [.giveUp, .giveUp])
    }

    @Test func aLostLinkIsTriedAgainAtOnceAndThenLessOften() {
        var reconnection = connected()
        let answers = actions(&reconnection, .link, wasOfUse: true) + actions(&reconnection, .link, times: 30)
        #expect(Array(answers.prefix(5)) == retries(0.1, 0.5, 0.75, 1.125, 1.6875))
        #expect(answers.last == .retry(after: .seconds(30)))
        #expect(reconnection.isDown)
        let wasLost = reconnection.succeeded()
        #expect(wasLost)
        #expect(!reconnection.isDown)
    }

    /// A host that lets us in and hangs up at once is not to be hammered.
    @Test func onlyAConnectionThatWasOfUseBringsShortPausesBack() {
        var reconnection = connected()
        var answers = actions(&reconnection, .link)
        _ = reconnection.succeeded()
        answers += actions(&reconnection, .link)
        _ = reconnection.succeeded()
        answers += actions(&reconnection, .link, wasOfUse: true)
        _ = reconnection.succeeded()
        answers += actions(&reconnection, .link)
        #expect(answers == retries(0.5, 1, 0.1, 0.5))
    }

    @Test func aNetworkThatIsBackBringsShortPausesBack() {
        var reconnection = connected()
        _ = actions(&reconnection, .link, times: 50)
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
