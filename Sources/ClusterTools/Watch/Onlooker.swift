import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Looks at a job without a say in it: nobody is asked anything, and Ctrl-C ends the looking and not the job.
struct Onlooker: Sendable {
    let call: Verb.Call
    let job: Job
    let profile: Profile
    let output: OutputFollower
    /// Where its TensorBoard is wanted.
    let tunnel: Tunnel?

    /// Looks until the job has ended, over as many connections as it takes, and writes its end down.
    func run() async throws -> Ending {
        let recorder = JobRecorder(store: call.store, console: call.console)
        let keyboard = Keyboard(loop: call.surroundings.loop)
        // A login that needs a person a second time ends it: there is nobody to ask whether to go on.
        let use = LinkUse()
        let link = call.link(for: profile, keyboard: keyboard, use: use)
        var watched: JobWatch?
        return try await link.keep { host in
            let watch: JobWatch
            if let watched {
                watch = watched
            } else {
                watch = try await begin(on: host, recorder, use)
                watched = watch
            }
            let ending = try await watch.follow(on: host)
            await watch.announceEnding(ending)
            let files = await watch.files
            if job.task == nil {
                try call.store.update(job.token) { record in
                    record.end(ending, at: files.end ?? time(nil))
                    record.node = files.node ?? record.node
                }
            }
            return ending
        }
    }

    private func begin(on host: any Host, _ recorder: JobRecorder, _ use: LinkUse) async throws -> JobWatch {
        let job = try await RunClaim(job: job, profile: profile).settledJob(on: host, recorder, call.console)
        guard let id = job.id, let run = job.run else {
            preconditionFailure("a job that exists has a number and a folder")
        }
        var watched = job
        if tunnel == nil { (watched.hasTensorBoard, watched.isNotebook) = (false, false) }
        return JobWatch(
            job: watched, id: id, run: run, profile: profile, console: call.console, output: output,
            tunnel: tunnel ?? Tunnel(console: call.console, loop: call.surroundings.loop), linkUse: use
        ) {}
    }
}
