/// A verb of `cluster`: what it is called, what its help says, what it does.
struct Verb: Sendable {
    /// The options of all verbs; a verb has some of them.
    enum Option: Hashable, Sendable {
        case all, yes, follow, errorStream, tail, grep, since
        case cluster, name, branch, sbatch, detach
        case hostname, user, port, key, transport, account, partition, time, memory, gpus, folder, activation, force
        case olderThan, failed, unpulled, dryRun
        case job, to
        case node, keep, access, once
        case json, quiet, verbose, help, version
    }

    typealias Table = OptionTable<Option>

    let name: String
    /// What follows the options on the command line, as in `[JOB]`.
    let operands: String
    /// What these words can be, where there are few.
    var words: [String] = []
    /// How many of them there may be.
    let operandCount: ClosedRange<Int>
    /// Where the verb's own options end.
    var parsing = Table.Operands.anywhere
    /// Whether the newest job is meant where JOB may be left out, and is.
    var meansNewest = true
    /// A line for the list of verbs, without a full stop.
    let summary: String
    /// A few sentences for the verb's own help.
    let description: String
    let examples: [Help.Example]
    let options: [Table.Option]
    let run: @Sendable (Call) async throws -> Int32

    /// A verb as it was typed.
    struct Call: Sendable {
        let operands: [String]
        let console: Console
        let surroundings: Surroundings
        private let values: [Option: Table.Value]

        init(
            operands: [String], occurrences: [Table.Occurrence], console: Console, surroundings: Surroundings
        ) {
            self.operands = operands
            self.console = console
            self.surroundings = surroundings
            // The last one counts.
            values = Dictionary(occurrences.map { ($0.id, $0.value) }) { $1 }
        }

        func has(_ option: Option) -> Bool { values[option] != nil }

        /// What was said with `--name` or `--no-name`; nil for neither.
        func isOn(_ option: Option) -> Bool? {
            guard case .boolean(let value) = values[option] else { return nil }
            return value
        }

        /// The text that was given with an option.
        func text(_ option: Option) -> String? {
            guard case .text(let text) = values[option] else { return nil }
            return text
        }

        /// The number that was given with an option.
        func number(_ option: Option, _ spelling: String) throws(Failure) -> Int? {
            guard let text = text(option) else { return nil }
            guard let number = Int(text), number >= 0, text.utf8.first != UInt8(ascii: "+") else {
                throw Failure(Exit.usage, "\(spelling): \"\(text)\" is no number of lines")
            }
            return number
        }
    }

    /// Options that every verb has, and that may stand before it.
    static let common: [Table.Option] = [
        .init(.json, nil, ["json"], help: "one JSON object a line"),
        .init(.quiet, "q", ["quiet"], help: "no status lines"),
        .init(.verbose, "v", ["verbose"], help: "every step"),
        .init(.help, "h", ["help"], help: "this screen"),
    ]

    /// What parsing, help and suggestions read.
    var table: Table {
        Table(command: "cluster \(name)", groups: [.init("Options", options + Self.common)])
    }

    var synopsis: String { operands.isEmpty ? name : "\(name) \(operands)" }

    var help: Help {
        Help(
            usage: "cluster \(name) [options]" + (operands.isEmpty ? "" : " \(operands)"), summary: description,
            examples: examples, table: table,
            closing: closing)
    }

    /// What JOB means, where there is one.
    private var closing: String? {
        if options.contains(where: { $0.id == .job }) { return Self.aboutJobs + Self.aboutNoJob }
        guard operands.contains("JOB") else { return nil }
        return Self.aboutJobs + (operands.hasPrefix("[JOB") && meansNewest ? Self.aboutNoJob : "")
    }

    static let aboutJobs = """
        JOB is a number, a name, a token, or the beginning of one; NUMBER_TASK is a task of an array, PROFILE:JOB the one on \
        that cluster.
        """
    static let aboutNoJob = " Without one: the newest job."
}

extension Verb.Call {
    /// The jobs that the operands mean, each once; without operands the newest.
    func selectedJobs(_ selection: JobSelection) throws(Failure) -> [Job] {
        var jobs: [Job] = []
        for word in operands.isEmpty ? [nil] : operands.map(Optional.some) {
            let choice = try selection.job(word)
            if let note = choice.note { console.report(.note(note)) }
            if !jobs.contains(where: { $0.key == choice.job.key }) { jobs.append(choice.job) }
        }
        return jobs
    }

    var store: JobStore { JobStore(environment: surroundings.environment) }

    /// The records of this machine. Files that hold none are told, and change nothing.
    func records() -> JobSelection {
        let (jobs, problems) = store.all()
        for problem in problems { console.report(.warning("not a job's record: \(problem)")) }
        return JobSelection(jobs: jobs)
    }

    /// The job that the first operand means (without one the newest), and the profile that leads to it now.
    func recordedJob() throws(Failure) -> (job: Job, profile: Profile) {
        let choice = try records().job(operands.first)
        if let note = choice.note { console.report(.note(note)) }
        return (choice.job, try profile(of: choice.job))
    }

    /// As ``recordedJob()``, for looking at what the job does.
    ///
    /// - Throws: also when its number is a later job's by now, so that all the cluster could say is about that one.
    func watchableJob() throws(Failure) -> (job: Job, profile: Profile) {
        let (job, profile) = try recordedJob()
        guard job.phase == .ended || profile.scheduler == .none || !job.isSuperseded(among: store.all().jobs) else {
            throw Failure(
                Exit.unavailable,
                "\(profile.hostname ?? "this machine") has given the number \(job.title) to a later job",
                why: "what it says of that number is not about \(job.token)",
                remedy: "what the job has printed may still be there: cluster logs \(job.token)")
        }
        return (job, profile)
    }

    /// The profile that leads to a job now.
    func profile(of job: Job) throws(Failure) -> Profile {
        let current = try job.currentProfile(home: surroundings.home)
        if let notice = current.notice { console.report(.warning(notice)) }
        return current.profile
    }

    /// Asks whether to go on, unless `--yes` says so already.
    ///
    /// - Parameters:
    ///   - question: without the answers.
    ///   - nobody: what cannot be done because nobody is at a terminal.
    func isConfirmed(_ question: String, orFail nobody: () -> String) async throws -> Bool {
        if has(.yes) { return true }
        let keyboard = Keyboard(loop: surroundings.loop)
        guard keyboard.isPresent else { throw Failure(Exit.usage, nobody(), remedy: "add --yes if that is meant") }
        while true {
            console.ask("\(question) [y/N] ")
            let line = try await keyboard.readLine()
            console.endQuestion(isAnswered: line != nil)
            switch line?.lowercased() {
            case "y", "yes": return true
            case nil, "", "n", "no": return false
            default: continue
            }
        }
    }

    /// Runs `body` until it is done, or until a signal asks this process to stop; then with this status.
    func untilSignal(
        _ status: (Interrupts.Signal) -> Int32 = \.exitStatus, _ body: @escaping @Sendable () async throws -> Int32
    ) async throws -> Int32 {
        enum End { case done(Int32), signal(Interrupts.Signal) }
        return try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask { .done(try await body()) }
            group.addTask { [interrupts = surroundings.interrupts] in .signal(try await interrupts.next()) }
            defer { group.cancelAll() }
            switch try await group.next() {
            case .done(let status)?: return status
            case .signal(let signal)?: return status(signal)
            case nil: throw CancellationError()
            }
        }
    }

    func connector(for profile: Profile, keyboard: Keyboard) -> Connector {
        Connector(
            profile: profile, console: console, keyboard: keyboard, environment: surroundings.environment,
            loop: surroundings.loop)
    }

    /// Keeps at something over as many connections as it takes, where nobody is there to say what to do meanwhile: a later login
    /// that needs a person ends it.
    func link(for profile: Profile, keyboard: Keyboard, use: LinkUse) -> Link {
        Link(
            connector: connector(for: profile, keyboard: keyboard), console: console, retry: Pulse(), use: use,
            loop: surroundings.loop
        ) { _ in false }
    }
}
