import IO
import SSH

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Takes one job from its submission, or from wherever it is, to its end or to the user's leave.
///
/// Four tasks live as long as it runs: the work over the link, the signals, the questions, the tunnel. Who owns what: this
/// actor owns how far the submission has come; the job's progress is ``JobWatch``'s.
actor Supervisor {
    /// What is to be done.
    enum Errand: Sendable {
        /// Submit, and watch unless the job is to be left alone.
        case submit(Submission, detach: Bool)
        /// Watch a job that exists.
        case attach(Job)
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
        case submitting(Submission.Abort)
        /// There is a job: ask.
        case watching
    }

    /// How often a far side that ends without an answer is tried again before there is a job.
    private static let attempts = 3

    private let connector: Connector
    private let console: Console
    private let keyboard: Keyboard
    private let interrupts: Interrupts
    private let store: JobStore
    private let loop: PollLoop
    private let tunnel: Tunnel
    private let questions = Mailbox<Questioner.Message>()
    private let watch = Beacon<JobWatch?>(nil)

    private var stage = Stage.preparing
    /// Whether a submission was begun of which it is not known what became of it.
    private var isUncertain = false
    private var failedAttempts = 0

    init(
        connector: Connector, console: Console, keyboard: Keyboard, interrupts: Interrupts, store: JobStore,
        loop: PollLoop
    ) {
        self.connector = connector
        self.console = console
        self.keyboard = keyboard
        self.interrupts = interrupts
        self.store = store
        self.loop = loop
        tunnel = Tunnel(console: console, loop: loop)
    }

    func run(_ errand: Errand) async throws -> Outcome {
        try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask { try await self.work(at: errand) }
            group.addTask { try await self.heedSignals() }
            group.addTask { try await self.askQuestions() }
            group.addTask {
                try await self.serveTunnel()
                return nil
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw CancellationError()
        }
    }

    // MARK: The four tasks

    private func work(at errand: Errand) async throws -> Outcome? {
        let questions = questions
        let link = Link(connector: connector, console: console) { questions.post($0 ? .linkBack : .linkLost) }
        var submission: Submission?
        if case .submit(let first, _) = errand { submission = first }
        do {
            return try await link.keep { host in try await self.work(at: errand, &submission, on: host) }
        } catch  where !(error is CancellationError) {
            // Whatever went wrong here, the job goes on.
            if let watch = watch.value, await watch.ending == nil { _ = detached(from: watch.job) }
            throw error
        }
    }

    /// What is to be done over one connection.
    private func work(at errand: Errand, _ submission: inout Submission?, on host: any Host) async throws -> Outcome? {
        if watch.value == nil {
            let job: Job?
            switch errand {
            case .submit: job = try await submit(&submission, on: host)
            case .attach(let known): job = try await settle(known, on: host)
            }
            guard let job else { return .interrupted(interrupts.received ?? .interrupt) }
            if case .submit(_, detach: true) = errand {
                print(job.title)
                return detached(from: job)
            }
            begin(watching: job)
        }
        guard let watch = watch.value else { return nil }
        var job = watch.job
        let latest = try await watch.follow(on: host)
        // What was known once is known better than what the queue remembers later.
        let ending = job.phase == .ended ? job.ending ?? latest : latest
        await watch.announceEnding(ending)
        job.end(ending, at: await watch.files.end ?? time(nil))
        remember(job)
        return .ended(ending, wasCancelledHere: await watch.wasCancelled)
    }

    private func heedSignals() async throws -> Outcome? {
        while true {
            let signal = try await interrupts.next()
            switch stage {
            case .preparing: return .interrupted(signal)
            case .submitting(let abort):
                if abort.isAsked {
                    if isUncertain {
                        console.report(.warning("whether there is a job is not known; cluster attach finds out"))
                    }
                    return .interrupted(signal)
                }
                abort.ask()
                console.report(.note("stopping before there is a job; Ctrl-C again leaves at once"))
            case .watching: questions.post(.signal(signal))
            }
        }
    }

    private func askQuestions() async throws -> Outcome? {
        let watch = try await watch.first { $0 }
        let questioner = Questioner(watch: watch, keyboard: keyboard, console: console, mailbox: questions)
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
            console.report(.noBoard(reason: "cannot listen here: \(error)"))
        }
    }

    // MARK: Submitting

    /// Submits, or finds out what became of the submission before the link was lost.
    ///
    /// - Returns: the job; nil when the user stopped it and nothing is left of it.
    private func submit(_ pending: inout Submission?, on host: any Host) async throws -> Job? {
        guard var submission = pending else { return nil }
        defer { pending = submission }
        let abort: Submission.Abort
        if case .submitting(let earlier) = stage { abort = earlier } else { abort = Submission.Abort() }
        stage = .submitting(abort)
        var accepted: RunClaim.Accepted?
        do {
            if isUncertain {
                accepted = try await submission.claim.settle(on: host)
                if accepted == nil {
                    try store.remove(submission.claim.job)
                    isUncertain = false
                }
            }
            if accepted == nil && !abort.isAsked {
                submission.claim.renew()
                try store.save(submission.claim.job)
                isUncertain = true
                accepted = try await shipOrForget(submission, on: host, abort: abort)
            }
            if abort.isAsked, let known = accepted {
                // The job was there before the wish arrived.
                try await submission.claim.takeBack(known, on: host)
                accepted = nil
            }
        } catch  where isLinkLoss(error) {
            failedAttempts += 1
            if let ended = error as? ConversationEnded, failedAttempts >= Self.attempts {
                throw Failure(Exit.unavailable, "\(host.name) cannot be used", cause: ended)
            }
            throw error
        }
        isUncertain = false
        guard let accepted else {
            try store.remove(submission.claim.job)
            return nil
        }
        return self.accepted(accepted, &submission.claim.job)
    }

    /// Ships, and forgets a submission that the cluster, or a file here, has refused: then nothing is left of it there.
    private func shipOrForget(
        _ submission: Submission, on host: any Host, abort: Submission.Abort
    ) async throws -> RunClaim.Accepted? {
        do {
            return try await ship(submission, on: host, abort: abort)
        } catch  where !isLinkLoss(error) && !(error is CancellationError) && !(error is SSHError) {
            isUncertain = false
            try store.remove(submission.claim.job)
            throw error
        }
    }

    /// Records and reports a job that now exists.
    private func accepted(_ accepted: RunClaim.Accepted, _ job: inout Job) -> Job {
        job.phase = .submitted
        job.id = accepted.id
        job.run = accepted.run
        remember(job)
        for note in accepted.notes { console.report(.note(note)) }
        console.report(.submitted(job: accepted.id, host: accepted.host, run: accepted.run))
        return job
    }

    /// Finds out what became of a submission whose answer nobody has seen.
    private func settle(_ known: Job, on host: any Host) async throws -> Job {
        guard known.id == nil || known.run == nil else { return known }
        guard let accepted = try await RunClaim(job: known, profile: connector.profile).settle(on: host) else {
            try store.remove(known)
            throw Failure(Exit.noInput, "the submission \(known.token) did not become a job, and nothing is left of it")
        }
        var job = known
        return self.accepted(accepted, &job)
    }

    /// Writes the record of a job that exists whether that works or not.
    private func remember(_ job: Job) {
        // A task of an array has no record of its own.
        guard job.task == nil else { return }
        do {
            try store.save(job)
        } catch {
            console.report(.warning("\(error); cluster attach will not find job \(job.title) as it is now"))
        }
    }

    private func ship(
        _ submission: Submission, on host: any Host, abort: Submission.Abort
    ) async throws -> RunClaim.Accepted? {
        let size = submission.shipment.size
        let console = console
        let began = ContinuousClock.now
        let accepted = try await submission.send(on: host, abort: abort) { sent in
            console.progress("sending \(byteCount(sent)) of \(byteCount(size.bytes))")
        }
        if accepted != nil {
            let seconds = (ContinuousClock.now - began) / .seconds(1)
            console.report(.sent(files: size.files, bytes: size.bytes, seconds: seconds))
        }
        return accepted
    }

    // MARK: Watching

    private func begin(watching job: Job) {
        guard let id = job.id, let run = job.run else {
            preconditionFailure("a job to watch has a number and a folder")
        }
        stage = .watching
        let output = OutputFollower(
            output: OutputWriter(descriptor: STDOUT_FILENO, loop: loop),
            errors: OutputWriter(descriptor: STDERR_FILENO, loop: loop),
            hasOwnStart: connector.profile.template == nil)
        let questions = questions
        watch.set(
            JobWatch(
                job: job, id: id, run: run, profile: connector.profile, console: console, output: output, tunnel: tunnel
            ) { questions.post(.jobEnded) })
    }

    private func detached(from job: Job) -> Outcome {
        console.report(.detached(job: job.title, back: "cluster attach \(job.title)"))
        return .detached
    }
}
