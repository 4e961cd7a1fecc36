import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let logs = Verb(
        name: "logs", operands: "[JOB]", operandCount: 0...1,
        summary: "a job's output, from its beginning, to standard output",
        description: """
            Prints what the job's command has written, byte for byte, for as long as its run folder exists. Of an array all \
            tasks' output comes, each after a line with its number.
            """,
        examples: [
            .init("cluster logs 4242 >run.log", "all of it so far"),
            .init("cluster logs -f --tail 20", "the newest job's last lines, and what follows, until it ends"),
            .init("cluster logs --stderr 4242_7", "the error stream of an array's task"),
        ],
        options: [
            .init(.follow, "f", ["follow"], help: "go on until the job ends"),
            .init(.errorStream, nil, ["stderr"], help: "the error stream"),
            .init(.tail, nil, ["tail"], .required("N"), help: "only the last N lines, and what follows them"),
        ]
    ) { call in
        let verb = LogsVerb(call: call, tail: try call.number(.tail, "--tail"))
        return try await call.untilSignal { try await verb.run() }
    }
}

/// `cluster logs [-f] [--stderr] [--tail N] [JOB]`.
struct LogsVerb {
    let call: Verb.Call
    let tail: Int?

    func run() async throws -> Int32 {
        let job = try call.job()
        let profile = try call.profile(of: job)
        if call.has(.follow), job.phase != .ended {
            guard !job.isArray else {
                throw Failure(
                    Exit.usage, "job \(job.title) is an array: only a task of it can be followed",
                    remedy: "cluster logs -f \(job.title)_0, or without -f for all of them")
            }
            let onlooker = Onlooker(
                call: call, job: job, profile: profile, output: output(profile),
                tunnel: nil)
            _ = try await onlooker.run()
        } else {
            try await print(job, profile)
        }
        return 0
    }

    /// The wanted stream, on standard output.
    private func output(_ profile: Profile) -> OutputFollower {
        let writer = OutputWriter(descriptor: STDOUT_FILENO, loop: call.surroundings.loop)
        let isErrors = call.has(.errorStream)
        return OutputFollower(
            output: isErrors ? nil : writer, errors: isErrors ? writer : nil, hasOwnStart: profile.template == nil,
            tail: tail, limits: .unlimited
        ) { _ in }
    }

    // MARK: What there is now

    /// Prints what there is now, over as many connections as it takes.
    private func print(_ job: Job, _ profile: Profile) async throws {
        let recorder = JobRecorder(store: call.store, console: call.console)
        let keyboard = Keyboard(loop: call.surroundings.loop)
        let link = Link(
            connector: call.connector(for: profile, keyboard: keyboard), console: call.console, retry: Pulse(),
            loop: call.surroundings.loop
        ) { _ in false }
        var progress = Progress()
        try await link.keep { host in
            let job = try await RunClaim(job: job, profile: profile).settledJob(on: host, recorder, call.console)
            guard let run = job.run else { preconditionFailure("a job that exists has a folder") }
            try await Conversation.about(run: run, task: job.task, of: profile, on: host) { conversation, _ in
                let first = try await conversation.ask("files 0 0 0 0")
                if first["missing"] != nil { throw missing(job, run) }
                guard job.isArray else {
                    try await copy(conversation, profile, &progress)
                    return
                }
                try await printTasks(conversation, profile, &progress)
            }
        }
    }

    /// What has been printed, which a new connection does not print again.
    private struct Progress {
        /// The stream that is being printed, and the task that it is of.
        var current: OutputFollower?
        var task: Int?
        var done: Set<Int> = []
    }

    private func printTasks(
        _ conversation: Conversation, _ profile: Profile, _ progress: inout Progress
    ) async throws {
        let tasks = try await conversation.ask("tasks").all("task").compactMap(TaskFiles.init(line:)).map(\.number)
            .sorted()
        if tasks.isEmpty { call.console.report(.note("no task of it has started")) }
        for task in tasks where !progress.done.contains(task) {
            _ = try await conversation.ask("task \(task)")
            if progress.task != task {
                progress.task = task
                progress.current = nil
                let isFirst = progress.done.isEmpty
                Swift.print("\(isFirst ? "" : "\n")==> task \(task) <==")
                fflush(nil)
            }
            try await copy(conversation, profile, &progress)
            progress.done.insert(task)
        }
    }

    /// Copies one stream as far as it goes now.
    private func copy(_ conversation: Conversation, _ profile: Profile, _ progress: inout Progress) async throws {
        let output = progress.current ?? output(profile)
        progress.current = output
        let first = try await conversation.ask("files 0 0 0 0")
        // Before it is known where the command's own output begins there is none, or none but that of a script that failed.
        await output.begin(at: StateFiles(lines: first.all("file")).outputOffset ?? 0)
        await output.stop(atEndsIn: first)
        try await output.skipToTail(conversation)
        repeat {
            _ = try await output.take(try await conversation.ask(await output.request))
        } while await !output.isComplete
        progress.current = nil
    }

    private func missing(_ job: Job, _ run: String) -> Failure {
        Failure(
            Exit.noInput, "the run folder of job \(job.title) is gone, and its output with it", why: run,
            remedy: job.ending == nil ? nil : "what is known: it \(job.ending?.description ?? "ended")")
    }
}
