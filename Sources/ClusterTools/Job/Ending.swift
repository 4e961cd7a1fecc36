import Slurm

/// How a job ended.
public struct Ending: Sendable, Equatable {
    public enum Cause: String, Sendable, CaseIterable {
        /// The command ended by itself.
        case finished
        /// A signal ended the command or the job, and nobody says why.
        case killed
        case timedOut
        case outOfMemory
        case nodeFailed
        case cancelled
        /// The scheduler ended it for another reason, such as a deadline or preemption.
        case ended
        /// It left no trace of its end.
        case lost
    }

    public var cause: Cause
    /// The command's own exit status (128 + n for signal n), when it had one.
    public var status: Int32?
    /// The state in the scheduler's words, where it gave one.
    public var state: String?
    /// What the job script said about a command that could not start.
    public var problem: String?

    /// The status that submit exits with: the command's own when it ended by itself, else one that tells the causes apart.
    public var exitStatus: Int32 {
        switch cause {
        case .finished: status ?? 0
        case .killed: status ?? 137
        case .timedOut: 124
        case .outOfMemory: 137
        case .nodeFailed: Exit.temporary
        case .cancelled: 143
        case .ended: Exit.temporary
        case .lost: Exit.unavailable
        }
    }

    /// In words, for "job 4242 …".
    public var description: String {
        switch cause {
        case .finished:
            if let problem { return "did not start its command: \(problem)" }
            guard let status, status > 128, let signal = signalName(status - 128) else {
                return "ended with exit status \(status ?? 0)"
            }
            return "ended with exit status \(status) (\(signal))"
        case .killed: return "was killed" + (status.flatMap { signalName($0 - 128) }.map { " by \($0)" } ?? "")
        case .timedOut: return "ran into its time limit"
        case .outOfMemory: return "ran out of memory"
        case .nodeFailed where state == JobState.hostRestarted.rawValue: return "was lost to a restart of its machine"
        case .nodeFailed: return "was ended by a failure of its node"
        case .cancelled: return "was cancelled"
        case .ended: return "was ended by the scheduler (\(state ?? "unknown state"))"
        case .lost: return "is gone, and left no word of its end"
        }
    }
}

extension Ending {
    /// Puts together what the queue says and what the job's own files say.
    ///
    /// - Parameters:
    ///   - state: the state in the queue, or nil when the queue no longer knows the job.
    ///   - files: the job's own state files.
    init(state: JobState?, files: StateFiles) {
        let status = files.exit
        self.status = status
        self.state = state?.rawValue
        problem = files.problem
        if files.hasLingered && status != nil {
            // Only TensorBoard was ended, by the user or the time limit.
            cause = .finished
            return
        }
        switch state?.outcome {
        case .timedOut: cause = .timedOut
        case .outOfMemory: cause = .outOfMemory
        case .nodeFailed, .bootFailed: cause = .nodeFailed
        case .cancelled: cause = .cancelled
        case .preempted, .missedDeadline, .revoked: cause = .ended
        case .completed: cause = .finished
        case .failed, nil:
            if status != nil {
                // Without the queue's word a command that got TERM and died of it was ended from outside.
                cause = state == nil && files.signal == "TERM" && status == 143 ? .killed : .finished
            } else if files.start != nil {
                // The script had no time to write down how it ended.
                cause = .killed
            } else {
                // A script of the user's own, which writes no state files.
                cause = state == nil ? .lost : .finished
                self.status = state == nil ? nil : 1
            }
        }
    }
}

/// The name of a signal that ends processes, such as `SIGKILL`.
private func signalName(_ number: Int32) -> String? {
    let names: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
        11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
    ]
    return names[number]
}
