/// A job's state in Slurm's own word. One that is not known here stays what it is.
public struct JobState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// Where a job stands.
    public enum Phase: Sendable {
        /// It waits, for the first time or again.
        case pending
        /// It has its nodes.
        case running
        /// Its processes end; how it ended is not known yet.
        case ending
        case ended
        /// The state is none that is known here.
        case unknown
    }

    /// How a job ended, as far as Slurm can tell.
    public enum Outcome: Sendable, Hashable {
        case completed
        /// The script ended with another status than 0.
        case failed
        case cancelled
        case timedOut
        case outOfMemory
        case nodeFailed
        case preempted
        /// Its nodes did not start.
        case bootFailed
        /// It could not have ended before its deadline.
        case missedDeadline
        /// Another cluster of the federation took it.
        case revoked
    }

    public static let pending = JobState(rawValue: "PENDING")
    public static let running = JobState(rawValue: "RUNNING")
    public static let configuring = JobState(rawValue: "CONFIGURING")
    public static let completing = JobState(rawValue: "COMPLETING")
    public static let completed = JobState(rawValue: "COMPLETED")
    public static let failed = JobState(rawValue: "FAILED")
    public static let cancelled = JobState(rawValue: "CANCELLED")
    public static let timeout = JobState(rawValue: "TIMEOUT")
    public static let outOfMemory = JobState(rawValue: "OUT_OF_MEMORY")
    public static let nodeFail = JobState(rawValue: "NODE_FAIL")
    public static let preempted = JobState(rawValue: "PREEMPTED")

    /// Not Slurm's: a job without a scheduler was lost to a restart of its machine.
    public static let hostRestarted = JobState(rawValue: "HOST_RESTARTED")

    /// Every state of `job_state_string()` in `src/common/slurm_protocol_defs.c`, and our own.
    private static let known: [String: (phase: Phase, outcome: Outcome?, words: String)] = [
        "PENDING": (.pending, nil, "waiting"),
        "REQUEUED": (.pending, nil, "put back in the queue"),
        "REQUEUE_FED": (.pending, nil, "put back in the queue"),
        "REQUEUE_HOLD": (.pending, nil, "put back in the queue and held"),
        "SPECIAL_EXIT": (.pending, nil, "put back in the queue and held after a special exit"),
        "RESV_DEL_HOLD": (.pending, nil, "held: its reservation was deleted"),
        "EXPEDITING": (.pending, nil, "waiting, next in line"),
        "CONFIGURING": (.running, nil, "its nodes are starting"),
        "RUNNING": (.running, nil, "running"),
        "RESIZING": (.running, nil, "running, changing its size"),
        "SIGNALING": (.running, nil, "running, being signaled"),
        "SUSPENDED": (.running, nil, "suspended"),
        "STOPPED": (.running, nil, "stopped"),
        "COMPLETING": (.ending, nil, "ending"),
        "STAGE_OUT": (.ending, nil, "ending, copying its results"),
        "COMPLETED": (.ended, .completed, "completed"),
        "FAILED": (.ended, .failed, "failed"),
        "CANCELLED": (.ended, .cancelled, "cancelled"),
        "TIMEOUT": (.ended, .timedOut, "reached its time limit"),
        "OUT_OF_MEMORY": (.ended, .outOfMemory, "ran out of memory"),
        "NODE_FAIL": (.ended, .nodeFailed, "lost its node"),
        "PREEMPTED": (.ended, .preempted, "made way for another job"),
        "BOOT_FAIL": (.ended, .bootFailed, "its nodes did not start"),
        "DEADLINE": (.ended, .missedDeadline, "missed its deadline"),
        "REVOKED": (.ended, .revoked, "taken by another cluster"),
        "HOST_RESTARTED": (.ended, .nodeFailed, "lost to a restart of its machine"),
    ]

    public var phase: Phase { Self.known[rawValue]?.phase ?? .unknown }
    /// How the job ended; nothing while it has not, or the state is not known.
    public var outcome: Outcome? { Self.known[rawValue]?.outcome }
    public var isPending: Bool { phase == .pending }
    public var isRunning: Bool { phase == .running || phase == .ending }
    public var isEnded: Bool { phase == .ended }

    /// The state in words for a person; an unknown one as it is.
    public var words: String { Self.known[rawValue]?.words ?? rawValue }

    public var description: String { rawValue }
}
