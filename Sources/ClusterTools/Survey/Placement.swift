import Slurm

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Where a job runs at this moment.
struct Placement: Sendable {
    /// The job, or the one task of an array that is meant.
    var job: Job
    /// The run folder.
    var run: String
    /// The scheduler's number by which steps of it are started; nil where there is no scheduler.
    var step: String?
    /// Its nodes, that of its script first. A plain machine is one.
    var nodes: [String]
    /// When its script began, in seconds since 1970 by the worker's clock.
    var start: Int?

    /// The folder of its state files.
    var own: String { "\(run)/job" + (job.task.map { "/\($0)" } ?? "") }

    /// Where its command runs.
    var folder: String {
        let directory = job.plan?.directory ?? ""
        return "\(run)/code" + (directory.isEmpty ? "" : "/" + directory)
    }

    /// Asks the cluster where a job runs. Of an array whose task is not named the first one that runs is meant.
    ///
    /// - Throws: ``Failure`` when it has not started (status 75), or has ended (69).
    static func find(_ job: Job, of profile: Profile, on host: any Host) async throws -> Placement {
        guard let run = job.run else {
            throw Failure(
                Exit.unavailable, "it is not known what became of the submission \(job.title)",
                remedy: "cluster attach \(job.title) finds out")
        }
        return try await Conversation.about(run: run, task: job.task, of: profile, on: host) { conversation, _ in
            var job = job
            if job.isArray, job.task == nil {
                let tasks = try await conversation.ask("tasks").all("task").compactMap(TaskFiles.init(line:))
                let running = tasks.filter { $0.exit == nil && $0.state != "ended" }.map(\.number).min()
                guard let first = running else {
                    throw Failure(
                        tasks.isEmpty ? Exit.temporary : Exit.unavailable, "no task of job \(job.title) runs now")
                }
                job = job.taskOfArray(first)
                _ = try await conversation.ask("task \(first)")
            }
            return try await find(job, run, of: profile, conversation)
        }
    }

    private static func find(
        _ job: Job, _ run: String, of profile: Profile, _ conversation: Conversation
    ) async throws -> Placement {
        var report = JobReport()
        let queue = try await conversation.ask("queue \(job.title)")
        // The files after the queue: they are the newer word.
        let answer = try await conversation.ask("files 0 0 0 0")
        report.queue = queue.queueLines
        report.queueProblem = queue["queue-problem"]
        report.files = StateFiles(lines: answer.all("file"))
        report.isRunFolderGone = answer["missing"] != nil
        let now = Int(time(nil))
        let status = JobStatus(of: job, report: report, now: now)
        switch status {
        case .running, .lingering: break
        case .queued, .submitting:
            throw Failure(Exit.temporary, "job \(job.title) does not run yet", why: status.words(of: job, now: now))
        case .ending, .ended, .unknown:
            throw Failure(
                Exit.unavailable, "job \(job.title) does not run any more", why: status.words(of: job, now: now))
        }
        // The queue says that it runs a moment before its script does. A script of the user's own may say nothing.
        guard ["running", "lingering"].contains(report.files.state) || profile.template != nil else {
            throw Failure(
                Exit.temporary, "job \(job.title) is not where one could look at it",
                why: report.files.state == nil ? "it is about to start" : "it is \(report.files.state ?? "starting")")
        }
        guard profile.scheduler == .slurm else {
            return Placement(job: job, run: run, step: nil, nodes: [report.files.node ?? ""], start: report.files.start)
        }
        let line = report.queue.first { $0.state.isRunning } ?? report.queue.first
        let host = line?.batchHost ?? report.files.node ?? ""
        let others = try line?.nodes.map { try HostList.expand($0, limit: 10_000) } ?? []
        return Placement(
            job: job, run: run, step: report.files.values["jobid"] ?? job.title,
            nodes: [host] + others.filter { $0 != host }, start: report.files.start)
    }
}
