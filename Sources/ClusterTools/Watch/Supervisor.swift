import IO
import SSH

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Takes one job from its submission, or from wherever it is, to its end or to the user's leave.
///
/// Five tasks live as long as it runs: the work over the link, the signals, the questions, the tunnel, the browser. One more
/// makes the submission ready, beside the first login. Who owns what: this actor owns how far the submission has come; the job's
/// progress is ``JobWatch``'s.
actor Supervisor {
    /// What is to be done.
    enum Errand: Sendable {
        /// Submit, and watch unless the job is to be left alone.
        case submit(Preparation, detach: Bool)
        /// Watch a job that exists.
        /// - Parameter tail: how many lines of each stream's past to show; nil for all.
        case attach(Job, tail: Int?)
    }

    /// How it ended, for the status of the process.
    enum Outcome: Sendable {
        case ended(Ending, wasCancelledHere: Bool)
        case detached
        case interrupted(Interrupts.Signal)
    }

    /// What a signal means now.
    private enum Stage {
        /// Nothing is on the cluster: leave at once.
        case preparing
        /// A submission is under way: take it back.
        case submitting(Submitter)
        /// There is a job: ask.
        case watching
        /// It has ended, like this, and its results come: leave the rest of them.
        case fetching(Job, Outcome)
    }

    private let connector: Connector
    private let console: Console
    private let keyboard: Keyboard
    private let interrupts: Interrupts
    private let recorder: JobRecorder
    private let loop: PollLoop
    private let tunnel: Tunnel
    private let visit: BrowserVisit?
    private let questions = Mailbox<Questioner.Message>()
    private let watch = Beacon<JobWatch?>(nil)
    private let retryLogin = Pulse()
    private let linkUse = LinkUse()

    private let prepared = Beacon<Submission?>(nil)
    private var submitter: Submitter?
    private var stage = Stage.preparing

    /// - Parameters:
    ///   - service: what the job serves.
    ///   - visit: leads a browser there; nil for the address alone.
    init(
        connector: Connector, console: Console, keyboard: Keyboard, interrupts: Interrupts, store: JobStore,
        loop: PollLoop, service: WebService? = .tensorboard, visit: BrowserVisit? = nil
    ) {
        self.visit = visit
        self.connector = connector
        self.console = console
        self.keyboard = keyboard
        self.interrupts = interrupts
        recorder = JobRecorder(store: store, console: console)
        self.loop = loop
        tunnel = Tunnel(to: service ?? .tensorboard, console: console, loop: loop)
    }

    func run(_ errand: Errand) async throws -> Outcome {
        try await withThrowingTaskGroup(of: Outcome?.self) { group in
            if case .submit(let preparation, _) = errand {
                // When it fails, whatever the login is at ends with it.
                group.addTask { [prepared] in
                    prepared.set(try await preparation.submission())
                    return nil
                }
            }
            group.addTask { try await self.work(at: errand) }
            group.addTask { try await self.heedSignals() }
            group.addTask { try await self.askQuestions() }
            group.addTask {
                try await self.serveTunnel()
                return nil
            }
            group.addTask {
                try await self.showPage()
                return nil
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw CancellationError()
        }
    }

    // MARK: The tasks

    private func work(at errand: Errand) async throws -> Outcome? {
        let link = Link(
            connector: connector, console: console, retry: retryLogin, use: linkUse, loop: loop
        ) { [questions, watch] in
            // Before there is a job there is nothing to ask about it.
            guard watch.value != nil else { return false }
            switch $0 {
            case .lost: questions.post(.linkLost)
            case .back: questions.post(.linkBack)
            case .needsUser: questions.post(.loginNeeded)
            }
            return true
        }
        do {
            return try await link.keep { host in try await self.work(at: errand, on: host) }
        } catch  where !(error is CancellationError) {
            if case .fetching(let job, let outcome) = stage {
                // How the job ended is known.
                console.report(
                    .warning(
                        "the results of job \(job.title) were not fetched: \(Failure(describing: error)); "
                            + "cluster pull -j \(job.title) does it"))
                return outcome
            }
            // Whatever went wrong here, the job goes on.
            if let watch = watch.value, await watch.ending == nil { _ = detached(from: watch.job) }
            await submitter?.warnOfUncertainty()
            throw error
        }
    }

    /// What is to be done over one connection.
    private func work(at errand: Errand, on host: any Host) async throws -> Outcome? {
        if case .fetching(let job, let outcome) = stage { return try await fetch(of: job, outcome, on: host) }
        if watch.value == nil {
            let job: Job?
            switch errand {
            case .attach(let known, tail: _):
                let claim = RunClaim(job: known, profile: connector.profile)
                job = try await claim.settledJob(on: host, recorder, console)
            case .submit: job = try await preparedSubmitter().submit(on: host)
            }
            guard let job else { return .interrupted(interrupts.received ?? .interrupt) }
            if case .submit(_, detach: true) = errand {
                print(job.title)
                return detached(from: job)
            }
            var tail: Int?
            if case .attach(_, tail: let lines) = errand { tail = lines }
            begin(watching: job, tail: tail)
        }
        guard let watch = watch.value else { return nil }
        var job = watch.job
        let latest = try await watch.follow(on: host)
        // What was known once is known better than what the queue remembers later.
        let ending = job.phase == .ended ? job.ending ?? latest : latest
        await watch.announceEnding(ending)
        job.end(ending, at: await watch.files.end ?? time(nil))
        job.node = await watch.files.node ?? job.node
        recorder.save(job)
        let outcome = Outcome.ended(ending, wasCancelledHere: await watch.wasCancelled)
        guard JobPull.isDue(job) else { return outcome }
        stage = .fetching(job, outcome)
        return try await fetch(of: job, outcome, on: host)
    }

    /// Brings the results of a job home that has ended.
    private func fetch(of job: Job, _ outcome: Outcome, on host: any Host) async throws -> Outcome {
        let pull = JobPull(console: console, recorder: recorder)
        try await pull.run(job, of: connector.profile, on: host, use: linkUse)
        return outcome
    }

    /// Sees the submission through, as soon as it is ready.
    private func preparedSubmitter() async throws -> Submitter {
        if let submitter { return submitter }
        let submission = try await prepared.first { $0 }
        let submitter = Submitter(submission, recorder: recorder, console: console)
        self.submitter = submitter
        stage = .submitting(submitter)
        return submitter
    }

    private func heedSignals() async throws -> Outcome? {
        while true {
            let signal = try await interrupts.next()
            switch stage {
            case .preparing: return .interrupted(signal)
            case .submitting(let submitter):
                if submitter.abort.isAsked {
                    await submitter.warnOfUncertainty()
                    return .interrupted(signal)
                }
                submitter.abort.ask()
                console.report(.note("stopping before there is a job; Ctrl-C again leaves at once"))
            case .watching: questions.post(.signal(signal))
            case .fetching(let job, _):
                console.report(.note("not all results are here; cluster pull -j \(job.title) fetches the rest"))
                return .interrupted(signal)
            }
        }
    }

    private func askQuestions() async throws -> Outcome? {
        let watch = try await watch.first { $0 }
        let questioner = Questioner(watch: watch, keyboard: keyboard, console: console, mailbox: questions) {
            [retryLogin] in retryLogin.fire()
        }
        switch try await questioner.run() {
        case .detach: return detached(from: watch.job)
        case .leave(let signal):
            _ = detached(from: watch.job)
            return .interrupted(signal)
        }
    }

    private func serveTunnel() async throws {
        do {
            try await tunnel.serve()
        } catch  where !(error is CancellationError) {
            tunnel.refuse("cannot listen here: \(error)")
        }
    }

    /// Leads the browser there. Without it the job is as good.
    private func showPage() async throws {
        do {
            _ = try await visit?.run(through: tunnel)
        } catch  where !(error is CancellationError) {
            console.report(.warning("the browser could not be started: \(error)"))
        }
    }

    // MARK: Watching

    private func begin(watching job: Job, tail: Int?) {
        guard let id = job.id, let run = job.run else {
            preconditionFailure("a job to watch has a number and a folder")
        }
        stage = .watching
        let output = OutputFollower(
            output: OutputWriter(descriptor: STDOUT_FILENO, loop: loop),
            errors: OutputWriter(descriptor: STDERR_FILENO, loop: loop),
            hasOwnStart: connector.profile.template == nil, tail: tail
        ) { [console] gap in console.report(.skipped(job: id, gap.range, file: "\(run)/\(gap.file)")) }
        let questions = questions
        watch.set(
            JobWatch(
                job: job, id: id, run: run, profile: connector.profile, console: console, output: output,
                tunnel: tunnel,
                linkUse: linkUse
            ) { questions.post(.jobEnded) })
    }

    private func detached(from job: Job) -> Outcome {
        console.report(.detached(job: job.title, back: "cluster attach \(job.title)"))
        return .detached
    }
}
