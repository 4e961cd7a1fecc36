import Slurm
import Testing

@testable import ClusterTools

@Suite struct SettlingTests {
    private func files(_ values: [String: String]) -> StateFiles {
        StateFiles(lines: values.map { "\($0) \($1)" })
    }

    private let start = ContinuousClock.now

    @Test func aRunningJobGoesOn() {
        var settling = Settling()
        let verdict = settling.judge(
            state: .running, isKnown: true, files: files(["start": "1"]), isArray: false, now: start)
        #expect(verdict == .goOn)
    }

    @Test func aSuccessNeedsNoSecondWitness() {
        var settling = Settling()
        let verdict = settling.judge(
            state: .completing, isKnown: true, files: files(["exit": "0", "end": "5"]), isArray: false, now: start)
        #expect(verdict == .ended(.completed))
    }

    @Test func aFailureWaitsForTheQueueToSayWhy() {
        var settling = Settling()
        let ended = files(["exit": "143", "signal": "TERM", "end": "5"])
        #expect(settling.judge(state: .running, isKnown: true, files: ended, isArray: false, now: start) == .lookAgain)
        let soon = start + .seconds(1)
        #expect(
            settling.judge(state: .timeout, isKnown: true, files: ended, isArray: false, now: soon) == .ended(.timeout))
    }

    @Test func theQueueIsNotWaitedForWithoutEnd() {
        var settling = Settling()
        let ended = files(["exit": "1", "end": "5"])
        #expect(settling.judge(state: .running, isKnown: true, files: ended, isArray: false, now: start) == .lookAgain)
        let late = start + Settling.patienceForQueue
        #expect(settling.judge(state: .running, isKnown: true, files: ended, isArray: false, now: late) == .ended(nil))
    }

    @Test func filesThatAreLateAreWaitedFor() {
        var settling = Settling()
        let early = files(["start": "1"])
        #expect(settling.judge(state: .failed, isKnown: true, files: early, isArray: false, now: start) == .lookAgain)
        let late = start + Settling.patienceForFiles
        #expect(
            settling.judge(state: .failed, isKnown: true, files: early, isArray: false, now: late) == .ended(.failed))
    }

    @Test func aJobThatIsQueuedAgainHasOldFiles() {
        var settling = Settling()
        let old = files(["exit": "143", "end": "5"])
        #expect(settling.judge(state: .pending, isKnown: true, files: old, isArray: false, now: start) == .goOn)
    }

    @Test func aJobThatRunsAgainHasOldFilesUntilItWritesNewOnes() {
        var settling = Settling()
        let old = files(["start": "1", "exit": "143", "end": "5"])
        #expect(settling.judge(state: .pending, isKnown: true, files: old, isArray: false, now: start) == .goOn)
        #expect(settling.judge(state: .running, isKnown: true, files: old, isArray: false, now: start) == .goOn)
        let new = files(["start": "9", "exit": "0", "end": "11"])
        let verdict = settling.judge(state: .running, isKnown: true, files: new, isArray: false, now: start)
        #expect(verdict == .ended(.completed))
    }

    @Test func anEpilogueTakesItsTime() {
        var settling = Settling()
        let ended = files(["start": "1", "exit": "143", "signal": "TERM", "end": "5"])
        #expect(
            settling.judge(state: .completing, isKnown: true, files: ended, isArray: false, now: start) == .lookAgain)
        let later = start + .seconds(120)
        #expect(
            settling.judge(state: .completing, isKnown: true, files: ended, isArray: false, now: later) == .lookAgain)
    }

    @Test func aQueueThatCannotBeAskedProvesNothing() {
        var settling = Settling()
        let running = files(["start": "1"])
        #expect(settling.judge(state: nil, isKnown: false, files: running, isArray: false, now: start) == .goOn)
        let gone = start + .seconds(3600)
        #expect(settling.judge(state: nil, isKnown: false, files: running, isArray: false, now: gone) == .goOn)
    }

    @Test func aForgottenJobIsSettledByItsFiles() {
        var settling = Settling()
        let ended = files(["exit": "3", "end": "5"])
        #expect(settling.judge(state: nil, isKnown: true, files: ended, isArray: false, now: start) == .ended(nil))
    }
}

@Suite struct EndingTests {
    private func ending(_ state: JobState?, _ values: [String: String]) -> Ending {
        Ending(state: state, files: StateFiles(lines: values.map { "\($0) \($1)" }))
    }

    @Test func theCommandsOwnStatusIsTheJobs() {
        let own = ending(.failed, ["start": "1", "exit": "3", "end": "2"])
        #expect(own.cause == .finished)
        #expect(own.exitStatus == 3)
        #expect(own.description == "ended with exit status 3")
        #expect(ending(.completed, ["exit": "0"]).exitStatus == 0)
        #expect(ending(nil, ["exit": "139", "end": "2"]).description == "ended with exit status 139 (SIGSEGV)")
    }

    @Test(arguments: [
        (JobState.timeout, Ending.Cause.timedOut, Int32(124)), (.outOfMemory, .outOfMemory, 137),
        (.nodeFail, .nodeFailed, 75), (.cancelled, .cancelled, 143), (.preempted, .ended, 75),
    ])
    func whatEndedAJobIsToldApart(state: JobState, cause: Ending.Cause, status: Int32) {
        let ending = ending(state, ["start": "1", "exit": "0", "signal": "TERM", "end": "2"])
        #expect(ending.cause == cause)
        #expect(ending.exitStatus == status)
    }

    @Test func aScriptThatWroteNoEndWasKilled() {
        let killed = ending(.failed, ["start": "1"])
        #expect(killed.cause == .killed)
        #expect(killed.exitStatus == 137)
        #expect(ending(nil, ["start": "1"]).cause == .killed)
    }

    @Test func aTemplateOfOnesOwnWritesNoFiles() {
        #expect(ending(.completed, [:]).exitStatus == 0)
        #expect(ending(.failed, [:]).exitStatus == 1)
        #expect(ending(nil, [:]).cause == .lost)
    }
}
