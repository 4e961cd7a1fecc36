import Slurm

/// Jobs and their states, as a person, a pipe or a program reads them.
struct JobTable: Sendable {
    struct Row: Sendable {
        var job: Job
        var status: JobStatus
    }

    /// In the order in which they are to be shown.
    var rows: [Row]
    /// The present moment, in seconds since 1970.
    var now: Int

    // MARK: For a person

    /// Wide enough for most, and narrow enough for what follows.
    private static let widestName = 20
    private static let widestCluster = 16
    /// With fewer columns names and clusters have half of that.
    private static let narrowTerminal = 60
    /// What most states need.
    private static let usualState = 40
    /// A command of which less can be seen is not worth its column.
    private static let narrowestCommand = 12

    /// Lines that fit a terminal with so many columns.
    func aligned(width: Int) -> [String] {
        var lines = [["JOB", "NAME", "CLUSTER", "STATE", "COMMAND"]]
        for row in rows {
            lines.append(
                [
                    row.job.title, row.job.name, row.job.cluster, row.status.shortWords(of: row.job, now: now),
                    ShellWord.join(row.job.command),
                ].map(TerminalText.line))
        }
        let natural = (0..<5).map { column in lines.map { TerminalText.width($0[column]) }.max() ?? 0 }
        var widths = natural
        let isNarrow = width < Self.narrowTerminal
        widths[1] = min(natural[1], isNarrow ? Self.widestName / 2 : Self.widestName)
        widths[2] = min(natural[2], isNarrow ? Self.widestCluster / 2 : Self.widestCluster)
        let rest = width - widths[0] - widths[1] - widths[2] - 6
        // The command has what the state leaves it, unless that is next to nothing.
        widths[3] = max(5, min(natural[3], max(Self.usualState, rest * 3 / 5), rest))
        widths[4] = rest - widths[3] - 2
        let hasCommand = widths[4] >= Self.narrowestCommand
        return lines.map { line in
            var text = ""
            for column in 0..<(hasCommand ? 5 : 4) {
                let isLast = column == (hasCommand ? 4 : 3)
                let cut = TerminalText.cut(line[column], to: widths[column])
                text += isLast ? cut : TerminalText.pad(cut, to: widths[column]) + "  "
            }
            return TerminalText.cut(text, to: width)
        }
    }

    // MARK: For a pipe

    /// Fields between tabs, always these in this order: the job's number (its token where there is none yet), name, cluster, state in
    /// one word, the state in words, node, exit status, time of submission, run folder, command. What is not known is empty.
    func tabSeparated() -> [String] {
        rows.map { row in
            let job = row.job
            let fields = [
                job.title, job.name, job.cluster, row.status.word, row.status.words(of: job, now: now), row.node ?? "",
                row.exitStatus.map { "\($0)" } ?? "", "\(job.submitted)", job.run ?? "", ShellWord.join(job.command),
            ]
            return fields.map(TerminalText.line).joined(separator: "\t")
        }
    }

    // MARK: For a program

    /// One JSON object a line; the README has its members. What is not known is left out.
    func json() -> [String] { rows.map { $0.json(now: now).description } }
}

extension JobTable.Row {
    fileprivate var node: String? {
        switch status {
        case .running(_, let node, _, _), .lingering(_, let node): node ?? job.node
        default: job.node
        }
    }

    /// The command's own.
    fileprivate var exitStatus: Int32? {
        switch status {
        case .ended(let ending, _, _): ending.status
        case .lingering(let status, _): status
        default: nil
        }
    }

    fileprivate func json(now: Int) -> JSONValue {
        func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }
        func number(_ value: (some BinaryInteger)?) -> JSONValue? { value.map { .number("\($0)") } }
        var members: [(String, JSONValue?)] = [
            ("job", text(job.id)), ("token", text(job.token)), ("name", text(job.name)), ("cluster", text(job.cluster)),
            ("profile", text(job.profilePath)), ("state", text(status.word)),
            ("words", text(status.words(of: job, now: now))), ("node", text(node)),
        ]
        switch status {
        case .queued(let reason, let start):
            members += [("reason", text(reason)), ("expected_start", number(start))]
        case .running(_, _, let elapsed, let tasks):
            members += [("elapsed", number(elapsed))]
            if let tasks {
                members += [
                    ("tasks_running", number(tasks.running)), ("tasks_waiting", number(tasks.waiting)),
                    ("tasks_ended", number(tasks.ended)),
                ]
            }
        case .ended(let ending, let moment, let isCertain):
            members += [
                ("cause", text(ending.cause.rawValue)), ("status", number(ending.exitStatus)),
                ("problem", text(ending.problem)), ("ended", number(moment)), ("is_certain", .bool(isCertain)),
            ]
        case .unknown(let why):
            members += [
                ("reason", text(why)), ("last_state", text(job.seen?.words)), ("last_seen", number(job.seen?.at)),
            ]
        case .submitting, .lingering, .ending: break
        }
        members += [
            ("exit_status", number(exitStatus)), ("submitted", number(job.submitted)), ("run", text(job.run)),
            ("array", .bool(job.isArray)), ("tensorboard", .bool(job.hasTensorBoard)), ("commit", text(job.commit)),
            ("reference", text(job.reference)), ("repository", text(job.repository)),
            ("command", .array(job.command.map { .string($0) })),
        ]
        return .object(members.compactMap { name, value in value.map { .init(name, $0) } })
    }
}
