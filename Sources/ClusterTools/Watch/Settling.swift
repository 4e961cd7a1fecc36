import Slurm

/// Decides when a job has ended, from what the queue says and from what the job's own files say. A value without I/O.
///
/// Neither is enough alone: the queue knows why a job was ended, forgets it after a while, and never knows the command's exit
/// status; the files know the status, appear late on a network file system, and not at all when the node died.
struct Settling {
    enum Verdict: Equatable {
        /// It has not ended.
        case goOn
        /// It has ended, or is about to; one of the two has not said so yet.
        case lookAgain
        /// It has ended, in this state of the queue, if the queue still knows it.
        case ended(JobState?)
    }

    /// How long the job's files are waited for when the queue says that it has ended by itself.
    static let patienceForFiles: Duration = .seconds(5)
    /// How long a queue that still says otherwise is waited for when the files say that the job has ended.
    static let patienceForQueue: Duration = .seconds(10)
    /// As ``patienceForQueue``, when the queue says that the job is ending: a site's epilogue takes its time.
    static let patienceForEpilogue: Duration = .seconds(600)

    private var waitingSince: ContinuousClock.Instant?
    /// The start of a run that was put back in the queue: until there is another start, the files speak of that one.
    private var requeuedStart: Int?

    /// - Parameters:
    ///   - state: what the queue says; nil when it does not know the job.
    ///   - isKnown: whether the queue could be asked.
    ///   - files: what the job says of itself; of an array what its tasks do, without an end.
    mutating func judge(
        state: JobState?, isKnown: Bool, files: StateFiles, isArray: Bool, now: ContinuousClock.Instant = .now
    ) -> Verdict {
        guard isKnown else {
            return files.end == nil ? goOn() : wait(Self.patienceForQueue, from: now, then: nil)
        }
        guard let state else {
            if files.end != nil || isArray { return .ended(nil) }
            return wait(Self.patienceForFiles, from: now, then: nil)
        }
        if state.isEnded {
            let isByItself = state == .completed || state == .failed
            if isByItself && files.exit == nil { return wait(Self.patienceForFiles, from: now, then: state) }
            return .ended(state)
        }
        if state.isPending { requeuedStart = files.start }
        let isOld = requeuedStart != nil && files.start == requeuedStart
        guard files.end != nil, !state.isPending, !isOld, !isArray else { return goOn() }
        if files.exit == 0 && files.signal == nil { return .ended(.completed) }
        // It ended badly: only the queue knows whether by itself or from outside.
        let patience = state.phase == .ending ? Self.patienceForEpilogue : Self.patienceForQueue
        return wait(patience, from: now, then: nil)
    }

    private mutating func goOn() -> Verdict {
        waitingSince = nil
        return .goOn
    }

    private mutating func wait(
        _ patience: Duration, from now: ContinuousClock.Instant, then state: JobState?
    ) -> Verdict {
        let since = waitingSince ?? now
        waitingSince = since
        return now - since < patience ? .lookAgain : .ended(state)
    }
}
