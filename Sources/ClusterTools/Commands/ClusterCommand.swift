#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The `cluster` command: what is to be known and done about jobs after `submit`.
public struct ClusterCommand {
    /// In the order of the help.
    static let verbs: [Verb] = [
        .jobs, .attach, .logs, .top, .ssh, .open, .tensorboard, .notebook, .pull, .push, .data, .env, .cancel, .clean,
        .probe, .add, .check, .completion, .man,
    ]

    static let table = Verb.Table(
        command: "cluster",
        groups: [.init("Options", Verb.common + [.init(.version, nil, ["version"], help: "the version")])])

    static let help = Help(
        usage: "cluster VERB [options] [JOB... | NAME...]",
        summary: """
            Picks up jobs that submit has started, from any terminal, after any absence; and knows the machines that they run on.
            """,
        examples: [
            .init("cluster jobs", "what has not ended, on all clusters"),
            .init("cluster attach", "watch the newest job again"),
            .init("cluster help attach", "all about that verb; cluster attach --help says the same"),
        ],
        sections: [.init("Verbs", verbs.map { ($0.synopsis, $0.summary) })], table: table,
        closing: Verb.aboutJobs + Verb.aboutNoJob)

    /// Runs the command with this process's arguments.
    ///
    /// - Returns: the status to exit with.
    public static func main() async -> Int32 {
        let interrupts = Interrupts()
        var console = Console(program: "cluster", detail: .normal, isJSON: false, environment: [:])
        do {
            let words = try RawArguments.strings(RawArguments.ofThisProcess())
            switch try ClusterRequest.parse(words) {
            case .help(let help, let status):
                print(help.textForStandardOutput, terminator: "")
                return status
            case .complete(let program, let words):
                let inventory = Completion.Inventory(try Surroundings(interrupts: interrupts))
                print(Completion(inventory: inventory).answer(to: program, words).text, terminator: "")
            case .version: print("cluster \(Product.version)")
            case .run(let verb, let occurrences, let operands):
                let surroundings = try Surroundings(interrupts: interrupts)
                let given = Set(occurrences.map(\.id))
                console = Console(
                    program: "cluster",
                    detail: given.contains(.verbose) ? .verbose : given.contains(.quiet) ? .quiet : .normal,
                    isJSON: given.contains(.json), environment: surroundings.environment)
                return try await verb.run(
                    Verb.Call(
                        operands: operands, occurrences: occurrences, console: console, surroundings: surroundings))
            }
            return 0
        } catch {
            let failure = Failure(describing: error)
            console.report(failure)
            return failure.status
        }
    }
}

/// What a command line of `cluster` means.
enum ClusterRequest: Sendable {
    case help(Help, status: Int32)
    case version
    /// What a shell's completion asks; in no help.
    case complete(program: String, [String])
    case run(Verb, [Verb.Table.Occurrence], operands: [String])

    /// - Parameter words: those after the program's name.
    static func parse(_ words: [String]) throws(Failure) -> ClusterRequest {
        let before = try ClusterCommand.table.parse(words, operands: .endOptions) { spelling in
            let verb = ClusterCommand.verbs.first { verb in
                verb.options.contains { option in
                    option.short.map { "-\($0)" } == spelling || option.names.contains { "--" + $0 == spelling }
                }
            }
            return verb.map { "options of a verb come after it: cluster \($0.name) \(spelling)" }
        }
        let given = Set(before.occurrences.map(\.id))
        if given.contains(.version) { return .version }
        guard let name = before.operands.first else {
            return .help(ClusterCommand.help, status: given.contains(.help) ? 0 : Exit.usage)
        }
        var rest = before.operands.dropFirst()
        if name == "help" {
            guard let about = rest.popFirst() else { return .help(ClusterCommand.help, status: 0) }
            return .help(try verb(about).help, status: 0)
        }
        if name == "complete", let program = rest.popFirst() { return .complete(program: program, Array(rest)) }
        let verb = try verb(name)
        let after = try verb.table.parse(Array(rest), operands: verb.parsing)
        let occurrences = before.occurrences + after.occurrences
        if occurrences.contains(where: { $0.id == .help }) { return .help(verb.help, status: 0) }
        guard verb.operandCount.contains(after.operands.count) else {
            let count = after.operands.count
            let operand = verb.operands.filter(\.isLetter)
            let what =
                count < verb.operandCount.lowerBound
                ? "\(name): a \(operand) is missing"
                : verb.operandCount.upperBound == 0
                    ? "\(name) takes no further words, such as \"\(after.operands[0])\""
                    : "\(name) takes one \(operand), not \(count)"
            throw Failure(Exit.usage, what, remedy: "usage: \(verb.help.usage)")
        }
        return .run(verb, occurrences, operands: after.operands)
    }

    private static func verb(_ name: String) throws(Failure) -> Verb {
        let verbs = ClusterCommand.verbs
        if let verb = verbs.first(where: { $0.name == name }) { return verb }
        let nearest = Suggestion.nearest(to: name, among: verbs.map(\.name))
        throw Failure(
            Exit.usage, "there is no verb \"\(name)\"",
            remedy: nearest.map { "did you mean \($0)?" } ?? "cluster --help lists them")
    }
}
