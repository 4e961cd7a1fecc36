import Slurm
import Testing

@testable import ClusterTools

@Suite struct JobStatusTests {
    private let now = 10_000

    private func line(_ state: String, id: String = "42", reason: String = "None", start: String = "N/A") throws
        -> QueueLine
    {
        try QueueLine("\(id)|\(state)|\(reason)|n1|n1|\(start)|N/A|1:00|2:00|debug")
    }

    private func report(
        _ queue: [QueueLine] = [], problem: String? = nil, files: [String] = [], tasks: [String] = [],
        isGone: Bool = false
    ) -> JobReport {
        JobReport(
            queue: queue, queueProblem: problem, files: StateFiles(lines: files),
            tasks: tasks.compactMap(TaskFiles.init(line:)), isRunFolderGone: isGone)
    }

    private func status(_ report: JobReport, of job: Job = .example()) -> JobStatus {
        JobStatus(of: job, report: report, now: now)
    }

    private func words(_ report: JobReport, of job: Job = .example()) -> String {
        status(report, of: job).words(of: job, now: now)
    }

    // MARK: The record alone

    @Test func aRecordOfAnEndNeedsNoCluster() {
        var job = Job.example()
        #expect(JobStatus(record: job) == nil)
        job.end(Ending(cause: .finished, status: 3), at: 9_940)
        #expect(JobStatus(record: job)?.words(of: job, now: now) == "ended with exit status 3, 1 min ago")
    }

    @Test func aSubmissionWithoutAnswerIsSaidToBeOne() {
        let job = Job.example(token: "abc", id: nil)
        #expect(
            JobStatus(record: job)?.words(of: job, now: now)
                == "submitting, or its answer was lost: cluster attach abc finds out")
        var incomplete = Job.example()
        incomplete.run = nil
        #expect(JobStatus(record: incomplete) == .unknown(why: "its record is incomplete"))
    }

    // MARK: The queue and the files

    @Test func waiting() throws {
        #expect(words(report([try line("PENDING", reason: "Priority")])) == "queued: other jobs come first")
        #expect(words(report([try line("PENDING")])) == "queued: waiting")
    }

    @Test func running() throws {
        let files = ["state running", "node fc1", "start 9000"]
        #expect(words(report([try line("RUNNING")], files: files)) == "running 2 min on fc1")
        #expect(words(report([try line("SUSPENDED")], files: files)) == "suspended 2 min on fc1")
        #expect(words(report([try line("CONFIGURING")])) == "its nodes are starting 2 min on n1")
    }

    @Test func lingering() throws {
        let files = ["state lingering", "node n1", "start 1", "exit 3", "lingered 5"]
        #expect(
            words(report([try line("RUNNING")], files: files)) == "ended with exit status 3, TensorBoard is up on n1")
    }

    @Test func anEndThatTheQueueHasNotSeenYet() throws {
        let good = ["state ended", "start 1", "exit 0", "end 9999"]
        #expect(
            status(report([try line("RUNNING")], files: good))
                == .ended(Ending(cause: .finished, status: 0, state: "COMPLETED"), at: 9999, isCertain: true))
        // By itself, or ended from outside: only the queue knows.
        let bad = ["state ended", "start 1", "exit 143", "signal TERM", "end 9999"]
        #expect(status(report([try line("RUNNING")], files: bad)) == .ending)
        #expect(status(report([try line("COMPLETING")], files: bad)) == .ending)
        #expect(words(report([try line("TIMEOUT")], files: bad)) == "ran into its time limit, 1 s ago")
        #expect(words(report([try line("CANCELLED")], files: bad)) == "was cancelled, 1 s ago")
    }

    @Test func aJobThatWasForgottenIsKnownByItsFiles() {
        #expect(words(report(files: ["start 1", "exit 3", "end 9940"])) == "ended with exit status 3, 1 min ago")
        #expect(words(report(files: ["start 1"])) == "was killed")
        #expect(
            status(report()) == .unknown(why: "the queue has forgotten it, and its folder says nothing of its end"))
    }

    @Test func aJobThatStartsAgainHasOldFiles() throws {
        let old = ["state ended", "start 1", "exit 0", "end 500"]
        #expect(words(report([try line("RUNNING", start: "600")], files: old)) == "running 2 min on n1")
        #expect(
            words(report([try line("PENDING", reason: "BeginTime")], files: old))
                == "queued: its start time has not come")
    }

    @Test func filesThatMayBeLateProveNothing() throws {
        guard case .ended(_, _, let isCertain) = status(report([try line("FAILED")], files: ["start 1"])) else {
            Issue.record("not ended")
            return
        }
        #expect(!isCertain)
    }

    @Test func aRunFolderThatIsGone() throws {
        #expect(words(report([try line("RUNNING")], isGone: true)) == "running 2 min on n1")
        #expect(words(report([try line("COMPLETED")], isGone: true)) == "ended with exit status 0")
        #expect(status(report(isGone: true)) == .unknown(why: "the queue has forgotten it, and its run folder is gone"))
    }

    @Test func aQueueThatCannotBeAsked() {
        let running = report(problem: "slurm_load_jobs error", files: ["start 1", "state running"])
        #expect(status(running) == .unknown(why: "the queue cannot be asked: slurm_load_jobs error"))
        let ended = report(problem: "down", files: ["start 1", "exit 0", "end 9"])
        #expect(status(ended) == .ended(Ending(cause: .finished, status: 0), at: 9, isCertain: false))
    }

    @Test func aStateThatNobodyKnows() throws {
        #expect(
            status(report([try line("DANCING")]))
                == .unknown(why: "the queue has a state for it that is not known here: DANCING"))
    }

    // MARK: Arrays

    @Test func anArrayIsWhatItsTasksAre() throws {
        let array = Job.example(isArray: true)
        let one = try [line("COMPLETED", id: "42_0"), line("RUNNING", id: "42_1"), line("PENDING", id: "42_[2-9]")]
        #expect(
            words(report(one, tasks: ["0|n1|ended|0", "1|n2|running|"]), of: array)
                == "running 2 min: 1 run, 8 wait, 1 ended")
        let all = report(tasks: ["0|n1|ended|0", "1|n2|ended|4"])
        #expect(words(all, of: array) == "ended with exit status 4")
    }

    @Test func linesOfTheQueueReachTheirJobs() throws {
        let array = Job.example(token: "aaa", id: "7", isArray: true)
        let task = array.taskOfArray(2)
        let other = Job.example(token: "bbb", id: "8")
        let superseded = Job.example(token: "ccc", id: "8")
        var answer = Answer()
        let queue = ["7_1|RUNNING", "7_[2-4]|PENDING", "8|RUNNING"].map { "\($0)|None|n1|n1|N/A|N/A|1:00|2:00|debug" }
        answer.lines = queue.map { ("queue", $0) }
        for job in [array, task, other, superseded] { answer.lines.append(("job", job.key)) }
        answer.lines.append(("missing", "/scratch/ccc"))
        let reports = JobReport.all(
            in: answer, about: [(array, false), (task, false), (other, false), (superseded, true)])
        #expect(reports[array.key]?.queue.count == 2)
        #expect(reports[task.key]?.queue.map(\.state) == [.pending])
        #expect(reports[other.key]?.queue.map(\.state) == [.running])
        #expect(reports[superseded.key]?.queue == [])
        #expect(reports[superseded.key]?.isRunFolderGone == true)
    }

    // MARK: The record afterwards

    @Test func whatIsLearntIsWrittenDown() {
        var job = Job.example()
        job.learn(.running(state: .running, node: "n1", elapsed: 120, tasks: nil), now: 100)
        #expect(job.seen == .init(words: "running on n1", at: 100))
        job.learn(.running(state: .running, node: "n1", elapsed: 130, tasks: nil), now: 110)
        #expect(job.seen?.at == 100)
        job.learn(.unknown(why: "no answer"), now: 200)
        #expect(
            JobStatus.unknown(why: "no answer").words(of: job, now: 220)
                == "unknown: no answer; 2 min ago: running on n1")
        job.learn(.ended(Ending(cause: .lost), at: nil, isCertain: false), now: 300)
        #expect(job.phase == .submitted)
        job.learn(.ended(Ending(cause: .cancelled), at: nil, isCertain: true), now: 300)
        #expect(job.phase == .ended)
        #expect(job.ended == 300)
    }
}
