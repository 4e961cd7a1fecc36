import IO

extension Verb {
    static let open = Verb(
        name: "open", operands: "[JOB]", operandCount: 0...1,
        summary: "show a job's TensorBoard in the browser",
        description: """
            Opens a way to the job's TensorBoard and shows it in the browser ($BROWSER, else the system's; without one only the \
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
        let job = try call.job()
        guard job.hasTensorBoard else {
            throw Failure(
                Exit.unavailable, "job \(job.title) was submitted without TensorBoard", remedy: "submit --tensorboard …"
            )
        }
        if let ending = job.ending {
            throw Failure(
                Exit.unavailable, "job \(job.title) has no TensorBoard any more", why: "it \(ending.description)",
                remedy: "submit --linger keeps it up when the command has ended")
        }
        let tunnel = Tunnel(console: call.console, loop: call.surroundings.loop)
        let output = OutputFollower(output: nil, errors: nil, hasOwnStart: false) { _ in }
        let onlooker = Onlooker(
            call: call, job: job, profile: try call.profile(of: job), output: output, tunnel: tunnel)
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
                try await show(job, tunnel)
                return false
            }
            defer { group.cancelAll() }
            while let hasEnded = try await group.next(), !hasEnded {}
        }
        return 0
    }

    /// Opens the browser once there is something to see.
    private func show(_ job: Job, _ tunnel: Tunnel) async throws {
        let address: String
        switch try await tunnel.outcome.first({ $0 }) {
        case .address(let found): address = found
        case .refused(let reason):
            throw Failure(Exit.unavailable, "job \(job.title) has no TensorBoard that can be shown", why: reason)
        }
        if call.console.detail == .quiet { print(address) }
        guard let browser = Browser(environment: call.surroundings.environment) else {
            call.console.report(.note("no browser was found: open the address yourself, or set BROWSER"))
            return
        }
        let loop = call.surroundings.loop
        let isUsed = try await OneTimeAddress(target: address, loop: loop).lend {
            try await browser.open($0, loop: loop)
        }
        if !isUsed { call.console.report(.warning("the browser did not come: open the address yourself")) }
    }
}
