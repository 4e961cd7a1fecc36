import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let top = Verb(
        name: "top", operands: "[JOB...]", operandCount: 0...Int.max,
        summary: "what running jobs use: cores, memory, GPUs",
        description: """
            Shows every two seconds what the jobs use on each of their nodes: cores, memory, GPUs with their temperature and power, the last \
            minutes as a picture, and the jobs' processes. q leaves, c and m sort by CPU and by memory; Ctrl-C leaves too, and the jobs do not \
            notice. Without a terminal one table is printed.
            """,
        examples: [
            .init("cluster top", "the newest job"), .init("cluster top 4242 4243", "these two"),
            .init("cluster top --once | grep GPU", "one table"),
            .init("cluster top --json 4242 >use.jsonl", "every two seconds a line for each node, until the job ends"),
        ],
        options: [.init(.once, "1", ["once"], help: "one table, and no more")]
    ) { call in
        try await call.untilSignal({ $0 == .interrupt ? 0 : $0.exitStatus }) { try await TopVerb(call: call).run() }
    }
}

/// `cluster top [JOB...]`: one login for each cluster.
struct TopVerb {
    let call: Verb.Call

    private enum Part { case sampled, left }

    func run() async throws -> Int32 {
        let selection = call.records()
        let jobs = try call.selectedJobs(selection)
        for job in jobs {
            guard let ending = job.ending else { continue }
            throw Failure(
                Exit.unavailable, "job \(job.title) does not run any more", why: "it \(ending.description)")
        }
        let (groups, lost) = JobGroup.grouping(jobs) { job throws(Failure) in try call.profile(of: job) }
        if let failure = lost.first?.failure { throw failure }
        for group in groups where group.profile.scheduler != .none {
            for job in group.jobs where job.isSuperseded(among: selection.jobs) {
                throw Failure(
                    Exit.unavailable,
                    "\(group.profile.hostname ?? "this machine") has given the number \(job.title) to a later job")
            }
        }
        let style = TerminalStyle(environment: call.surroundings.environment)
        let board = TopBoard(jobs)
        if !call.console.isJSON, !call.has(.once), style.hasCursor,
            let terminal = UserTerminal(environment: call.surroundings.environment)
        {
            try await live(
                groups, board, TopScreen(board: board, terminal: terminal, style: style, loop: call.surroundings.loop))
        } else if call.console.isJSON {
            try await sample(groups, board, isOnce: call.has(.once), console: call.console) { job, use in
                // Without rates the first one says little.
                guard use.cores != nil || !call.has(.once) else { return }
                let title = board.title(of: job)
                print(use.json(job: title, cluster: job.cluster, now: Int(time(nil))).description)
                fflush(nil)
            }
        } else {
            try await sample(groups, board, isOnce: true, console: call.console) { _, _ in }
            var plain = style
            plain.isColoured = style.isColoured && isatty(STDOUT_FILENO) == 1
            let table = TopTable(style: plain, width: TerminalText.width(of: STDOUT_FILENO), pictureWidth: 0)
            for line in table.lines(board.shown) { print(line) }
        }
        return 0
    }

    /// Shows it on the whole terminal, as soon as there is something to show.
    private func live(_ groups: [JobGroup], _ board: TopBoard, _ screen: TopScreen) async throws {
        // What is to be said while the screen is ours stands in it.
        let quiet = Console(
            program: call.console.program, detail: .quiet, isJSON: false, environment: call.surroundings.environment)
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                try await sample(groups, board, isOnce: false, console: quiet) { _, _ in }
                return .sampled
            }
            group.addTask {
                while case let generation = board.changed.generation, !board.hasSamples {
                    try await board.changed.wait(after: generation)
                }
                try await screen.run()
                return .left
            }
            defer { group.cancelAll() }
            if case .sampled? = try await group.next() {
                group.cancelAll()
                // The terminal is as before when the screen has ended; then it can be said.
                do { while try await group.next() != nil {} } catch is CancellationError {}
                for entry in board.shown { call.console.report(.note("job \(entry.title) \(entry.words)")) }
            }
        }
    }

    /// Samples all jobs until they have ended, or have been seen once.
    private func sample(
        _ groups: [JobGroup], _ board: TopBoard, isOnce: Bool, console: Console,
        _ take: @escaping @Sendable (Job, NodeUse) -> Void
    ) async throws {
        let keyboards = Keyboard(loop: call.surroundings.loop).shared(among: groups.count)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (group, keyboard) in zip(groups, keyboards) {
                tasks.addTask { try await sample(group, keyboard, board, isOnce: isOnce, console: console, take) }
            }
            try await tasks.waitForAll()
        }
    }

    private func sample(
        _ group: JobGroup, _ keyboard: Keyboard, _ board: TopBoard, isOnce: Bool, console: Console,
        _ take: @escaping @Sendable (Job, NodeUse) -> Void
    ) async throws {
        let use = LinkUse()
        let link = Link(
            connector: Connector(
                profile: group.profile, console: console, keyboard: keyboard,
                environment: call.surroundings.environment, loop: call.surroundings.loop),
            console: console, retry: Pulse(), use: use, loop: call.surroundings.loop
        ) { change in
            if change == .lost { board.note("the link is down, reconnecting", of: group.jobs) }
            return false
        }
        try await link.keep { host in
            keyboard.endLogin()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for job in group.jobs {
                    let sampling = JobSampling(
                        job: job, profile: group.profile, interval: isOnce ? 1 : 2, count: isOnce ? 2 : 0)
                    tasks.addTask {
                        do {
                            try await sampling.run(on: host) { event in
                                if let node = board.take(event, of: job) {
                                    use.prove()
                                    take(job, node)
                                }
                            }
                            if !isOnce { board.note("has ended", of: [job]) }
                        } catch let failure as Failure where !isOnce && board.hasSamples {
                            // The others go on.
                            board.note(failure.why ?? failure.what, of: [job])
                        }
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }
}
