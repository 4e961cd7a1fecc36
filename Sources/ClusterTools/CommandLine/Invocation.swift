public import Slurm

/// What a person asked of `submit`.
public struct Invocation: Sendable, Equatable {
    /// How much submit says about its own work.
    public enum Verbosity: Sendable, Comparable { case quiet, normal, verbose }

    /// The profiles: paths or names; none for the default. ``need`` chooses among them; without it the last one counts.
    public var clusters: [String] = []
    /// What the machine must have free; nothing to take the one that is named.
    public var need: Need?
    /// The job's name; nothing for the repository's.
    public var name: String?
    /// The branch to send; nothing for the working tree.
    public var branch: String?
    /// The options for sbatch: the highest layer.
    public var sbatchOptions = SbatchOptions()
    /// Whether TensorBoard runs with the job; nothing for what is usual, or for what the job to repeat had.
    public var tensorboard: Bool?
    /// The folder TensorBoard reads, as seen from where the command runs; nothing for that folder itself.
    public var logdir: String?
    /// Whether TensorBoard stays when the command has ended; nothing as for ``tensorboard``.
    public var linger: Bool?
    /// How long before the time limit the job is to be put back in the queue, in seconds; 0 for never; nothing as for
    /// ``tensorboard``.
    public var requeueBefore: Int?
    /// The job to submit once more; nothing for a new one.
    public var resubmitted: String?
    /// What to fetch when the job has ended; empty as for ``tensorboard``.
    public var pulls: [String] = []
    /// Whether to leave once the job is submitted.
    public var detach = false
    /// Whether only to show what would be done.
    public var dryRun = false
    /// Whether status comes as one JSON object a line.
    public var json = false
    public var verbosity = Verbosity.normal
    /// The largest untracked file that is sent, in bytes.
    public var maxFileSize = 100 << 20
    /// Whether the command is a notebook server, which is ours.
    var isNotebook = false
    /// The command and its arguments, exactly as they were typed. Empty only where an earlier job's is meant.
    public var command: [String]

    public init(command: [String]) { self.command = command }

    /// The profile, where nothing has to be chosen.
    var cluster: String? { clusters.last }
}

/// What a command line of `submit` means.
public enum InvocationRequest: Sendable, Equatable {
    case submit(Invocation)
    case help
    case version

    /// - Parameter arguments: the words after the program's name, as bytes: see ``RawArguments``.
    public static func parse(_ arguments: [[UInt8]]) throws(Failure) -> InvocationRequest {
        let table = Invocation.table
        let parsed = try table.parse(
            try RawArguments.strings(arguments), operands: .endOptions, unknownHint: sbatchHint)
        var invocation = Invocation(command: parsed.operands)
        for occurrence in parsed.occurrences {
            switch occurrence.id {
            case .help: return .help
            case .version: return .version
            default: try invocation.apply(occurrence)
            }
        }
        try invocation.checkChoice()
        guard let program = invocation.command.first else {
            if invocation.resubmitted != nil { return .submit(try invocation.checked()) }
            throw Failure(
                Exit.usage, "there is no command to run", why: "usage: \(Invocation.usage)",
                remedy: "try submit python main.py, or submit --help")
        }
        guard !program.isEmpty else { throw Failure(Exit.usage, "the command to run is an empty word") }
        return .submit(try invocation.checked())
    }

    /// People type sbatch's options, and they have a place.
    private static func sbatchHint(_ spelling: String) -> String? {
        guard let option = SbatchOption.named(spelling) else { return nil }
        let value = option.argument == .none ? "true" : "\"…\""
        return "\(spelling) is sbatch's: --sbatch_json '{\"\(spelling)\": \(value)}'"
    }
}

extension Invocation {
    fileprivate mutating func apply(_ occurrence: OptionTable<SubmitOption>.Occurrence) throws(Failure) {
        switch (occurrence.id, occurrence.value) {
        case (.cluster, .text(let profile)): clusters.append(profile)
        case (.name, .text(let text)): name = try Self.line(text, occurrence.spelling)
        case (.need, .text(let text)): need = try Need(text, spelling: occurrence.spelling)
        case (.branch, .text(let text)): branch = try Self.line(text, occurrence.spelling)
        case (.sbatch, .text(let text)):
            sbatchOptions = sbatchOptions.overridden(by: try Self.sbatchOptions(text, occurrence.spelling))
        case (.tensorboard, .boolean(let wanted)): tensorboard = wanted
        case (.logdir, .text(let folder)): logdir = folder
        case (.maxFileSize, .text(let size)): maxFileSize = try Self.byteCount(size, occurrence.spelling)
        case (.linger, .boolean(let wanted)): linger = wanted
        case (.requeueBefore, .text(let span)): requeueBefore = try TimeSpan.seconds(span, occurrence.spelling)
        case (.resubmit, .text(let job)): resubmitted = job
        case (.pull, .text(let pattern)): pulls.append(try PathPattern(pattern).text)
        case (.detach, _): detach = true
        case (.dryRun, _): dryRun = true
        case (.json, _): json = true
        case (.quiet, _): verbosity = .quiet
        case (.verbose, _): verbosity = .verbose
        default: preconditionFailure("the option table gives \(occurrence.spelling) another kind of value")
        }
    }

    /// Throws when options about where it runs contradict each other.
    fileprivate func checkChoice() throws(Failure) {
        guard need == nil || !dryRun else {
            throw Failure(Exit.usage, "--need has to ask the machines, and --dry-run connects nowhere")
        }
    }

    /// Itself, when its options go together.
    fileprivate func checked() throws(Failure) -> Invocation {
        guard resubmitted == nil || branch == nil else {
            throw Failure(
                Exit.usage, "--resubmit sends the commit of that job, and --branch another one",
                remedy: "leave one of the two out")
        }
        return self
    }

    private static func line(_ text: String, _ spelling: String) throws(Failure) -> String {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw Failure(Exit.usage, "\(spelling): a line break or another control character cannot be used")
        }
        return text
    }

    private static func sbatchOptions(_ text: String, _ spelling: String) throws(Failure) -> SbatchOptions {
        do {
            return try JSONField(parsing: Array(text.utf8), document: spelling, status: Exit.usage).sbatchOptions()
        } catch  where error.remedy == nil {
            throw Failure(
                Exit.usage, error.what,
                remedy: "in single quotes the shell leaves JSON alone: \(spelling) '{\"--mem\": \"20G\"}'")
        }
    }

    private static func byteCount(_ text: String, _ spelling: String) throws(Failure) -> Int {
        guard let size = ByteSize.parse(text) else {
            throw Failure(Exit.usage, "\(spelling): \"\(text)\" is no size", remedy: "write 500K, 100M or 2G")
        }
        return size
    }
}
