extension Verb {
    static let ssh = Verb(
        name: "ssh", operands: "[JOB] [COMMAND...]", operandCount: 0...Int.max, parsing: .endOptionsAtSecond,
        summary: "a shell in a running job, or a command",
        description: """
            Opens your shell where the job's command runs: on its node, within what Slurm has given it, in the same folder, with its environment \
            active. A link that breaks does not end the shell where the node has tmux or screen: it is there again after the next \
            login, and cluster ssh comes back to it. Its status is the shell's or the command's. The command gets its words as they \
            are; with standard input or output elsewhere than a terminal, bytes too. Enter ~ . leaves.
            """,
        examples: [
            .init("cluster ssh", "a shell in the newest job"),
            .init("cluster ssh 4242 nvidia-smi | head", "a command there"),
            .init("cluster ssh 4242 sh -c 'ps x | wc -l'", "a line for a shell there"),
            .init("cluster ssh --access 4242", "in the run folder, on the access node; also of a job that has ended"),
        ],
        options: [
            .init(.node, "w", ["node"], .required("NODE"), help: "one of its nodes (default: that of its script)"),
            .init(.keep, nil, ["keep"], .boolean, help: "let the shell survive a broken link (default: yes)"),
            .init(.access, nil, ["access"], help: "on the access node, in the run folder"),
        ]
    ) { call in
        let wish = JobShell.Wish(
            command: Array(call.operands.dropFirst()), node: call.text(.node), isToBeKept: call.isOn(.keep) ?? true,
            isOnAccessNode: call.has(.access))
        return try await call.untilSignal { try await SshVerb(call: call).run(wish) }
    }
}

/// `cluster ssh [JOB] [COMMAND...]`.
struct SshVerb {
    let call: Verb.Call

    func run(_ wish: JobShell.Wish) async throws -> Int32 {
        let (job, profile) = try call.watchableJob()
        if let ending = job.ending, !wish.isOnAccessNode {
            throw Failure(
                Exit.unavailable, "job \(job.title) does not run any more", why: "it \(ending.description)",
                remedy: "a shell in its run folder, on the access node: cluster ssh --access \(job.title)")
        }
        return try await JobShell(call: call, job: job, profile: profile, wish: wish).run()
    }
}
