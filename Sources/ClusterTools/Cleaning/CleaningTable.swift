import Slurm

/// What is to go, and what stays, as a person, a pipe or a program reads it.
struct CleaningTable: Sendable {
    let plan: CleaningPlan
    let cluster: String
    /// The present moment, in seconds since 1970.
    let now: Int

    /// Lines for a terminal with so many columns: what is to go.
    func aligned(width: Int) -> [String] {
        let rows = plan.removed.map { item in
            [
                item.job?.title ?? "-", age(item), item.thing == .record ? "" : byteCount(item.kilobytes * 1024),
                what(item),
                item.path,
            ].map(TerminalText.line)
        }
        let lines = [["JOB", "LAST USED", "SIZE", "WHAT", "FOLDER"]] + rows
        let widths = (0..<4).map { column in lines.map { TerminalText.width($0[column]) }.max() ?? 0 }
        return lines.map { line in
            let columns = (0..<4).map { TerminalText.pad(line[$0], to: widths[$0]) } + [line[4]]
            return TerminalText.cut(columns.joined(separator: "  "), to: width)
        }
    }

    /// Fields between tabs: `remove` or `keep`, what it is, job, bytes, when it was last of use (seconds since 1970), path, why it
    /// is kept.
    func tabSeparated() -> [String] {
        plan.items.map { item in
            [
                item.reason == nil ? "remove" : "keep", item.thing.word, item.job?.title ?? "",
                "\(item.kilobytes * 1024)", "\(item.last)", item.path, item.reason ?? "",
            ].map(TerminalText.line).joined(separator: "\t")
        }
    }

    /// One JSON object a line.
    func json() -> [String] {
        plan.items.map { item in
            let members: [(String, JSONValue?)] = [
                ("cluster", .string(cluster)), ("what", .string(item.thing.word)),
                ("job", item.job.map { .string($0.title) }), ("path", .string(item.path)),
                ("bytes", .number("\(item.kilobytes * 1024)")), ("last", .number("\(item.last)")),
                ("remove", .bool(item.reason == nil)), ("reason", item.reason.map { .string($0) }),
            ]
            return JSONValue.object(members.compactMap { name, value in value.map { .init(name, $0) } }).description
        }
    }

    /// What stays, and why: a line for each reason.
    func keptWords() -> [String] {
        var counts: [String: Int] = [:]
        for item in plan.kept { counts["\(item.thing.word)|\(item.reason ?? "")", default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { key, count in
            let parts = key.split(separator: "|", maxSplits: 1)
            return "kept: \(count) \(parts[0])\(count == 1 ? "" : "s"): \(parts.last ?? "")"
        }
    }

    private func what(_ item: CleaningPlan.Item) -> String {
        switch item.thing {
        case .run: item.job?.ending?.description ?? "run"
        case .environment: "environment"
        case .leftover: "leftover"
        case .record: "its record"
        }
    }

    private func age(_ item: CleaningPlan.Item) -> String { "\(SlurmDuration.words(now - item.last)) ago" }
}
