import Slurm

/// What machines have free, as a person, a pipe or a program reads it.
struct ProbeTable: Sendable {
    var findings: [Probe.Finding]

    // MARK: For a person

    private static let titles = ["WHERE", "NODES", "CORES", "MEMORY", "DISK", "GPUS", "WAITING"]

    /// Lines that fit a terminal with so many columns: for each machine one, with more for its further GPUs and its partitions.
    func aligned(width: Int) -> [String] {
        var rows = [Self.titles]
        /// Lines that go across the columns, by the row that they stand in.
        var notes: [Int: String] = [:]
        for finding in findings {
            switch finding.result {
            case .failure(let failure):
                notes[rows.count] = failure.description
                rows.append([finding.name] + Array(repeating: "", count: 6))
            case .success(let report):
                rows += Self.rows(of: report, name: finding.name)
                for problem in [report.diskProblem, report.gpuProblem, report.partitionProblem] {
                    guard let problem else { continue }
                    notes[rows.count] = problem
                    rows.append(["  !"] + Array(repeating: "", count: 6))
                }
            }
        }
        rows = rows.map { $0.map(TerminalText.line) }
        let used = (0..<7).filter { column in
            column == 0 || rows.dropFirst().contains { !$0[column].isEmpty }
        }
        let widths = used.map { column in rows.map { TerminalText.width($0[column]) }.max() ?? 0 }
        return rows.enumerated().map { index, row in
            var line = TerminalText.pad(row[0], to: widths[0])
            if let note = notes[index] {
                line += "  " + TerminalText.line(note)
            } else {
                for (column, width) in zip(used, widths).dropFirst() {
                    line += "  " + TerminalText.pad(row[column], to: width)
                }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return TerminalText.cut(line, to: width)
        }
    }

    private static func rows(of report: MachineReport, name: String) -> [[String]] {
        let memory = report.memory.map(words) ?? ""
        let disk = report.disk.map { "\(byteCount($0.free)) free" } ?? ""
        let cores =
            report.cores.map { cores in
                "\(report.freeCores ?? cores) of \(cores)" + (report.load.map { ", load \(tenths($0))" } ?? "")
            }
            ?? ""
        let gpus = report.gpus.flatMap(words)
        var rows = [[name, "", cores, memory, disk, gpus.first ?? "", ""]]
        for gpu in gpus.dropFirst() { rows.append(["", "", "", "", "", gpu, ""]) }
        for partition in report.partitions {
            let gpus = partition.gpus.map { "\($0.type.isEmpty ? "" : $0.type + " ")\(words($0.share))" }
            let name = "  \(partition.name)" + (partition.isDefault ? "*" : "") + (partition.isUp ? "" : " (down)")
            rows.append([
                name, words(partition.nodes), words(partition.cpus), "", "", gpus.joined(separator: ", "),
                "\(partition.pending)",
            ])
        }
        return rows
    }

    /// A GPU, or each of the parts that it is divided into, in a line.
    private static func words(_ gpu: GPU) -> [String] {
        let name = gpu.name.hasPrefix("NVIDIA ") ? String(gpu.name.dropFirst(7)) : gpu.name
        guard gpu.slices.isEmpty else {
            return gpu.slices.map { slice in
                let users = gpu.processes.filter { $0.instance != nil && $0.instance == slice.instance }.compactMap(
                    \.user)
                let parts = [slice.memory.map(words), Set(users).sorted().joined(separator: " ")].compactMap { $0 }
                return "\(gpu.index).\(slice.index) \(name) MIG: "
                    + parts.filter { !$0.isEmpty }.joined(separator: ", ")
            }
        }
        let parts = [
            gpu.memory.map(words), gpu.utilization.map { "\($0) %" },
            gpu.users.isEmpty ? nil : gpu.users.joined(separator: " "),
        ].compactMap { $0 }
        return ["\(gpu.index) \(name)" + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", "))]
    }

    private static func words(_ memory: GPU.Memory) -> String {
        "\(byteCount(memory.free)) of \(byteCount(memory.total))"
    }

    private static func words(_ share: PartitionUsage.Share) -> String { "\(share.free) of \(share.total)" }

    // MARK: For a pipe

    /// Fields between tabs, always these in this order: the machine, what the line is about (`machine`, `gpu`, `partition`,
    /// `unreachable`), its name, free nodes, all, free cores, all, free memory in bytes, all, free disk, all, use of the GPU in per
    /// cent, who uses it, jobs that wait, and what is wrong. What is not known is empty.
    func tabSeparated() -> [String] {
        var lines: [[String]] = []
        func add(
            _ finding: Probe.Finding, _ kind: String, _ name: String, nodes: PartitionUsage.Share? = nil,
            cores: PartitionUsage.Share? = nil, memory: GPU.Memory? = nil, disk: GPU.Memory? = nil, use: Int? = nil,
            users: [String] = [], waiting: Int? = nil, problem: String? = nil
        ) {
            func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "" }
            lines.append([
                finding.name, kind, name, text(nodes?.free), text(nodes?.total), text(cores?.free), text(cores?.total),
                text(memory?.free), text(memory?.total), text(disk?.free), text(disk?.total), text(use),
                users.joined(separator: " "), text(waiting), problem ?? "",
            ])
        }
        for finding in findings {
            switch finding.result {
            case .failure(let failure): add(finding, "unreachable", finding.name, problem: failure.description)
            case .success(let report):
                let problems = [report.diskProblem, report.gpuProblem, report.partitionProblem].compactMap { $0 }
                add(
                    finding, "machine", report.host ?? finding.name,
                    cores: report.cores.map { .init(free: report.freeCores ?? $0, total: $0) }, memory: report.memory,
                    disk: report.disk, problem: problems.joined(separator: "; "))
                for gpu in report.gpus {
                    guard gpu.slices.isEmpty else {
                        for slice in gpu.slices {
                            add(finding, "gpu", "\(gpu.name) \(gpu.index).\(slice.index)", memory: slice.memory)
                        }
                        continue
                    }
                    add(
                        finding, "gpu", "\(gpu.name) \(gpu.index)", memory: gpu.memory, use: gpu.utilization,
                        users: gpu.users)
                }
                for partition in report.partitions {
                    add(
                        finding, "partition", partition.name, nodes: partition.nodes, cores: partition.cpus,
                        waiting: partition.pending)
                    for (type, share) in partition.gpus {
                        add(finding, "gpu", "\(partition.name) \(type)", nodes: share)
                    }
                }
            }
        }
        return lines.map { $0.map(TerminalText.line).joined(separator: "\t") }
    }

    // MARK: For a program

    /// One JSON object a line for each machine; the README has its members. What is not known is left out.
    func json() -> [String] { findings.map { $0.json.description } }
}

extension Probe.Finding {
    fileprivate var json: JSONValue {
        func object(_ members: [(String, JSONValue?)]) -> JSONValue {
            .object(members.compactMap { name, value in value.map { .init(name, $0) } })
        }
        func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }
        func number(_ value: Int?) -> JSONValue? { value.map { .number("\($0)") } }
        func memory(_ name: String, _ memory: GPU.Memory?) -> [(String, JSONValue?)] {
            [("\(name)_free", number(memory?.free)), ("\(name)_total", number(memory?.total))]
        }
        func share(_ name: String, _ share: PartitionUsage.Share) -> [(String, JSONValue?)] {
            [("\(name)_free", number(share.free)), ("\(name)_total", number(share.total))]
        }
        let head: [(String, JSONValue?)] = [("name", .string(name)), ("profile", text(profile?.path))]
        switch result {
        case .failure(let failure):
            return object(
                head + [("reachable", false), ("reason", text(failure.description)), ("remedy", text(failure.remedy))])
        case .success(let report):
            let partitions = report.partitions.map { partition in
                object(
                    [
                        ("name", .string(partition.name)), ("default", .bool(partition.isDefault)),
                        ("up", .bool(partition.isUp)),
                    ]
                        + share("nodes", partition.nodes) + share("cores", partition.cpus) + [
                            (
                                "gpus",
                                .array(
                                    partition.gpus.map {
                                        object([
                                            ("type", .string($0.type)), ("free", number($0.share.free)),
                                            ("total", number($0.share.total)),
                                        ])
                                    })
                            ), ("waiting", number(partition.pending)),
                        ])
            }
            var members = head + [("reachable", true), ("host", text(report.host))]
            members += [
                ("cores", number(report.cores)), ("cores_free", number(report.freeCores)),
                ("load", report.load.map { .number(tenths($0)) }),
            ]
            members += memory("memory", report.memory) + memory("disk", report.disk)
            members += [
                ("runs", text(report.runs)), ("disk_problem", text(report.diskProblem)),
                ("gpus", .array(report.gpus.map(\.json))),
                ("gpu_problem", text(report.gpuProblem)), ("partitions", .array(partitions)),
                ("partition_problem", text(report.partitionProblem)),
            ]
            return object(members)
        }
    }
}
