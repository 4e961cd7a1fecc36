import IO
import SSH
import Slurm

extension JobWatch {
    /// How often in a row the programs on the host may end early before another login is tried: it may lead to another
    /// access node.
    private static let falseStarts = 5
    /// What has run this long was no false start.
    private static let proof: Duration = .seconds(60)

    /// Follows the job over one connection. Access nodes end what runs for long, or uses much: programs that end early are
    /// started again, without another login.
    ///
    /// - Returns: how it ended, when all of its output has been shown.
    /// - Throws: a link loss (``isLinkLoss(_:)``), after which it can be called again with a new connection.
    func follow(on host: any Host) async throws -> Ending {
        var pace = Pace(first: .milliseconds(500), limit: .seconds(30), factor: 2)
        var starts = 0
        while true {
            let began = ContinuousClock.now
            await output.expectBacklog()
            do {
                return try await converse(on: host)
            } catch let error as ConversationEnded {
                if ContinuousClock.now - began > Self.proof {
                    starts = 0
                    pace.quicken()
                }
                starts += 1
                guard starts < Self.falseStarts else { throw error }
                console.report(.debug("\(error); starting it again"))
                try await Task.sleep(for: pace.next())
            }
        }
    }

    private func converse(on host: any Host) async throws -> Ending {
        try await withConversation(on: host) { files, loopback in
            var hasBoth = false
            do {
                // A conversation of its own for the queue: a controller that is slow to answer must not hold up the output.
                return try await self.withConversation(on: host) { queue, _ in
                    hasBoth = true
                    return try await self.follow(files: files, queue: queue, loopback: loopback, host: host)
                }
            } catch let error as SSHError where error.code == .channelRefused && !hasBoth {
                console.report(.debug("\(error); one channel has to do"))
                return try await self.follow(files: files, queue: files, loopback: loopback, host: host)
            }
        }
    }

    private func follow(
        files: Conversation, queue: Conversation, loopback: String?, host: any Host
    ) async throws -> Ending {
        enum Part { case output, queue(Ending), endless }
        return try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                try await self.followFiles(files)
                return .output
            }
            group.addTask { .queue(try await self.followQueue(queue)) }
            group.addTask {
                try await self.deliverCancellation(queue, host: host.name)
                return .endless
            }
            if job.service != nil {
                let way = WayToWorker(host: host, loopback: loopback, profile: profile, run: run, console: console) {
                    try await queue.ask("hostkeys").all("hostkey")
                }
                group.addTask {
                    try await self.tunnel.keepRoute(way)
                    return .endless
                }
            }
            defer { group.cancelAll() }
            var ending: Ending?
            while let part = try await group.next() {
                switch part {
                case .queue(let value): ending = value
                case .output: if let ending = ending ?? self.ending { return ending }
                case .endless: break
                }
            }
            throw ConversationEnded(description: "watching ended early")
        }
    }

    private func withConversation<R: Sendable>(
        on host: any Host, _ body: (Conversation, _ loopback: String?) async throws -> R
    ) async throws -> R {
        try await Conversation.about(run: run, task: job.task, of: profile, on: host) { conversation, ready in
            try await body(conversation, ready["loopback"])
        }
    }

    // MARK: Files

    /// How the pauses between two looks at the files grow: after two seconds they are as long as they get.
    private static let ease = 1.5
    /// The same while a page is awaited, after nine seconds: it is seen later by a tenth of what it takes, and 0.1 s, at most.
    private static let eagerness = 1.1
    /// How long after the last news of the job: a page that never comes, of a job that prints all the time, costs no more for ever.
    private static let patienceForPage: Duration = .seconds(60)

    /// Reads the job's files and its output until it has ended and all is shown.
    private func followFiles(_ conversation: Conversation) async throws {
        var pace = Pace(first: .milliseconds(100), limit: .seconds(1), factor: Self.ease)
        var quietPasses = 0
        var (seen, lastNews) = (files, ContinuousClock.now)
        try await output.skipToTail(conversation)
        while true {
            let wasOver = ending != nil
            let answer = try await conversation.ask(await output.request)
            linkUse.prove()
            let hasOutput = try await refresh(answer)
            // Also what the other conversation has found: more may follow soon.
            let isNew = hasOutput || files != seen
            if files != seen { (seen, lastNews) = (files, .now) }
            if wasOver {
                // A network file system may show the last lines a moment after the job's end.
                let isComplete = await output.isComplete
                quietPasses = isNew || !isComplete ? 0 : quietPasses + 1
                if quietPasses == 2 { return }
                try await filesPulse.pause(for: .milliseconds(isNew ? 1 : 100))
                continue
            }
            if isNew { pace.quicken() }
            let isPageNear = isServiceAwaited && .now - lastNews < Self.patienceForPage
            pace.factor = isPageNear ? Self.eagerness : Self.ease
            try await filesPulse.pause(for: pace.next())
        }
    }

    /// - Returns: whether there was new output.
    private func refresh(_ answer: Answer) async throws -> Bool {
        if let folder = answer["missing"], ending == nil {
            throw Failure(
                Exit.unavailable, "the run folder of job \(id) is gone", why: folder,
                remedy: profile.scheduler == .slurm ? "the job may still run: scancel \(id) there ends it" : nil)
        }
        await take(StateFiles(lines: answer.all("file")))
        return try await output.take(answer)
    }

    // MARK: Queue

    /// Asks the queue, seldom, until the job has ended.
    private func followQueue(_ conversation: Conversation) async throws -> Ending {
        // Without a scheduler it costs nothing to look.
        let isCheap = profile.scheduler == .none
        var pace = Pace(first: .seconds(1), limit: .seconds(isCheap ? 2 : 30))
        var hasStarted = false
        var settling = Settling()
        var soon = Pace(first: .milliseconds(300), limit: .seconds(5), factor: 1.2)
        // How old an answer may be, in seconds. All who watch jobs of this user share them: so often is squeue called.
        let (usualAge, freshAge) = (15, 1)
        var isSettling = false
        while true {
            let needsFresh = isSettling || wasCancelled || isAheadOfQueue
            isAheadOfQueue = false
            let answer = try await conversation.ask("queue \(id) \(needsFresh ? freshAge : usualAge)")
            if let problem = answer["queue-problem"] { console.report(.debug("the queue cannot be asked: \(problem)")) }
            let lines = answer.queueLines
            if job.isArray { try await reportTasks(lines, conversation) }
            let state = lines.overallState
            if state?.isPending == true, let asked = answer["asked"].flatMap({ Int($0) }),
                let start = files.start, start >= asked - 1
            {
                // That was before it started.
                isSettling = true
                try await queuePulse.pause(for: soon.next())
                continue
            }
            if let line = lines.first(where: { $0.state == state }) { take(line) }
            // The files as they are now, not as the other conversation saw them last.
            var latest = StateFiles(lines: try await conversation.ask("files 0 0 0 0").all("file"))
            if latest != files { filesPulse.fire() }
            await take(latest)
            if job.isArray { latest = StateFiles(of: tasks.values) }
            let verdict = settling.judge(
                state: state, isKnown: answer["queue-problem"] == nil, files: latest, isArray: job.isArray)
            switch verdict {
            case .goOn:
                isSettling = false
                soon.quicken()
                if !hasStarted && state?.isRunning == true {
                    // From now on the job's own files tell more, and sooner.
                    hasStarted = true
                    pace = Pace(first: .seconds(5), limit: .seconds(isCheap ? 5 : 60))
                }
                try await queuePulse.pause(for: pace.next())
            case .lookAgain:
                isSettling = true
                try await queuePulse.pause(for: soon.next())
            case .ended(let state):
                if job.isArray { reportLostTasks() }
                if state == .failed && latest.exit == nil { latest.exit = try await exitStatus(conversation) }
                let ending = Ending(state: state, files: latest)
                await finish(ending)
                return ending
            }
        }
    }

    /// The command's exit status as the scheduler noted it: for a job that could not write it down, such as on a full disk.
    private func exitStatus(_ conversation: Conversation) async throws -> Int32? {
        let words = try await conversation.ask("exitcode \(id)")["exitcode"]?.split(separator: " ") ?? []
        guard words.count == 2, let status = Int32(words[0]), let signal = Int32(words[1]), status + signal != 0 else {
            return nil
        }
        return signal == 0 ? status : 128 + signal
    }

    // MARK: Cancellation

    /// Waits until the job is to be cancelled, and does it.
    ///
    /// - Parameter conversation: one that is open: a way to a worker that hangs would hold up the opening of another.
    private func deliverCancellation(_ conversation: Conversation, host: String) async throws {
        var pace = Pace(first: .seconds(5), limit: .seconds(60))
        while true {
            var pause = Duration.seconds(3600)
            if wasCancelled {
                let answer = try await conversation.ask("cancel \(id)")
                if let problem = answer["cancel-problem"] {
                    pause = pace.next()
                    console.report(
                        .warning("job \(id) could not be cancelled on \(host), trying again: \(problem)"))
                }
                queuePulse.fire()
            }
            try await cancelPulse.pause(for: pause)
        }
    }
}
