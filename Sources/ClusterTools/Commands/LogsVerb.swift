import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let logs = Verb(
        name: "logs", operands: "[JOB...]", operandCount: 0...Int.max,
        summary: "the output of jobs, to standard output",
        description: """
            Prints what the jobs' commands have written, byte for byte, for as long as their run folders exist. Of an array all \
            tasks' output comes, and of several jobs that of all, each after a line that says whose it is.
            """,
        examples: [
            .init("cluster logs 4242 >run.log", "all of it so far"),
            .init("cluster logs -f --tail 20", "the newest job's last lines, and what follows, until it ends"),
            .init("cluster logs -a --since 1d --grep 'loss|Error'", "such lines of all jobs that wrote within a day"),
        ],
        options: [
            .init(.follow, "f", ["follow"], help: "go on until the jobs end"),
            .init(.errorStream, nil, ["stderr"], help: "the error stream"),
            .init(.tail, nil, ["tail"], .required("N"), help: "only the last N lines of each, and what follows them"),
            .init(.grep, nil, ["grep"], .required("PATTERN"), help: "only lines that match a regular expression"),
            .init(.since, nil, ["since"], .required("TIME"), help: "only what was written to within that time (2h)"),
            .init(.all, "a", ["all"], help: "all jobs that there is a record of"),
        ]
    ) { call in
        let verb = LogsVerb(
            call: call,
            wish: LogsReader.Wish(
                follows: call.has(.follow), isErrors: call.has(.errorStream), tail: try call.number(.tail, "--tail"),
                age: try call.text(.since).map { text throws(Failure) in try TimeSpan.seconds(text, "--since") },
                pattern: try call.text(.grep).map { text throws(Failure) in try LinePattern(text, "--grep") }))
        return try await call.untilSignal { try await verb.run() }
    }
}

/// `cluster logs [JOB...]`: one login for each cluster.
struct LogsVerb {
    let call: Verb.Call
    let wish: LogsReader.Wish

    func run() async throws -> Int32 {
        let selection = call.records()
        let jobs = try wanted(selection)
        let (groups, lost) = JobGroup.grouping(jobs) { job throws(Failure) in try call.profile(of: job) }
        if let failure = lost.first?.failure { throw failure }
        if wish.follows { try checkNumbers(groups, selection.jobs) }
        let isOne = jobs.count == 1 && !(jobs[0].isArray && jobs[0].task == nil)
        let headings = isOne ? nil : Headings(namesJobs: jobs.count > 1, namesClusters: groups.count > 1)
        let readers = groups.map { group in
            LogsReader(call: call, group: group, records: selection.jobs, wish: wish, headings: headings)
        }
        let keyboards = Keyboard(loop: call.surroundings.loop).shared(among: readers.count)
        guard wish.follows else {
            // One after the other: what is there already has an order.
            for (reader, keyboard) in zip(readers, keyboards) { try await reader.run(keyboard: keyboard) }
            return 0
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (reader, keyboard) in zip(readers, keyboards) {
                tasks.addTask { try await reader.run(keyboard: keyboard) }
            }
            try await tasks.waitForAll()
        }
        return 0
    }

    private func wanted(_ selection: JobSelection) throws(Failure) -> [Job] {
        guard call.has(.all) else { return try call.selectedJobs(selection) }
        guard call.operands.isEmpty else {
            throw Failure(Exit.usage, "logs: --all means all jobs, and \(call.operands[0]) only one")
        }
        // The oldest first: what is newest is read last. Those that became no job have written nothing.
        return selection.jobs.reversed().filter { $0.run != nil }
    }

    /// What the queue says of a number that a later job has by now is not about this one.
    private func checkNumbers(_ groups: [JobGroup], _ records: [Job]) throws(Failure) {
        for group in groups where group.profile.scheduler != .none {
            for job in group.jobs where job.phase != .ended && job.isSuperseded(among: records) {
                throw Failure(
                    Exit.unavailable,
                    "\(group.profile.hostname ?? "this machine") has given the number \(job.title) to a later job",
                    why: "whether \(job.token) goes on cannot be found out",
                    remedy: "what it has printed may still be there: cluster logs \(job.token)")
            }
        }
    }
}
