import IO
import Slurm
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Prints the output of many jobs, and of the tasks of arrays, over one login to their cluster.
///
/// Who owns what: this actor owns how far each output was printed, and outlives connections; ``read(on:)`` lives as long as one.
actor LogsReader {
    /// What is wanted of it.
    struct Wish: Sendable {
        /// Whether to go on until all of the jobs have ended.
        var follows: Bool
        var isErrors: Bool
        /// How many lines of what is there already; nil for all.
        var tail: Int?
        /// What is there already only where it was written to within so many seconds; nil for all.
        var age: Int?
        var pattern: LinePattern?
    }

    /// One stream of output.
    private struct Source {
        /// Which of ``jobs``.
        let index: Int
        let task: Int?
        let output: OutputFollower
        var hasBegun = false
        /// How often nothing new was seen since the job has ended.
        var quietPasses = 0
        var isDone = false
    }

    private let call: Verb.Call
    private var group: JobGroup
    private let records: [Job]
    private let wish: Wish
    private let headings: Headings?
    private var sources: [Source] = []
    /// Those of the jobs that have ended.
    private var ended: Set<Int> = []
    /// Whether nobody reads what is printed any more.
    private var isAbandoned = false
    private let wake = Pulse()

    /// - Parameters:
    ///   - records: all records of this machine.
    ///   - headings: what goes before the output of each; nil for the output of one alone.
    init(call: Verb.Call, group: JobGroup, records: [Job], wish: Wish, headings: Headings?) {
        self.call = call
        self.group = group
        self.records = records
        self.wish = wish
        self.headings = headings
        for (index, job) in group.jobs.enumerated() where job.phase == .ended || !wish.follows { ended.insert(index) }
    }

    func run(keyboard: Keyboard) async throws {
        let use = LinkUse()
        let link = call.link(for: group.profile, keyboard: keyboard, use: use)
        try await link.keep { host in
            keyboard.endLogin()
            try await self.settle(on: host)
            try await self.read(on: host, use)
        }
    }

    private func settle(on host: any Host) async throws {
        let recorder = JobRecorder(store: call.store, console: call.console)
        for (index, job) in group.jobs.enumerated() {
            group.jobs[index] = try await RunClaim(job: job, profile: group.profile).settledJob(
                on: host, recorder, call.console)
        }
    }

    private func read(on host: any Host, _ use: LinkUse) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                try await self.print(on: host, use)
                return true
            }
            if wish.follows {
                tasks.addTask {
                    try await self.askQueue(on: host)
                    return false
                }
            }
            defer { tasks.cancelAll() }
            while let isDone = try await tasks.next(), !isDone {}
        }
    }

    // MARK: Ends

    /// Asks about all of the jobs in one question, seldom, until they have ended.
    private func askQueue(on host: any Host) async throws {
        try await Conversation.with(group.program(among: records), on: host) { conversation in
            var pace = Pace(first: .seconds(1), limit: .seconds(30))
            while ended.count < group.jobs.count {
                let reports = try await group.poll(conversation, host: host.name, among: records)
                for (index, job) in group.jobs.enumerated() where !ended.contains(index) {
                    guard let report = reports[job.key] else { continue }
                    try take(report, of: job, index)
                }
                if ended.count < group.jobs.count { try await Task.sleep(for: pace.next()) }
            }
        }
    }

    private func take(_ report: JobReport, of job: Job, _ index: Int) throws {
        let status = JobStatus(of: job, report: report, now: time(nil))
        // What nobody knows any more writes nothing any more.
        let isGone = report.queueProblem == nil && report.queue.isEmpty
        guard status.hasEnded || isGone else { return }
        ended.insert(index)
        if job.task == nil { try call.store.update(job.token) { $0.learn(status, now: time(nil)) } }
        wake.fire()
    }

    // MARK: Output

    private func print(on host: any Host, _ use: LinkUse) async throws {
        for source in sources { await source.output.expectBacklog() }
        try await Conversation.about(jobs: group.jobs, of: group.profile, on: host) { conversation in
            var pace = Pace(first: .milliseconds(200), limit: .seconds(2))
            while true {
                let hadEnded = ended
                try await findSources(conversation)
                var isNew = false
                for index in sources.indices where !sources[index].isDone && !isAbandoned {
                    let isMore = try await advance(index, conversation, hadEnded: hadEnded)
                    isNew = isNew || isMore
                    if isMore { use.prove() }
                }
                if isAbandoned || hadEnded.count == group.jobs.count && sources.allSatisfy(\.isDone) { return }
                if isNew { pace.quicken() }
                try await wake.pause(for: pace.next())
            }
        }
    }

    /// Finds what there is to print: a job has one stream, an array one for each task that has begun.
    private func findSources(_ conversation: Conversation) async throws {
        for (index, job) in group.jobs.enumerated() {
            if job.task != nil || !job.isArray {
                if !sources.contains(where: { $0.index == index }) { add(index, job.task) }
                continue
            }
            let known = Set(sources.filter { $0.index == index }.compactMap(\.task))
            if !known.isEmpty && !wish.follows { continue }
            _ = try await conversation.ask("use \(index)")
            let tasks = try await conversation.ask("tasks").all("task").compactMap(TaskFiles.init(line:)).map(\.number)
            for task in tasks.sorted() where !known.contains(task) { add(index, task) }
            if tasks.isEmpty && !wish.follows { call.console.report(.note("no task of job \(job.title) has started")) }
        }
    }

    private func add(_ index: Int, _ task: Int?) {
        let job = group.jobs[index]
        let writer = OutputWriter(descriptor: 1, loop: call.surroundings.loop)
        let title = headings?.title(of: job, task: task)
        sources.append(
            Source(
                index: index, task: task,
                output: OutputFollower(
                    output: wish.isErrors ? nil : writer, errors: wish.isErrors ? writer : nil,
                    hasOwnStart: group.profile.template == nil, tail: wish.tail, limits: .unlimited,
                    pattern: wish.pattern, heading: { [headings] in title.flatMap { headings?.heading($0) } ?? "" }
                ) { _ in }))
    }

    /// Prints what has come of one stream.
    ///
    /// - Parameter hadEnded: the jobs that had ended before this pass: what is read after that is all there is.
    /// - Returns: whether there was anything.
    private func advance(_ index: Int, _ conversation: Conversation, hadEnded: Set<Int>) async throws -> Bool {
        let source = sources[index]
        let output = source.output
        _ = try await conversation.ask("use \(source.index) \(source.task.map { "\($0)" } ?? "")")
        if !source.hasBegun {
            let first = try await conversation.ask("files 0 0 0 0")
            if first["missing"] != nil { return try miss(index) }
            let start = StateFiles(lines: first.all("file")).outputOffset
            // Before it is known where the command's own output begins there is none, or none but that of a script that failed.
            if let start = start ?? (hadEnded.contains(source.index) ? 0 : nil) { await output.begin(at: start) }
            if !wish.follows { await output.stop(atEndsIn: first) }
            if try await isTooOld(conversation) {
                guard wish.follows else {
                    sources[index].isDone = true
                    return false
                }
                await output.skipAll()
            }
            try await output.skipToTail(conversation)
            sources[index].hasBegun = true
        }
        var isNew = false
        var isMore = true
        while isMore {
            let answer = try await conversation.ask(await output.request)
            if let start = StateFiles(lines: answer.all("file")).outputOffset { await output.begin(at: start) }
            isMore = try await output.take(answer)
            isNew = isNew || isMore
        }
        isAbandoned = await output.isAbandoned
        guard hadEnded.contains(source.index) else { return isNew }
        if wish.follows { await output.begin(at: 0) }
        // A network file system may show the last lines a moment after the job's end.
        sources[index].quietPasses = isNew ? 0 : source.quietPasses + 1
        if sources[index].quietPasses == 2 || !wish.follows {
            try await output.finish()
            sources[index].isDone = true
        }
        return isNew
    }

    /// Whether it was last written to before what is wanted.
    private func isTooOld(_ conversation: Conversation) async throws -> Bool {
        guard let age = wish.age else { return false }
        let answer = try await conversation.ask(wish.isErrors ? "age err" : "age out")
        return answer["age"].flatMap { Int($0) }.map { $0 > age } ?? true
    }

    private func miss(_ index: Int) throws -> Bool {
        let job = group.jobs[sources[index].index]
        let failure = Failure(
            Exit.noInput, "the run folder of job \(job.title) is gone, and its output with it", why: job.run,
            remedy: job.ending.map { "what is known: it \($0.description)" })
        guard headings != nil else { throw failure }
        call.console.report(.failure(failure))
        sources[index].isDone = true
        return false
    }
}

/// Lines between the outputs of several jobs, as `tail` prints them. Shared by those who print.
final class Headings: Sendable {
    /// Whether the job has to be named, and not only its task.
    private let namesJobs: Bool
    private let namesClusters: Bool
    private let last = Mutex<String?>(nil)

    init(namesJobs: Bool, namesClusters: Bool) {
        self.namesJobs = namesJobs
        self.namesClusters = namesClusters
    }

    func title(of job: Job, task: Int?) -> String {
        guard namesJobs else { return task.map { "task \($0)" } ?? job.title }
        let number = job.title + (job.task == nil ? task.map { "_\($0)" } ?? "" : "")
        return (namesClusters ? "\(job.cluster):" : "") + "\(number) (\(TerminalText.line(job.name)))"
    }

    /// What goes before output of this title; nothing when the last output was of it too.
    func heading(_ title: String) -> String {
        last.withLock { last in
            guard last != title else { return "" }
            defer { last = title }
            return (last == nil ? "" : "\n") + "==> \(title) <==\n"
        }
    }
}
