#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The `cluster` command: what is to be known and done about jobs after `submit`.
public struct ClusterCommand {
    enum Option: Hashable, Sendable { case json, quiet, verbose, help, version }

    /// A verb: what the help says of it, and what it does.
    private struct Verb: Sendable {
        let name: String
        let synopsis: String
        let help: String
        let run: @Sendable (_ operands: [String], Console, Surroundings) async throws -> Int32
    }

    private static let verbs = [
        Verb(
            name: "attach", synopsis: "attach [JOB]",
            help: "watch a job from its beginning: output, TensorBoard, Ctrl-C, exit status"
        ) { try await AttachVerb(operands: $0, console: $1, surroundings: $2).run() },
        Verb(name: "jobs", synopsis: "jobs", help: "the jobs that were submitted from this machine, the newest first") {
            try JobsVerb(operands: $0, console: $1, surroundings: $2).run()
        },
    ]

    static let table = OptionTable<Option>(
        command: "cluster",
        groups: [
            .init(
                "Options",
                [
                    .init(.json, nil, ["json"], help: "status as one JSON object a line"),
                    .init(.quiet, "q", ["quiet"], help: "no status lines"),
                    .init(.verbose, "v", ["verbose"], help: "every step"),
                    .init(.help, "h", ["help"], help: "this screen"),
                    .init(.version, nil, ["version"], help: "the version"),
                ])
        ])

    static let help = Help(
        usage: "cluster VERB [options] [JOB]",
        summary: "Picks up jobs that submit has started, from any terminal, after any absence.",
        examples: [
            .init("cluster attach", "watch the newest job again"),
            .init("cluster attach 4242", "watch that one; the beginning of its number will do"),
        ],
        sections: [.init("Verbs", verbs.map { ($0.synopsis, $0.help) })], table: table,
        closing: "JOB is a number, a name or the beginning of a number; without it the newest job is meant.")

    /// Runs the command with this process's arguments.
    ///
    /// - Returns: the status to exit with.
    public static func main() async -> Int32 {
        let interrupts = Interrupts()
        var console = Console(program: "cluster", detail: .normal, isJSON: false, environment: [:])
        do {
            let surroundings = try Surroundings(interrupts: interrupts)
            let parsed = try table.parse(try RawArguments.strings(RawArguments.ofThisProcess()), operands: .anywhere)
            let given = Set(parsed.occurrences.map(\.id))
            if given.contains(.version) {
                print("cluster \(Product.version)")
                return 0
            }
            guard !given.contains(.help), let name = parsed.operands.first else {
                print(help.text(styled: isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil), terminator: "")
                return given.contains(.help) ? 0 : Exit.usage
            }
            let detail: Console.Detail =
                given.contains(.verbose) ? .verbose : given.contains(.quiet) ? .quiet : .normal
            console = Console(
                program: "cluster", detail: detail, isJSON: given.contains(.json), environment: surroundings.environment
            )
            guard let verb = verbs.first(where: { $0.name == name }) else {
                let nearest = Suggestion.nearest(to: name, among: verbs.map(\.name))
                throw Failure(
                    Exit.usage, "there is no verb \"\(name)\"",
                    remedy: nearest.map { "did you mean \($0)?" } ?? "cluster --help lists them")
            }
            return try await verb.run(Array(parsed.operands.dropFirst()), console, surroundings)
        } catch {
            let failure = Failure(describing: error)
            console.report(failure)
            return failure.status
        }
    }
}
