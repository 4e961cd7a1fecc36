import IO
import Slurm
import Templates

/// One TensorBoard over the log folders of many jobs, running or ended, on the access node of their cluster: see
/// `templates/remote/board.sh`.
struct SharedBoard: Sendable {
    let call: Verb.Call
    let profile: Profile
    /// Jobs of one cluster, each with its run folder.
    let jobs: [Job]

    /// Identifies it to a later connection, which finds it running.
    private let token = randomName(length: 10)
    private let tunnel: Tunnel
    /// Whether it is to end, and what tells the one who waits.
    private let isOver = Beacon(false)
    private let wake = Pulse()

    /// How long an orderly end may take over a link that is slow, or down.
    private static let patience: Duration = .seconds(10)

    init(call: Verb.Call, profile: Profile, jobs: [Job]) {
        self.call = call
        self.profile = profile
        self.jobs = jobs
        tunnel = Tunnel(console: call.console, loop: call.surroundings.loop)
    }

    /// Serves until a signal comes; then nothing is left of it there.
    ///
    /// - Returns: the signal.
    func run() async throws -> Interrupts.Signal {
        enum Part { case ended, signal(Interrupts.Signal), late, nothing }
        return try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                try await keep()
                return .ended
            }
            group.addTask {
                try await tunnel.serve()
                return .nothing
            }
            group.addTask {
                _ = try await call.browserVisit.run(through: tunnel)
                return .nothing
            }
            group.addTask { .signal(try await call.surroundings.interrupts.next()) }
            defer { group.cancelAll() }
            var signal: Interrupts.Signal?
            while let part = try await group.next() {
                switch part {
                case .ended: return signal ?? .interrupt
                case .late:
                    call.console.report(.note("its end there is not confirmed; it ends by itself within two minutes"))
                    return signal ?? .interrupt
                case .signal(let received):
                    // A second one waits for nothing.
                    if signal != nil { return received }
                    signal = received
                    isOver.set(true)
                    wake.fire()
                    group.addTask { .signal(try await call.surroundings.interrupts.next()) }
                    group.addTask {
                        try await Task.sleep(for: Self.patience)
                        return .late
                    }
                case .nothing: break
                }
            }
            throw CancellationError()
        }
    }

    /// Keeps it up, over as many connections as it takes, until it is to end.
    private func keep() async throws {
        let use = LinkUse()
        let link = call.link(for: profile, keyboard: Keyboard(loop: call.surroundings.loop), use: use)
        var isFirst = true
        try await link.keep { host in
            try await Conversation.with(program, on: host) { conversation in
                let ready = try await conversation.answer(within: .seconds(60))
                if let failure = ready.failure(on: host.name) { throw failure }
                if isFirst {
                    for run in ready.all("missing") {
                        call.console.report(.warning("a run folder is gone, and is left out: \(run)"))
                    }
                    isFirst = false
                }
                try await serve(conversation, on: host, use)
            }
        }
    }

    private func serve(_ conversation: Conversation, on host: any Host, _ use: LinkUse) async throws {
        var direct = profile
        direct.tunnel = TunnelPlan(way: .direct)
        let way = WayToWorker(host: host, loopback: nil, profile: direct, run: "", console: call.console) { [] }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await tunnel.keepRoute(way)
                return false
            }
            group.addTask {
                try await watch(conversation, on: host, use)
                return true
            }
            defer { group.cancelAll() }
            while let isDone = try await group.next(), !isDone {}
        }
    }

    /// Asks for it until it is to end, and ends it: whoever no longer asks is taken to be gone.
    private func watch(_ conversation: Conversation, on host: any Host, _ use: LinkUse) async throws {
        var pace = Pace(first: .milliseconds(200), limit: .seconds(15))
        var problem: String?
        while !isOver.value && problem == nil {
            let answer = try await conversation.ask("poll")
            use.prove()
            problem = answer["no-board"]
            if let address = answer["board"].flatMap({ StateFiles.address(in: $0) }) {
                tunnel.offer(Board(port: address.port, secret: address.secret, node: host.name, jobID: ""))
            } else if problem == nil {
                pace.quicken()
            }
            if problem == nil && !isOver.value { try await wake.pause(for: pace.next()) }
        }
        _ = try await conversation.ask("stop")
        if let problem {
            throw Failure(Exit.unavailable, "TensorBoard cannot be started on \(host.name)", why: problem)
        }
    }

    private var program: RemoteProgram {
        var lines = ["ct_token=\(ShellWord.quote(token))", "ct_each() { :"]
        for job in jobs {
            guard let run = job.run else { continue }
            let logdir = job.plan?.logdir ?? "."
            let folder = logdir.hasPrefix("/") ? logdir : "\(run)/code/\(job.plan?.directory ?? "")/\(logdir)"
            lines.append(
                "ct_link " + ShellWord.join([RunName.folder(for: "\(job.name)-\(job.title)"), run, folder]))
        }
        let start = ["submit_folder=$1", "set --"] + profile.environment.shellLines + profile.activatePython
        lines += [
            "}", "ct_start=" + ShellWord.quote(start.joined(separator: "\n")),
            "ct_start_end=" + ShellWord.quote(Template.remote(.boardStart).text),
            "ct_source=" + ShellWord.quote(Template.tensorboard.text), "",
        ]
        return RemoteProgram(
            .board, of: profile, root: RunRoot(of: profile), definitions: lines.joined(separator: "\n"))
    }
}
