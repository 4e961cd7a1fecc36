import Foundation

/// What was measured, as a table and as JSON.
struct Report: Sendable {
    private struct Entry: Sendable {
        var benchmark: String
        var row: Row
    }

    private var entries: [Entry] = []
    private var failures: [(benchmark: String, reason: String)] = []

    var hasFailures: Bool { !failures.isEmpty }

    /// All rows, in their order.
    var rows: [Row] { entries.map(\.row) }

    mutating func add(_ rows: [Row], of benchmark: Benchmark) {
        entries += rows.map { Entry(benchmark: benchmark.name, row: $0) }
    }

    mutating func addFailure(_ reason: String, of benchmark: Benchmark) {
        failures.append((benchmark.name, reason))
    }

    // MARK: Table

    /// In columns, for people.
    var table: String {
        var lines = [["what", "ours", "theirs", "ratio", "to reach", "", "against"]]
        var notes: [Int: [String]] = [:]
        for entry in entries {
            let row = entry.row
            lines.append([
                row.what, row.ours.median.map(row.unit.words) ?? "-", row.theirs.median.map(row.unit.words) ?? "-",
                row.ratio.map { String(format: "%.2f", $0) } ?? "-", row.goal.words(row.unit),
                row.isReached.map { $0 ? "yes" : "NO" } ?? "", row.against,
            ])
            notes[lines.count - 1] = row.details.map { detail in
                let limit = detail.limit.map { ", to reach: ≤ \(detail.unit.words($0))" } ?? ""
                return "    \(detail.name): \(detail.unit.words(detail.value))\(limit)"
            }
        }
        let widths = (0..<lines[0].count).map { column in lines.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for (index, line) in lines.enumerated() {
            let cells = zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            var row = cells.joined(separator: "  ")
            while row.last == " " { row.removeLast() }
            text += row + "\n"
            for note in notes[index] ?? [] { text += note + "\n" }
        }
        for failure in failures { text += "\(failure.benchmark): not measured: \(failure.reason)\n" }
        return text
    }

    // MARK: JSON

    /// All numbers; units are in the names.
    func json() throws -> Data {
        let document = Document(
            date: Date().formatted(.iso8601), system: ProcessInfo.processInfo.operatingSystemVersionString,
            cores: ProcessInfo.processInfo.activeProcessorCount,
            rows: entries.map { entry in
                let row = entry.row
                return Document.Row(
                    benchmark: entry.benchmark, what: row.what, against: row.against, goal: row.goal.words(row.unit),
                    reached: row.isReached, unit: row.unit.rawValue, ours: row.ours.values,
                    theirs: row.theirs.values, medianOurs: row.ours.median, medianTheirs: row.theirs.median,
                    ratio: row.ratio,
                    details: row.details.map {
                        Document.Detail(name: $0.name, value: $0.value, unit: $0.unit.rawValue, limit: $0.limit)
                    })
            },
            failures: failures.map { Document.Failure(benchmark: $0.benchmark, reason: $0.reason) })
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(document)
    }

    private struct Document: Encodable {
        struct Row: Encodable {
            var benchmark, what, against, goal: String
            var reached: Bool?
            var unit: String
            var ours, theirs: [Double]
            var medianOurs, medianTheirs, ratio: Double?
            var details: [Detail]
        }
        struct Detail: Encodable {
            var name: String
            var value: Double
            var unit: String
            var limit: Double?
        }
        struct Failure: Encodable { var benchmark, reason: String }

        var date, system: String
        var cores: Int
        var rows: [Row]
        var failures: [Failure]
    }
}

extension Unit {
    /// A number as people say it.
    func words(_ value: Double) -> String {
        switch self {
        case .seconds where value < 0.1: String(format: "%.1f ms", value * 1000)
        case .seconds: String(format: "%.2f s", value)
        case .bytesPerSecond: String(format: "%.0f MB/s", value / 1e6)
        case .bytes where value < 1e6: String(format: "%.0f kB", value / 1e3)
        case .bytes: String(format: "%.1f MB", value / 1e6)
        case .count: value == value.rounded() ? String(format: "%.0f", value) : String(format: "%.1f", value)
        }
    }
}

extension Goal {
    func words(_ unit: Unit) -> String {
        switch self {
        case .ratioAtMost(let limit): "≤ \(limit)"
        case .ratioAtLeast(let limit): "≥ \(limit)"
        case .atMost(let limit): "≤ \(unit.words(limit))"
        case .none: "-"
        }
    }
}
