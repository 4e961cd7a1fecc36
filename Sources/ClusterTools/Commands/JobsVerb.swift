#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let jobs = Verb(
        name: "jobs", operands: "", operandCount: 0...0,
        summary: "the jobs from this machine, the newest first",
        description: """
            The jobs that were submitted from this machine, on all clusters, the newest first: those that have not ended, and \
            those that ended within the last day. Every cluster with a job that may still be there is asked, once.
            """,
        examples: [
            .init("cluster jobs -a", "all that there is a record of"),
            .init("cluster jobs --json | jq -r 'select(.state == \"running\").job'", "for programs"),
        ],
        options: [.init(.all, "a", ["all"], help: "those that ended long ago too")]
    ) { call in try await call.untilSignal { try await JobsVerb(call: call).run() } }
}

/// `cluster jobs`: what is known here, and what the clusters say.
struct JobsVerb {
    let call: Verb.Call

    /// A job that ended this long ago, in seconds, is still shown.
    private static let recent = 24 * 3600

    func run() async throws -> Int32 {
        let records = call.records().jobs
        let now = time(nil)
        let wanted = records.filter { job in
            call.has(.all) || job.phase != .ended || (job.ended ?? job.submitted) > now - Self.recent
        }
        let survey = Survey(call: call, records: records)
        let statuses = try await survey.statuses(of: wanted)
        let rows = wanted.compactMap { job in statuses[job.key].map { JobTable.Row(job: job, status: $0) } }
        let table = JobTable(rows: rows, now: time(nil))
        if call.console.isJSON {
            for line in table.json() { print(line) }
        } else if let width = TerminalText.width(of: STDOUT_FILENO) {
            explainUnknown(rows)
            if rows.isEmpty {
                call.console.report(
                    .note(
                        records.isEmpty
                            ? "no job was submitted from this machine yet" : "no job; -a shows those that ended"))
            } else {
                for line in table.aligned(width: width) { print(line) }
            }
        } else {
            for line in table.tabSeparated() { print(line) }
        }
        try await bringResults(of: rows)
        return 0
    }

    /// Fetches what submit --pull has asked for, of the jobs that were found to have ended.
    private func bringResults(of rows: [JobTable.Row]) async throws {
        let pull = JobPull(console: call.console, recorder: JobRecorder(store: call.store, console: call.console))
        for row in rows where JobPull.isDue(row.job) {
            guard case .ended = row.status else { continue }
            // Whatever shows the list waits for the files no longer than for it.
            fflush(nil)
            // The survey has written down how it ended.
            guard let job = call.store.all().jobs.first(where: { $0.token == row.job.token }) else { continue }
            try await pull.run(job, of: try call.profile(of: job), call: call)
        }
    }

    /// Says why nothing is known of some jobs, once for each reason: the table has no room for it.
    private func explainUnknown(_ rows: [JobTable.Row]) {
        var reasons: [(why: String, jobs: [String])] = []
        for row in rows {
            guard case .unknown(let why) = row.status else { continue }
            if let index = reasons.firstIndex(where: { $0.why == why }) {
                reasons[index].jobs.append(row.job.title)
            } else {
                reasons.append((why, [row.job.title]))
            }
        }
        for (why, jobs) in reasons {
            call.console.report(.warning("job\(jobs.count == 1 ? "" : "s") \(JSONField.list(jobs)): \(why)"))
        }
    }
}
