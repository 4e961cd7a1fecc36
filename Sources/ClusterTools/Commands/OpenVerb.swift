import IO

extension Verb {
    static let open = Verb(
        name: "open", operands: "[JOB]", operandCount: 0...1,
        summary: "a job's TensorBoard or notebook in the browser",
        description: """
            Opens a way to the job's TensorBoard, or to its JupyterLab, and shows it in the browser ($BROWSER, else the system's; without one only the \
            address is printed). Stays until Ctrl-C, which ends the way and not the job, or until the job ends.
            """,
        examples: [.init("cluster open", "the newest job's"), .init("cluster open 4242", "that job's")], options: []
    ) { call in
        try await call.untilSignal({ $0 == .interrupt ? 0 : $0.exitStatus }) { try await OpenVerb(call: call).run() }
    }
}

/// `cluster open [JOB]`.
struct OpenVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        let (job, profile) = try call.watchableJob()
        guard let service = job.service else {
            throw Failure(
                Exit.unavailable, "job \(job.title) was submitted without TensorBoard", remedy: "submit --tensorboard …"
            )
        }
        if let ending = job.ending {
            throw Failure(
                Exit.unavailable, "job \(job.title) has no \(service.name) any more", why: "it \(ending.description)",
                remedy: service == .notebook
                    ? "cluster notebook starts another one" : "submit --linger keeps it up when the command has ended")
        }
        let tunnel = Tunnel(to: service, console: call.console, loop: call.surroundings.loop)
        let output = OutputFollower(output: nil, errors: nil, hasOwnStart: false) { _ in }
        let onlooker = Onlooker(
            call: call, job: job, profile: profile, output: output, tunnel: tunnel)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                _ = try await onlooker.run()
                return true
            }
            group.addTask {
                try await tunnel.serve()
                return false
            }
            group.addTask {
                if let reason = try await call.browserVisit.run(through: tunnel) {
                    throw Failure(
                        Exit.unavailable, "job \(job.title) has no \(service.name) that can be shown", why: reason)
                }
                return false
            }
            defer { group.cancelAll() }
            while let hasEnded = try await group.next(), !hasEnded {}
        }
        return 0
    }
}
