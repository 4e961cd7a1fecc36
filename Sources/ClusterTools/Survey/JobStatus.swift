import Slurm

/// What is to be said of a job: put together from its record here, the queue, and its own files. A value without I/O.
enum JobStatus: Sendable, Equatable {
    /// Nobody has seen the cluster's answer to its submission.
    case submitting
    /// - Parameter start: when it is expected to start, in seconds since 1970.
    case queued(reason: String, start: Int?)
    /// - Parameters:
    ///   - state: how, in the scheduler's word.
    ///   - elapsed: for how many seconds.
    ///   - tasks: how many of an array's tasks are where.
    case running(state: JobState, node: String?, elapsed: Int?, tasks: TaskCount?)
    /// Its command has ended with this status; its TensorBoard stays up.
    case lingering(status: Int32, node: String?)
    /// It is over, or about to be; how it ended is not known yet.
    case ending
    /// - Parameters:
    ///   - at: in seconds since 1970, where that is known.
    ///   - isCertain: whether no later answer can say otherwise.
    case ended(Ending, at: Int?, isCertain: Bool)
    /// Nobody knows; what was last known is in the record.
    case unknown(why: String)

    /// How many tasks of an array run, wait, and have ended.
    struct TaskCount: Sendable, Equatable {
        var running = 0
        var waiting = 0
        var ended = 0

        init(_ report: JobReport) {
            for line in report.queue {
                var count = 1
                if case .tasks(let set) = line.id.part { count = set.count }
                if line.state.isPending { waiting += count } else if line.state.isRunning { running += count }
            }
            // The queue forgets them one by one; their files stay.
            ended = report.tasks.filter { $0.exit != nil }.count
        }

        var words: String { "\(running) run, \(waiting) wait, \(ended) ended" }
    }

    /// What the record alone says.
    ///
    /// - Returns: nil when the cluster has to be asked.
    init?(record job: Job) {
        switch job.phase {
        case .ended:
            guard let ending = job.ending else {
                self = .unknown(why: "its record does not say how it ended")
                return
            }
            self = .ended(ending, at: job.ended, isCertain: true)
        case .submitting: self = .submitting
        case .submitted:
            guard job.id == nil || job.run == nil else { return nil }
            self = .unknown(why: "its record is incomplete")
        }
    }

    /// What a report says of a job that had not ended by the word of its record.
    init(of job: Job, report: JobReport, now: Int) {
        let state = report.queue.overallState
        let line = report.queue.first { $0.state == state }
        var files = report.files
        if job.isArray { files = StateFiles(of: report.tasks) }
        // A job that was put back in the queue and started again has old files until its script begins.
        let isStale = !job.isArray && files.end.map { end in (line?.start ?? 0) > end } ?? false
        let hasEnded = (job.isArray ? state == nil && files.exit != nil : files.end != nil) && !isStale

        switch state?.phase {
        case .pending?:
            let reason = line?.reason.map { QueueReason.words(for: $0) } ?? state?.words ?? "waiting"
            self = .queued(reason: reason, start: line?.start)
        case .ended?:
            // A network file system may be late with the files that say how.
            let isByItself = state == .completed || state == .failed
            let isCertain = !isByItself || files.exit != nil || files.start == nil && !report.isRunFolderGone
            self = .ended(Ending(state: state, files: files), at: files.end ?? line?.end, isCertain: isCertain)
        case .running?, .ending?:
            if hasEnded {
                // It ended by itself, or the queue is about to say what ended it.
                let isClear = files.exit == 0 && files.signal == nil
                self =
                    isClear ? .ended(Ending(state: .completed, files: files), at: files.end, isCertain: true) : .ending
            } else if files.state == "lingering" {
                self = .lingering(status: files.exit ?? 0, node: files.node)
            } else if state?.phase == .ending {
                self = .ending
            } else {
                self = .running(
                    state: state ?? .running, node: job.isArray ? nil : files.node ?? line?.batchHost,
                    elapsed: line?.timeUsed ?? (job.isArray ? nil : files.start.map { max(0, now - $0) }),
                    tasks: job.isArray ? TaskCount(report) : nil)
            }
        case .unknown?:
            self = .unknown(why: "the queue has a state for it that is not known here: \(state?.rawValue ?? "")")
        case nil:
            if hasEnded {
                self = .ended(
                    Ending(state: nil, files: files), at: files.end, isCertain: report.queueProblem == nil)
            } else if let problem = report.queueProblem {
                self = .unknown(why: "the queue cannot be asked: \(problem)")
            } else if report.isRunFolderGone {
                self = .unknown(why: "the queue has forgotten it, and its run folder is gone")
            } else if files.start != nil {
                self = .ended(Ending(state: nil, files: files), at: nil, isCertain: true)
            } else {
                self = .unknown(why: "the queue has forgotten it, and its folder says nothing of its end")
            }
        }
    }

    /// One word that programs can rely on.
    var word: String {
        switch self {
        case .submitting: "submitting"
        case .queued: "queued"
        case .running: "running"
        case .lingering: "lingering"
        case .ending: "ending"
        case .ended: "ended"
        case .unknown: "unknown"
        }
    }

    /// Whether there may still be something to watch or to cancel.
    var hasEnded: Bool { if case .ended = self { true } else { false } }

    /// In words, for "job 4242 …" and for a table.
    ///
    /// - Parameters:
    ///   - job: the job that it is of.
    ///   - now: the present moment, in seconds since 1970.
    func words(of job: Job, now: Int) -> String {
        switch self {
        case .submitting: return "submitting, or its answer was lost: cluster attach \(job.token) finds out"
        case .queued(let reason, _): return "queued: \(reason)"
        case .running(let state, let node, let elapsed, let tasks):
            return (state == .running ? "running" : state.words) + (elapsed.map { " \(SlurmDuration.words($0))" } ?? "")
                + (node.map { " on \($0)" } ?? "") + (tasks.map { ": \($0.words)" } ?? "")
        case .lingering(let status, let node):
            return "ended with exit status \(status), TensorBoard is up" + (node.map { " on \($0)" } ?? "")
        case .ending: return "ending"
        case .ended(let ending, let moment, _):
            return ending.description + (moment.map { ", \(SlurmDuration.words(now - $0)) ago" } ?? "")
        case .unknown(let why): return "unknown: \(why)" + last(of: job, now: now)
        }
    }

    /// As ``words(of:now:)``, without what a table has no room for, and what is said beside it: why nothing is known.
    func shortWords(of job: Job, now: Int) -> String {
        switch self {
        case .submitting: "submitting (cluster attach settles it)"
        case .unknown: "unknown" + last(of: job, now: now)
        default: words(of: job, now: now)
        }
    }

    /// What was last known.
    private func last(of job: Job, now: Int) -> String {
        job.seen.map { "; \(SlurmDuration.words(now - $0.at)) ago: \($0.words)" } ?? ""
    }
}

extension Job {
    /// How often a sighting that says nothing new is worth writing down, in seconds.
    private static let worthWriting = 60

    /// Takes in what has been learnt of it.
    ///
    /// - Parameter now: the present moment, in seconds since 1970.
    mutating func learn(_ status: JobStatus, now: Int) {
        guard phase == .submitted else { return }
        switch status {
        case .ended(let ending, let moment, isCertain: true): end(ending, at: moment ?? now)
        case .queued, .running, .lingering, .ending:
            if case .running(_, let node?, _, _) = status { self.node = node }
            var words = status.words(of: self, now: now)
            // How long it had run by then is said by the moment.
            if case .running(let state, let node, _, let tasks) = status {
                words = JobStatus.running(state: state, node: node, elapsed: nil, tasks: tasks).words(
                    of: self, now: now)
            }
            if seen?.words != words || (seen?.at ?? 0) + Self.worthWriting <= now {
                seen = Sighting(words: words, at: now)
            }
        case .submitting, .ended, .unknown: break
        }
    }
}
