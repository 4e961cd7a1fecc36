import Slurm

/// Environments as a person, a pipe or a program reads them.
struct EnvironmentTable: Sendable {
    let listing: EnvironmentListing
    let cluster: String
    /// The present moment, in seconds since 1970.
    let now: Int

    /// Lines for a terminal with so many columns.
    func aligned(width: Int) -> [String] {
        let rows = listing.items.map { item in
            [
                item.key, source(item), item.python ?? "", item.packages.map { "\($0)" } ?? "",
                item.kilobytes == 0 ? "" : byteCount(item.kilobytes * 1024), state(item),
            ].map(TerminalText.line)
        }
        let lines = [["KEY", "MADE FROM", "PYTHON", "PACKAGES", "SIZE", "LAST USED"]] + rows
        let widths = (0..<5).map { column in lines.map { TerminalText.width($0[column]) }.max() ?? 0 }
        return lines.map { line in
            let columns = (0..<5).map { TerminalText.pad(line[$0], to: widths[$0]) } + [line[5]]
            return TerminalText.cut(columns.joined(separator: "  "), to: width)
        }
    }

    /// Fields between tabs: key, state, project, what it is made from, by what, Python, packages, bytes, last use (seconds since
    /// 1970), jobs that use it, path (of one that failed: of the log).
    func tabSeparated() -> [String] {
        listing.items.map { item in
            [
                item.key, item.state.rawValue, item.project ?? "", item.source ?? "", item.installer ?? "",
                item.python ?? "", item.packages.map { "\($0)" } ?? "", "\(item.kilobytes * 1024)", "\(item.last)",
                item.jobs.joined(separator: ","), listing.path(of: item),
            ].map(TerminalText.line).joined(separator: "\t")
        }
    }

    /// One JSON object a line. What is not known is left out.
    func json() -> [String] {
        listing.items.map { item in
            func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }
            let members: [(String, JSONValue?)] = [
                ("cluster", .string(cluster)), ("key", .string(item.key)), ("state", .string(item.state.rawValue)),
                ("project", text(item.project)), ("source", text(item.source)), ("installer", text(item.installer)),
                ("python", text(item.python)), ("packages", item.packages.map { .number("\($0)") }),
                ("bytes", .number("\(item.kilobytes * 1024)")), ("last", .number("\(item.last)")),
                ("jobs", .array(item.jobs.map { .string($0) })), ("maker", text(item.maker)),
                ("path", .string(listing.path(of: item))),
            ]
            return JSONValue.object(members.compactMap { name, value in value.map { .init(name, $0) } }).description
        }
    }

    /// Where the logs of those that failed are.
    func failures() -> [String] {
        listing.items.filter { $0.state == .failed }.map {
            "\($0.key) could not be made\($0.maker.map { " by \($0)" } ?? ""): \(listing.path(of: $0))"
        }
    }

    private func source(_ item: EnvironmentListing.Item) -> String {
        guard let source = item.source else { return "" }
        return (item.project.map { "\($0): " } ?? "") + source + (item.installer.map { " (\($0))" } ?? "")
    }

    private func state(_ item: EnvironmentListing.Item) -> String {
        let age = "\(SlurmDuration.words(max(0, now - item.last))) ago"
        let maker = item.maker.map { ": \($0)" } ?? ""
        switch item.state {
        case .ready: return item.jobs.isEmpty ? age : "now, by job \(item.jobs.joined(separator: ", "))"
        case .making: return "is being made\(maker)"
        case .failed: return "failed \(age)"
        case .broken: return "never finished"
        }
    }
}
