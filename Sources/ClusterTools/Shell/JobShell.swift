import IO
import Slurm

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A shell in a job, or a command, over as many connections as it takes where the shell is kept.
///
/// Who owns what: this actor owns whether there is a shell already, and outlives connections.
actor JobShell {
    /// What is wanted.
    struct Wish: Sendable {
        /// The command's words; none for a shell.
        var command: [String]
        /// One of the job's nodes; nil for that of its script.
        var node: String?
        /// Whether a shell is to survive a broken link, where that can be had.
        var isToBeKept: Bool
        /// On the access node, in the run folder, whatever the job does.
        var isOnAccessNode: Bool
    }

    private let call: Verb.Call
    private let job: Job
    private let profile: Profile
    private let wish: Wish
    private let terminal: UserTerminal?
    /// How long a start may take before something is said about it.
    private static let patience: Duration = .seconds(5)

    /// Whether it has run once.
    private var hasBegun = false
    /// Whether it survives a broken link; nil before that is known.
    private var isKept: Bool?

    init(call: Verb.Call, job: Job, profile: Profile, wish: Wish) {
        self.call = call
        self.job = job
        self.profile = profile
        self.wish = wish
        terminal = UserTerminal(environment: call.surroundings.environment)
    }

    /// - Returns: the status of the shell or the command.
    func run() async throws -> Int32 {
        let use = LinkUse()
        let retry = Pulse()
        let keyboard = Keyboard(loop: call.surroundings.loop)
        let needsUser = Pulse()
        let console = call.console
        let link = Link(
            connector: call.connector(for: profile, keyboard: keyboard), console: console, retry: retry, use: use,
            loop: call.surroundings.loop
        ) { change in
            guard keyboard.isPresent else { return false }
            if change == .needsUser { needsUser.fire() }
            return true
        }
        return try await withThrowingTaskGroup(of: Int32.self) { group in
            group.addTask { try await link.keep { host in try await self.run(on: host, use) } }
            group.addTask {
                while true {
                    try await needsUser.wait()
                    _ = try await keyboard.readLine { console.ask("Press Enter to log in again. ") }
                    console.endQuestion(isAnswered: true)
                    retry.fire()
                }
            }
            defer { group.cancelAll() }
            guard let status = try await group.next() else { throw CancellationError() }
            return status
        }
    }

    private func run(on host: any Host, _ use: LinkUse) async throws -> Int32 {
        do {
            let placement = try await placement(on: host)
            let programs = try programs(for: placement)
            let end =
                terminal == nil ? try await onPipes(programs, host, use) : try await onTerminal(programs, host, use)
            if end == .cut, let status = try await lastWord(of: programs, on: host) { return status }
            return try status(of: end)
        } catch  where isLinkLoss(error) && hasBegun && isKept != true {
            terminal?.put(UserTerminal.reset + "\r\n")
            throw Failure(
                Exit.temporary, "the link to \(host.name) broke, and the \(noun) in job \(job.title) with it",
                why: "\(error)",
                remedy: wish.command.isEmpty ? nil : "whether the command has ended is not known")
        } catch  where isLinkLoss(error) && hasBegun {
            terminal?.put(UserTerminal.reset + "\r\n")
            throw error
        }
    }

    private var noun: String { wish.command.isEmpty ? "shell" : "command" }

    /// Finds out what has become of it when it said nothing at its end: the job may have ended, a moment after its steps.
    ///
    /// - Returns: the status of a kept shell whose last word was lost on the way.
    private func lastWord(of programs: ShellPrograms, on host: any Host) async throws -> Int32? {
        terminal?.put(UserTerminal.reset + "\r\n")
        guard !wish.isOnAccessNode else { return nil }
        for attempt in 1...5 {
            do {
                _ = try await Placement.find(job, of: profile, on: host)
            } catch let failure as Failure {
                throw Failure(
                    Exit.temporary, "the \(noun) in job \(job.title) was ended with it",
                    why: failure.why ?? failure.what)
            }
            if isKept == true, let status = try await keptStatus(programs, on: host) { return status }
            if attempt < 5 { try await Task.sleep(for: .seconds(1)) }
        }
        return nil
    }

    private func keptStatus(_ programs: ShellPrograms, on host: any Host) async throws -> Int32? {
        try await Conversation.with(programs.preparing, on: host) { conversation in
            guard try await conversation.answer(within: .seconds(60)).outcome == "ready" else { return nil }
            let words = try await conversation.ask("again \(programs.node)").all("kept")
            return words.last { $0.hasPrefix("gone ") }.flatMap { Int32($0.dropFirst(5)) }
        }
    }

    private func status(of end: ShellTraffic.End) throws -> Int32 {
        switch end {
        case .status(let status): return status
        case .left, .abandoned:
            if isKept == true {
                terminal?.put(UserTerminal.reset)
                call.console.report(.note("the shell goes on; to come back: cluster ssh \(job.title)"))
            }
            return 0
        case .unread:
            // As of a command that runs here, and gets SIGPIPE.
            return 128 + SIGPIPE
        case .gone, .neverBegan:
            var words = ""
            if case .neverBegan(let text) = end { words = text }
            throw Failure(
                Exit.unavailable, "no \(noun) could be started in job \(job.title)", why: words.isEmpty ? nil : words)
        case .cut:
            throw Failure(
                Exit.temporary, "the \(noun) in job \(job.title) was ended from outside",
                why: "the job goes on", remedy: "cluster ssh \(job.title) opens another one")
        }
    }

    // MARK: Where

    private func placement(on host: any Host) async throws -> Placement {
        if wish.isOnAccessNode {
            guard let run = job.run else {
                throw Failure(
                    Exit.unavailable, "it is not known what became of the submission \(job.title)",
                    remedy: "cluster attach \(job.title) finds out")
            }
            return Placement(job: job, run: run, step: nil, nodes: [host.name])
        }
        do {
            return try await Placement.find(job, of: profile, on: host)
        } catch var failure as Failure where failure.remedy == nil {
            failure.remedy = "a shell in its run folder, on the access node: cluster ssh --access \(job.title)"
            throw failure
        }
    }

    private func programs(for placement: Placement) throws -> ShellPrograms {
        var node = placement.nodes.first ?? ""
        if let wanted = wish.node {
            guard placement.nodes.contains(wanted) else {
                throw Failure(
                    Exit.usage, "job \(placement.job.title) has no node \(wanted)",
                    remedy: "it has " + placement.nodes.prefix(20).joined(separator: ", "))
            }
            node = wanted
        }
        if job.isArray, job.task == nil, !hasBegun, !wish.isOnAccessNode {
            call.console.report(.note("in task \(placement.job.title), on \(node)"))
        }
        return ShellPrograms(
            profile: profile, run: placement.run, own: placement.own, folder: placement.folder, step: placement.step,
            node: node, command: wish.command)
    }

    // MARK: How

    private func onPipes(_ programs: ShellPrograms, _ host: any Host, _ use: LinkUse) async throws -> ShellTraffic.End {
        let program = programs.onPipes
        let guardian = programs.guarding
        return try await host.withProcess(guardian.command) { process in
            try await process.write(guardian.text)
            return try await host.withProcess(program.command) { process in
                try await process.write(program.text)
                return try await traffic(with: process, programs, use)
            }
        }
    }

    private func onTerminal(
        _ programs: ShellPrograms, _ host: any Host, _ use: LinkUse
    ) async throws -> ShellTraffic.End {
        guard let terminal else { preconditionFailure("asked for with a terminal only") }
        let (file, place): (String, String?)
        switch try await prepared(programs, on: host) {
        case .ready(let readyFile, let readyPlace): (file, place) = (readyFile, readyPlace)
        case .gone(let status):
            call.console.report(.note("the shell has ended meanwhile"))
            return .status(status)
        }
        let command = ShellPrograms.command(runningFile: file, place ?? "terminal")
        let end = try await host.withTerminal(terminal.request, running: command) { process in
            try await traffic(with: process, programs, use)
        }
        guard end == .gone, isKept == true else { return end }
        // What was to keep it was ended: then it is one that is not kept.
        isKept = false
        warn(["what keeps it was ended"], node: programs.node)
        return try await onTerminal(programs, host, use)
    }

    private func traffic(
        with process: any RunningProcess, _ programs: ShellPrograms, _ use: LinkUse
    ) async throws -> ShellTraffic.End {
        let traffic = ShellTraffic(
            process: process, tag: programs.tag, terminal: terminal, loop: call.surroundings.loop)
        let hasBegun = Beacon(false)
        defer { if hasBegun.value { self.hasBegun = true } }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [call, job] in
                try await Task.sleep(for: Self.patience)
                if !hasBegun.value { call.console.report(.note("waiting for a step of job \(job.title) to start")) }
            }
            defer { group.cancelAll() }
            return try await traffic.run {
                hasBegun.set(true)
                use.prove()
            }
        }
    }

    private enum Preparation {
        /// - Parameters:
        ///   - file: what becomes the shell, on the host.
        ///   - place: where the shell is kept, if it is.
        case ready(file: String, place: String?)
        /// It was there before the link broke, and has ended since, with this status.
        case gone(Int32)
    }

    private func prepared(_ programs: ShellPrograms, on host: any Host) async throws -> Preparation {
        try await Conversation.with(programs.preparing, on: host) { conversation in
            let ready = try await conversation.answer(within: .seconds(60))
            if let failure = ready.failure(on: host.name) { throw failure }
            var place: String?
            if wish.isToBeKept && wish.command.isEmpty && !wish.isOnAccessNode && isKept != false {
                let request = hasBegun ? "again" : "keep"
                let words = try await conversation.ask("\(request) \(programs.node)").all("kept")
                if let gone = words.last(where: { $0.hasPrefix("gone") }) {
                    return .gone(gone.split(separator: " ").dropFirst().first.flatMap { Int32($0) } ?? 0)
                }
                place = words.last { $0.hasPrefix("tmux /") || $0.hasPrefix("screen /") }
                isKept = place != nil
                if place == nil { warn(words, node: programs.node) }
            }
            let answer = try await conversation.ask("program")
            if let failure = answer.failure(on: host.name) { throw failure }
            guard let file = answer["program"] else {
                throw Failure(Exit.protocolError, "\(host.name): no file for the \(noun) was made")
            }
            return .ready(file: file, place: place)
        }
    }

    private func warn(_ words: [String], node: String) {
        let reason =
            words.contains("nothing")
            ? "there is no tmux or screen on \(node)"
            : words.isEmpty ? "it could not be kept" : words.joined(separator: "; ")
        call.console.report(.note("this shell will not survive a broken link: \(reason)"))
    }
}
