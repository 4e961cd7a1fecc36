#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Brings the results of a job home that has ended, as `submit --pull` has asked for.
struct JobPull: Sendable {
    let console: Console
    let recorder: JobRecorder

    /// Whether there is something to be brought.
    static func isDue(_ job: Job) -> Bool {
        guard let plan = job.plan else { return false }
        return !plan.pulls.isEmpty && job.pulled == nil && job.task == nil && job.run != nil
    }

    /// Fetches what the job's record names to where it was submitted from, and writes down that it is here. Files here that
    /// are newer stay; whatever else goes wrong is said, and nothing of it changes how the job has ended.
    ///
    /// - Throws: a link loss, after which it can be called again; `CancellationError`.
    func run(_ job: Job, of profile: Profile, on host: any Host, use: LinkUse) async throws {
        guard let plan = job.plan, Self.isDue(job) else { return }
        do {
            let target = try LocalFolder(path: job.folderHere)
            let patterns = try plan.pulls.map { text throws(Failure) in try PathPattern(text) }
            let pull = Pull(into: target, console: console, use: use) { _ in false }
            let source = Pull.Source(folder: try job.workFolder(of: profile), patterns: patterns)
            let report = TransferReport(console: console, direction: .pulled, place: target.path)
            let outcome = try await pull.run([source], on: host)
            _ = report.report(outcome)
            guard outcome.isComplete else { return }
            try await note(job, of: profile, on: host)
        } catch  where !isLinkLoss(error) && !(error is CancellationError) {
            console.report(
                .warning(
                    "the results of job \(job.title) could not be fetched: \(Failure(describing: error)); "
                        + "cluster pull -j \(job.title) does it later"))
        }
    }

    /// Writes down, here and there, that the results of a job are here: `cluster clean` may then remove what is there.
    func note(_ job: Job, of profile: Profile, on host: any Host) async throws {
        var job = job
        job.pulled = time(nil)
        recorder.save(job)
        guard let run = job.run else { return }
        do {
            try await FarFolder(path: run + "/job", of: profile).mark("pulled", on: host)
        } catch  where !isLinkLoss(error) && !(error is CancellationError) {
            console.report(.debug("\(error)"))
        }
    }

    /// As ``run(_:of:on:use:)``, with a login of its own.
    func run(_ job: Job, of profile: Profile, call: Verb.Call) async throws {
        let use = LinkUse()
        let link = call.link(for: profile, keyboard: Keyboard(loop: call.surroundings.loop), use: use)
        try await link.keep { host in try await run(job, of: profile, on: host, use: use) }
    }
}
