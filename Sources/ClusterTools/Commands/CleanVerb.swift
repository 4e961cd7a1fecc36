#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let clean = Verb(
        name: "clean", operands: "[JOB...]", operandCount: 0...Int.max, meansNewest: false,
        summary: "remove what old jobs have left, there and here",
        description: """
            Lists the run folders of jobs that ended long ago, with their sizes, unused virtual environments, and what interrupted \
            programs left; asks; removes them, with the records and side branches here. Never what a running job has, nor results \
            that were not fetched.
            """,
        examples: [
            .init("cluster clean --dry-run", "what would go"),
            .init("cluster clean --older-than 7d --failed", "of jobs that did not end well, after a week"),
            .init("cluster clean --unpulled 4242", "this one, results and all"),
        ],
        options: [
            .init(
                .olderThan, nil, ["older-than"], .required("TIME"), help: "what ended, or was used, longer ago (30d)"),
            .init(.failed, nil, ["failed"], help: "only of jobs that did not end with status 0"),
            .init(.unpulled, nil, ["unpulled"], help: "results too that were not fetched"),
            .init(.all, "a", ["all"], help: "runs too that there is no record of here"),
            .init(.cluster, "c", ["cluster"], .required("PROFILE"), help: "only this cluster"),
            .init(.dryRun, nil, ["dry-run"], help: "list, and remove nothing"),
            .init(.yes, "y", ["yes"], help: "do not ask"),
        ]
    ) { call in try await call.untilSignal { try await CleanVerb(call: call).run() } }
}

/// `cluster clean`: one cluster after the other, since each is asked about.
struct CleanVerb {
    let call: Verb.Call

    private static let standardAge = 30 * 86_400

    func run() async throws -> Int32 {
        let selection = call.records()
        var rules = CleaningPlan.Rules(
            now: time(nil), age: call.operands.isEmpty ? Self.standardAge : nil, takesUnpulled: call.has(.unpulled),
            onlyFailed: call.has(.failed), takesUnknown: call.has(.all))
        if let text = call.text(.olderThan) { rules.age = try TimeSpan.seconds(text, "--older-than") }
        var jobs = selection.jobs.filter { $0.run != nil }
        if !call.operands.isEmpty {
            let named = try call.selectedJobs(selection)
            if let task = named.first(where: { $0.task != nil }) {
                throw Failure(
                    Exit.usage, "clean: \(task.title) is a task, and shares its run folder with the whole array",
                    remedy: "name the array")
            }
            rules.only = Set(named.map(\.token))
            jobs = jobs.filter { rules.only?.contains($0.token) == true }
        }
        let groups = try groups(jobs)
        if groups.isEmpty { call.console.report(.note("no job was submitted from this machine yet")) }
        var status: Int32 = 0
        for group in groups {
            do {
                let result = try await Cleaner(call: call, group: group, records: selection.jobs, rules: rules).run()
                if result != 0 { status = result }
            } catch  where !(error is CancellationError) && groups.count > 1 {
                // The others can be cleaned all the same.
                let failure = Failure(describing: Failure.connecting(to: group.profile.name, error))
                call.console.report(.failure(failure))
                status = failure.status
            }
        }
        return status
    }

    /// The clusters to look at, with the jobs that there are records of.
    private func groups(_ jobs: [Job]) throws -> [JobGroup] {
        guard let name = call.text(.cluster) else {
            let (groups, lost) = JobGroup.grouping(jobs) { job throws(Failure) in try call.profile(of: job) }
            for (job, failure) in lost { call.console.report(.warning("job \(job.title): \(failure.description)")) }
            return groups
        }
        let profile = try call.surroundings.profile(named: name, repository: nil)
        let (groups, _) = JobGroup.grouping(jobs) { job throws(Failure) in try call.profile(of: job) }
        let same = groups.first { $0.reachesTheSame(as: profile) }
        return [JobGroup(profile: profile, jobs: same?.jobs ?? [])]
    }
}
