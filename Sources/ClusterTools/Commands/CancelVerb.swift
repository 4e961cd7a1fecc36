import IO

extension Verb {
    static let cancel = Verb(
        name: "cancel", operands: "JOB...", operandCount: 0...Int.max,
        summary: "end jobs, and wait until they have ended",
        description: """
            Ends jobs and waits until the scheduler says that they have ended. At a terminal it asks first. The exit status is 0 \
            when all of them have ended, by this or before.
            """,
        examples: [
            .init("cluster cancel 4242 4243", "after a question, these two"),
            .init("cluster cancel 4242_7", "a task of an array"),
            .init("cluster cancel --all --yes", "every job that was submitted from this machine, without a question"),
        ],
        options: [
            .init(.all, nil, ["all"], help: "all jobs that have not ended, on all clusters"),
            .init(.yes, "y", ["yes"], help: "do not ask"),
        ]
    ) { call in try await call.untilSignal { try await CancelVerb(call: call).run() } }
}

/// `cluster cancel JOB...`: one login for each cluster, all clusters at once.
struct CancelVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        let selection = call.records()
        let jobs = try wanted(selection)
        var open: [Job] = []
        for job in jobs {
            if let ending = job.ending, job.phase == .ended {
                call.console.report(.endedBefore(job: job.title, ending))
            } else {
                open.append(job)
            }
        }
        guard !open.isEmpty else {
            if call.has(.all) { call.console.report(.note("there is no job to cancel")) }
            return 0
        }
        guard try await isConfirmed(open) else {
            call.console.report(.note("nothing was cancelled"))
            return Exit.interrupted
        }
        return try await Cancellation(call: call, records: selection.jobs).run(open)
    }

    private func wanted(_ selection: JobSelection) throws(Failure) -> [Job] {
        guard call.has(.all) else {
            guard !call.operands.isEmpty else {
                throw Failure(
                    Exit.usage, "cancel: which job?", remedy: "name it, as cluster jobs shows it, or say --all")
            }
            return try call.selectedJobs(selection)
        }
        guard call.operands.isEmpty else {
            throw Failure(Exit.usage, "cancel: --all means all jobs, and \(call.operands[0]) only one")
        }
        return selection.jobs.filter { $0.phase != .ended }
    }

    /// Asks at a terminal. Elsewhere the names of jobs are clear enough, and `--all` is not.
    private func isConfirmed(_ jobs: [Job]) async throws -> Bool {
        if !call.has(.all) && !Keyboard(loop: call.surroundings.loop).isPresent { return true }
        let plural = jobs.count == 1 ? "" : "s"
        return try await call.isConfirmed("Cancel job\(plural) \(jobs.map(\.title).joined(separator: ", "))?") {
            "cancel --all would end \(jobs.count) job\(plural), and nobody is there to ask"
        }
    }
}
