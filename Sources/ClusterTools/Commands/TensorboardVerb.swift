extension Verb {
    static let tensorboard = Verb(
        name: "tensorboard", operands: "[JOB...]", operandCount: 0...Int.max,
        summary: "one TensorBoard over many jobs, running or ended",
        description: """
            Starts a TensorBoard on the access node that shows the log folders of all these jobs of one cluster side by side, and \
            leads the browser there. Ctrl-C ends it, and nothing of it is left there. The jobs do not notice.
            """,
        examples: [
            .init("cluster tensorboard 4242 4243", "these two"),
            .init("cluster tensorboard", "the newest, also when it has ended"),
        ],
        options: []
    ) { try await TensorboardVerb(call: $0).run() }
}

/// `cluster tensorboard JOB...`.
struct TensorboardVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        var jobs: [Job] = []
        // The tasks of an array share their folder.
        for job in try call.selectedJobs(call.records()) where !jobs.contains(where: { $0.token == job.token }) {
            jobs.append(job)
        }
        for job in jobs where job.run == nil {
            throw Failure(
                Exit.unavailable, "it is not known what became of the submission \(job.title)",
                remedy: "cluster attach \(job.title) finds out")
        }
        let (groups, lost) = JobGroup.grouping(jobs) { job throws(Failure) in try call.profile(of: job) }
        if let failure = lost.first?.failure { throw failure }
        guard let group = groups.first, groups.count == 1 else {
            let names = Set(jobs.map(\.cluster)).sorted().joined(separator: " and ")
            throw Failure(
                Exit.usage, "one TensorBoard shows the jobs of one cluster, and these are on \(names)",
                remedy: "start one for each")
        }
        switch try await SharedBoard(call: call, profile: group.profile, jobs: group.jobs).run() {
        case .interrupt: return 0
        case let signal: return signal.exitStatus
        }
    }
}
