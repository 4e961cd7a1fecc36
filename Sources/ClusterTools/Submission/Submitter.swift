import SSH
import Synchronization

/// Sees one submission through, over however many connections it takes: at the end there is exactly one job, or none.
///
/// Who owns what: this actor owns how far the submission has come, and its identity, which every attempt has anew.
actor Submitter {
    /// How often a far side that ends without an answer is tried again, and how often of these with the same login.
    private static let attempts = (all: 6, inOneLogin: 3)

    nonisolated let abort = Submission.Abort()
    private var submission: Submission
    private let recorder: JobRecorder
    private let console: Console
    /// Whether an attempt was begun of which it is not known what became of it.
    private var isUncertain = false
    private var failedAttempts = 0

    init(_ submission: Submission, recorder: JobRecorder, console: Console) {
        self.submission = submission
        self.recorder = recorder
        self.console = console
    }

    /// Submits, and begins anew when the program there ends early: that is not the link's fault, and at first no reason for
    /// another login.
    ///
    /// - Returns: the job; nil when the user stopped it and nothing is left of it.
    /// - Throws: a link loss (``isLinkLoss(_:)``), after which it can be called again with a new connection; ``Failure`` when
    ///   the cluster refuses: then there is no job.
    func submit(on host: any Host) async throws -> Job? {
        var attemptsHere = 0
        while true {
            do {
                return try await attempt(on: host)
            } catch is BaseGone {
                console.report(.debug("\(host.name) has lost what it was sent before; sending all"))
                submission.shipment.plan.forgetBase()
            } catch let error as ConversationEnded {
                attemptsHere += 1
                failedAttempts += 1
                guard failedAttempts < Self.attempts.all else {
                    throw Failure(Exit.unavailable, "\(host.name) cannot be used", cause: error)
                }
                guard attemptsHere < Self.attempts.inOneLogin else { throw error }
                console.report(.debug("\(error); trying again"))
                try await Task.sleep(for: .seconds(attemptsHere))
            }
        }
    }

    /// Says that there may be a job, when that is all that is known, and how to find out.
    func warnOfUncertainty() {
        guard isUncertain else { return }
        let job = submission.claim.job
        let remedy =
            recorder.isCurrent
            ? "cluster attach \(job.token) finds out"
            : "its run folder would be …/\(job.project)/\(job.runName): squeue there tells"
        console.report(.warning("whether there is a job is not known; \(remedy)"))
    }

    /// Submits, or finds out what became of the attempt before.
    private func attempt(on host: any Host) async throws -> Job? {
        var accepted: RunClaim.Accepted?
        if isUncertain {
            accepted = try await submission.claim.settle(on: host)
            if accepted == nil { forget() }
        }
        if accepted == nil && !abort.isAsked {
            submission.claim.renew()
            recorder.save(submission.claim.job)
            isUncertain = true
            do {
                accepted = try await shipOrForget(on: host)
            } catch is EnvironmentBuild.Abandoned {
                accepted = try await submission.claim.settle(on: host)
            }
        }
        if abort.isAsked, let known = accepted {
            // The job was there before the wish arrived.
            try await submission.claim.takeBack(known, on: host)
            accepted = nil
        }
        isUncertain = false
        guard let accepted else {
            forget()
            return nil
        }
        submission.claim.job = accepted.announced(of: submission.claim.job, recorder, console)
        if let manifest = submission.shipment.plan.manifest { submission.sent?.save(manifest) }
        return submission.claim.job
    }

    /// Ships, and forgets an attempt that the cluster, or a file here, has refused: then nothing is left of it there.
    private func shipOrForget(on host: any Host) async throws -> RunClaim.Accepted? {
        do {
            return try await ship(on: host)
        } catch
            where !isLinkLoss(error) && !(error is CancellationError) && !(error is SSHError)
            && !(error is EnvironmentBuild.Abandoned)
        {
            forget()
            throw error
        }
    }

    /// There is no such job, and will be none.
    private func forget() {
        isUncertain = false
        recorder.remove(submission.claim.job)
    }

    private func ship(on host: any Host) async throws -> RunClaim.Accepted? {
        let size = submission.shipment.sentSize
        let console = console
        let began = ContinuousClock.now
        // What comes after the files takes its own time.
        let arrived = Mutex<ContinuousClock.Instant?>(nil)
        let accepted = try await submission.send(on: host, abort: abort) { progress in
            switch progress {
            case .sent(let bytes): console.progress("sending \(byteCount(bytes)) of \(byteCount(size.bytes))")
            case .building(let progress):
                arrived.withLock { $0 = $0 ?? .now }
                progress.show(on: console)
            }
        }
        console.endProgress()
        if accepted != nil {
            let seconds = ((arrived.withLock { $0 } ?? .now) - began) / .seconds(1)
            console.report(
                .sent(
                    files: size.files, bytes: size.bytes, seconds: seconds,
                    unchanged: submission.shipment.size.files - size.files))
        }
        return accepted
    }
}

extension RunClaim.Accepted {
    /// Records and reports the job that a submission has become.
    func announced(of submission: Job, _ recorder: JobRecorder, _ console: Console) -> Job {
        var job = submission
        job.phase = .submitted
        job.id = id
        job.run = run
        recorder.save(job)
        for note in notes { console.report(.note(note)) }
        console.report(.submitted(job: id, host: host, run: run))
        return job
    }
}
