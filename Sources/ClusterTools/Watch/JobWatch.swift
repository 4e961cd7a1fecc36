import IO
import Slurm

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Follows one job until it ends: states, output, cancellation, over as many connections as it takes.
///
/// Who owns what: this actor owns what is known of the job, and outlives connections; ``follow(on:)`` lives as long as one.
actor JobWatch {
    let job: Job
    let id: String
    let run: String
    let profile: Profile
    let console: Console
    let output: OutputFollower
    let tunnel: Tunnel
    let linkUse: LinkUse

    /// What the job's own files said last.
    var files = StateFiles()
    /// How it ended, once that is known.
    var ending: Ending?
    /// The tasks of an array, as they were last seen.
    var tasks: [Int: TaskFiles] = [:]
    /// Those of whose end was told what the scheduler says.
    var endedTasks: Set<Int> = []
    /// Whether its files have said something new since the queue was asked: what others have heard of the queue may be older.
    var isAheadOfQueue = false
    private var announced: String?
    private var isCancelAsked = false
    private let over: @Sendable () -> Void

    /// Fires when the job is to be cancelled.
    let cancelPulse = Pulse()
    /// Fires when the job's files say something that the queue should be asked about.
    let queuePulse = Pulse()
    /// Fires when the files may say more, or output may be there, that nobody would look for soon.
    let filesPulse = Pulse()

    /// - Parameters:
    ///   - job: a job that exists: with its number and its run folder.
    ///   - over: called once, when its end is known.
    init(
        job: Job, id: String, run: String, profile: Profile, console: Console, output: OutputFollower, tunnel: Tunnel,
        linkUse: LinkUse, over: @escaping @Sendable () -> Void
    ) {
        self.job = job
        self.id = id
        self.run = run
        self.profile = profile
        self.console = console
        self.output = output
        self.tunnel = tunnel
        self.linkUse = linkUse
        self.over = over
    }

    // MARK: What the user wants

    var isLingering: Bool { files.state == "lingering" }

    /// Whether what it serves is about to come: it has started, and has said neither where that is nor why there is none.
    var isServiceAwaited: Bool {
        guard let service = job.service, files.start != nil, files.end == nil else { return false }
        return files.address(of: service) == nil && files.boardProblem == nil
    }

    /// Ends the job, as soon as there is a connection.
    func cancel() {
        isCancelAsked = true
        console.report(.cancelling(job: id))
        cancelPulse.fire()
    }

    var wasCancelled: Bool { isCancelAsked }

    func pauseOutput(_ isPaused: Bool) async {
        await output.pause(isPaused)
        if !isPaused { filesPulse.fire() }
    }

    // MARK: What is known

    /// Takes in what the job's files say.
    func take(_ latest: StateFiles) async {
        let earlier = files
        files = latest
        guard latest != earlier else { return }
        isAheadOfQueue = true
        if let offset = latest.outputOffset { await output.begin(at: offset) }
        if latest.restarts > earlier.restarts, earlier.start != nil {
            console.report(.restarted(job: id, times: latest.restarts))
            announced = nil
        }
        switch latest.state {
        case "starting"?, "running"?: announceRunning(on: latest.node ?? "its node")
        case "lingering"? where earlier.state != "lingering":
            console.report(.commandEnded(job: id, status: latest.exit ?? 0))
        default: break
        }
        if let problem = latest.requeueProblem, earlier.requeueProblem == nil {
            console.report(.warning("job \(id) was not put back in the queue: \(problem)"))
        }
        if let problem = latest.boardProblem, earlier.boardProblem == nil { tunnel.refuse(problem) }
        if let service = job.service, let board = latest.address(of: service), let node = latest.node {
            tunnel.offer(
                Board(
                    service: service, port: board.port, secret: board.secret, node: node, loopback: latest.loopback,
                    python: latest.python, jobID: latest.values["jobid"] ?? id))
        }
        if latest.end != nil && earlier.end == nil { queuePulse.fire() }
    }

    /// Takes in what the queue says of it while it has not ended.
    func take(_ line: QueueLine) {
        if line.state.isPending {
            let reason = line.reason.map { QueueReason.words(for: $0) } ?? line.state.words
            announce("queued \(reason)", .queued(job: id, reason: reason, start: line.start.map(Self.words(until:))))
        } else if line.state.phase == .running {
            announceRunning(on: line.batchHost ?? files.node ?? "its node")
        }
    }

    private func announceRunning(on node: String) {
        let waited = files.restarts == 0 ? (files.start ?? time(nil)) - job.submitted : 0
        announce(
            "running on \(node)",
            .running(job: id, node: node, waited: waited >= 5 ? SlurmDuration.words(waited) : nil))
    }

    /// A moment to come, by this machine's clock and time zone.
    private static func words(until moment: Int) -> String {
        var seconds = time_t(moment)
        var local = tm()
        localtime_r(&seconds, &local)
        return SlurmDuration.words(until: moment, now: time(nil), utcOffset: local.tm_gmtoff)
    }

    /// Says something unless it was the last that was said.
    private func announce(_ key: String, _ event: Event) {
        guard announced != key else { return }
        announced = key
        console.report(event)
    }

    /// The job has ended: nothing more will come but what is left of its output.
    func finish(_ ending: Ending) async {
        guard self.ending == nil else { return }
        self.ending = ending
        await output.begin(at: 0)
        over()
        filesPulse.fire()
    }

    /// Says how it ended, after the last of its output.
    func announceEnding(_ ending: Ending) {
        let seconds = files.start.flatMap { start in files.end.map { $0 - start } }
        console.report(
            .ended(
                job: id, ending, node: job.isArray ? nil : files.node, elapsed: seconds.map { SlurmDuration.words($0) })
        )
    }
}
