import Slurm

/// What jobs use, as lines of text: for a terminal of some size, or for no terminal.
struct TopTable: Sendable {
    /// A job, and what is known of it.
    struct Entry: Sendable {
        /// What a person calls it.
        var title: String
        /// On which cluster, and how it is.
        var words: String
        var nodes: [NodeUse]
    }

    let style: TerminalStyle
    /// In characters; nil for as many as it takes.
    var width: Int?
    /// How wide a picture of the past is; none for none.
    var pictureWidth: Int
    var order = NodeUse.Order.processor

    /// For a terminal.
    static func forScreen(_ style: TerminalStyle, width: Int) -> TopTable {
        // What is left of a line beside the figures; in a narrow one the figures are worth more.
        TopTable(style: style, width: width, pictureWidth: max(0, min(40, width - 60)))
    }

    /// - Parameter rows: how many lines there may be; nil for all. Processes make way first, each node has some of them.
    func lines(_ entries: [Entry], rows: Int? = nil) -> [String] {
        var blocks: [(head: [String], processes: [String])] = []
        for entry in entries {
            var head = [style.paint(fit(style.plain("job \(entry.title) \(entry.words)")), .strong)]
            for node in entry.nodes {
                head += self.head(of: node)
                blocks.append((head, processes(of: node)))
                head = []
            }
            if entry.nodes.isEmpty { blocks.append((head, [])) }
        }
        let heads = blocks.reduce(0) { $0 + $1.head.count }
        var left = rows.map { max(0, $0 - heads) } ?? .max
        var lines: [String] = []
        for (index, block) in blocks.enumerated() {
            lines += block.head
            let share = left == .max ? .max : left / (blocks.count - index)
            let shown = block.processes.prefix(share)
            // A heading alone says nothing.
            if shown.count > 1 || shown.count == block.processes.count { lines += shown }
            if left != .max { left -= shown.count }
        }
        return rows.map { Array(lines.prefix($0)) } ?? lines
    }

    // MARK: A node

    private func head(of node: NodeUse) -> [String] {
        let sample = node.latest
        let cores = Double(sample.cores ?? 0)
        var lines: [String] = []
        var words = node.cores.map { "\(percent($0)) of \(sample.cores.map { "\($0)" } ?? "?") cores" } ?? "-"
        words = pad(words, 24)
        let all = [
            sample.node, node.node.map { "node \(percent($0))" }, sample.load.map { "load \(tenths($0))" },
        ].compactMap(\.self)
        lines.append(
            row(
                "CPU", style.sparkline(node.coresHistory, top: cores, width: pictureWidth), words,
                all.joined(separator: ", "), isHigh: cores > 0 && (node.cores ?? 0) > 0.95 * cores ? .good : nil))
        let limit = sample.memoryLimit ?? sample.memory?.total
        let used = byteCount(sample.memoryUsed) + (limit.map { " of \(byteCount($0))" } ?? "")
        let share = limit.map { Double(sample.memoryUsed) / Double(max(1, $0)) } ?? 0
        lines.append(
            row(
                "MEM", style.sparkline(node.memoryHistory, top: Double(limit ?? 0), width: pictureWidth), pad(used, 24),
                sample.memory.map { "node \(byteCount($0.total - $0.free)) of \(byteCount($0.total))" } ?? "",
                isHigh: share > 0.9 ? .bad : share > 0.75 ? .warning : nil))
        for gpu in sample.gpus { lines += self.lines(of: gpu, node) }
        if let problem = sample.gpuProblem { lines.append(row("GPU", blank, pad("-", 24), problem, isHigh: nil)) }
        return lines
    }

    private var blank: String { String(repeating: " ", count: pictureWidth) }

    private func lines(of gpu: GPU, _ node: NodeUse) -> [String] {
        let use = pad(gpu.utilization.map { "\($0) %" } ?? "-", 6)
        let memory = gpu.memory.map { "\(byteCount($0.total - $0.free)) of \(byteCount($0.total))" } ?? "-"
        let rest = [
            gpu.temperature.map { "\($0) \(style.degrees)" } ?? "-", gpu.power.map { "\($0) W" } ?? "-",
            gpu.name.hasPrefix("NVIDIA ") ? String(gpu.name.dropFirst(7)) : gpu.name,
        ]
        var lines = [
            row(
                "GPU \(gpu.index)",
                style.sparkline(node.gpuHistory[gpu.index] ?? [], top: 100, width: pictureWidth),
                pad("\(use) \(memory)", 24), rest.joined(separator: ", "),
                isHigh: (gpu.temperature ?? 0) >= 85 ? .warning : nil)
        ]
        for slice in gpu.slices {
            let memory = slice.memory.map { "\(byteCount($0.total - $0.free)) of \(byteCount($0.total))" } ?? "-"
            lines.append(
                row(" \(gpu.index).\(slice.index)", blank, pad("\(pad("-", 6)) \(memory)", 24), "MIG", isHigh: nil))
        }
        return lines
    }

    // MARK: Processes

    private func processes(of node: NodeUse) -> [String] {
        let processes = node.processes(by: order)
        guard !processes.isEmpty else { return [] }
        let users = max(4, processes.map { TerminalText.width($0.user ?? "-") }.max() ?? 4)
        let heading =
            "    PID \(pad("USER", users))  CPU %  MEMORY     TIME COMMAND"
        var lines = [style.paint(fit(heading), .faint)]
        for process in processes {
            let share = node.shares[process.id].map { tenths($0 * 100) } ?? "-"
            let line =
                "\(right("\(process.id)", 7)) \(pad(style.plain(process.user ?? "-"), users)) \(right(share, 6)) "
                + "\(right(byteCount(process.memory), 7)) \(right(Self.clock(process.used), 8)) "
                + style.plain(process.command)
            lines.append(fit(line))
        }
        return lines
    }

    /// Seconds as `1:02:03` or `2:03`.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }

    // MARK: Lines

    private func row(
        _ label: String, _ picture: String, _ words: String, _ rest: String, isHigh colour: TerminalStyle.Colour?
    ) -> String {
        let picture = pictureWidth > 0 ? picture + "  " : ""
        let head = pad(label, 6)
        let text = fit(head + picture + words + "  " + style.plain(rest))
        guard let colour, style.isColoured, text.count > head.count else { return text }
        let start = text.index(text.startIndex, offsetBy: head.count)
        let end = text.index(start, offsetBy: picture.count + words.count, limitedBy: text.endIndex) ?? text.endIndex
        return text[..<start] + style.paint(String(text[start..<end]), colour) + text[end...]
    }

    /// As much of it as fits a line, without blanks at its end.
    private func fit(_ text: String) -> String {
        var line = width.map { cut(text, to: $0) } ?? text
        while line.last == " " { line.removeLast() }
        return line
    }

    private func cut(_ text: String, to width: Int) -> String {
        let cut = TerminalText.cut(text, to: width)
        return style.isUnicode ? cut : String(cut.map { $0 == "…" ? "~" : $0 })
    }

    private func percent(_ part: Double) -> String { "\(Int((part * 100).rounded())) %" }
    private func pad(_ text: String, _ count: Int) -> String { TerminalText.pad(text, to: count) }
    private func right(_ text: String, _ count: Int) -> String {
        String(repeating: " ", count: max(0, count - TerminalText.width(text))) + text
    }
}
