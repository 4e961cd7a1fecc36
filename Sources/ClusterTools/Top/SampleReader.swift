/// Makes samples of the lines of `templates/remote/sample.sh`, which come from several nodes in any order. A value without I/O.
struct SampleReader {
    /// What is known of a node, and the sample that is being read.
    fileprivate struct Node {
        /// Ticks in a second, and bytes in a page.
        var ticks = 100.0
        var page = 4096
        var cores: Int?
        var allowed: Int?
        var devices: [String]?
        var owners: [Int: (user: String, command: String)] = [:]

        var sample: NodeSample
        var moment: Double?
        var memory: [Substring: Int] = [:]
        var gpuLines: [String] = []
        var listing: [String] = []
        var gpuOwners: [Int: String] = [:]
    }

    /// Whether the job has a scheduler, which says by the devices whether it has GPUs at all.
    let hasScheduler: Bool
    private var nodes: [String: Node] = [:]

    init(hasScheduler: Bool) { self.hasScheduler = hasScheduler }

    /// Takes in a line. One that cannot be read is passed over.
    ///
    /// - Parameter value: `NODE VALUE`.
    /// - Returns: a sample that is complete with it.
    mutating func read(key: String, value: String) -> NodeSample? {
        let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard !name.isEmpty else { return nil }
        let text = parts.count > 1 ? String(parts[1]) : ""
        var node = nodes[name] ?? Node(sample: NodeSample(node: name, moment: 0))
        defer { nodes[name] = node }
        if key == "end" { return Self.finish(&node, hasScheduler: hasScheduler) }
        node.read(key, text)
        return nil
    }

    private static func finish(_ node: inout Node, hasScheduler: Bool) -> NodeSample? {
        defer {
            node.sample = NodeSample(node: node.sample.node, moment: 0)
            node.moment = nil
            (node.memory, node.gpuLines, node.listing, node.gpuOwners) = ([:], [], [], [:])
        }
        guard let moment = node.moment else { return nil }
        var sample = node.sample
        sample.moment = moment
        sample.cores = node.cores
        // A control group without a limit has a number that no machine has.
        let total = node.memory["MemTotal:"]
        let limits = [sample.memoryLimit, node.allowed].compactMap(\.self).filter { $0 < total ?? .max }
        sample.memoryLimit = limits.min()
        if let total {
            sample.memory = GPU.Memory(
                total: total, free: node.memory["MemAvailable:"] ?? node.memory["MemFree:"] ?? total)
        }
        for index in sample.processes.indices {
            guard let owner = node.owners[sample.processes[index].id] else { continue }
            sample.processes[index].user = owner.user
            if !owner.command.isEmpty { sample.processes[index].command = owner.command }
        }
        let all = GPUReader.gpus(in: node.gpuLines, owners: node.gpuOwners, listing: node.listing)
        sample.gpus = gpus(of: sample, among: all, devices: node.devices, hasScheduler: hasScheduler)
        return sample
    }

    /// Those of the job: the devices that it may see, or those that it uses.
    private static func gpus(
        of sample: NodeSample, among gpus: [GPU], devices: [String]?, hasScheduler: Bool
    ) -> [GPU] {
        guard let devices else {
            guard hasScheduler else { return gpus }
            let own = Set(sample.processes.map(\.id))
            return gpus.filter { $0.processes.contains { own.contains($0.id) } }
        }
        return gpus.filter { gpu in
            devices.contains { device in
                if let index = Int(device) { return gpu.index == index }
                // A part of the name will do, as with CUDA.
                return gpu.uuid?.hasPrefix(device) == true
                    || gpu.slices.contains { $0.uuid?.hasPrefix(device) == true }
            }
        }
    }
}

extension SampleReader.Node {
    fileprivate mutating func read(_ key: String, _ text: String) {
        let words = text.split(separator: " ")
        let numbers = words.map { Double($0).flatMap { $0.isFinite && $0 >= 0 && $0 < 1e18 ? $0 : nil } }
        switch key {
        case "at": moment = numbers.first ?? nil
        case "cores": cores = words.first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        case "clock":
            if numbers.count == 2, let clock = numbers[0], clock > 0 { ticks = clock }
            if words.count == 2, let size = Int(words[1]), size > 0, size < 1 << 30 { page = size }
        case "allowed": allowed = numbers.first.flatMap(\.self).map { Int($0 * 1048576) }
        case "devices": devices = text.split { $0 == "," || $0 == " " }.map(String.init)
        case "cpu":
            if numbers.count == 2, let busy = numbers[0], let total = numbers[1] { sample.processor = (busy, total) }
        case "load": sample.load = numbers.first ?? nil
        case "memory":
            if words.count == 2, let kilobytes = Int(words[1]), (0..<1 << 50).contains(kilobytes) {
                memory[words[0]] = kilobytes << 10
            }
        case "limit": sample.memoryLimit = words.first.flatMap { Int($0) }
        case "used":
            // Microseconds with their name, or nanoseconds.
            if words.count == 2, words[0] == "usage_usec", let time = numbers[1] { sample.used = time / 1e6 }
            if words.count == 1, let time = numbers[0] { sample.used = time / 1e9 }
        case "process": readProcess(text)
        case "command":
            let parts = text.split(separator: " ", maxSplits: 2)
            guard parts.count >= 2, let id = Int(parts[0]) else { break }
            owners[id] = (String(parts[1]), parts.count > 2 ? String(parts[2]) : "")
        case "gpu": gpuLines.append(text)
        case "device": listing.append(text)
        case "owner":
            if words.count == 2, let id = Int(words[0]) { gpuOwners[id] = String(words[1]) }
        case "gpu-problem": sample.gpuProblem = text
        default: break
        }
    }

    /// `PID STATE TICKS BEGINNING PAGES THREADS NAME`.
    private mutating func readProcess(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
        guard parts.count == 7, let id = Int(parts[0]), let used = Double(parts[2]), let start = Double(parts[3]),
            let pages = Int(parts[4]), (0..<1 << 40).contains(pages), let threads = Int(parts[5])
        else { return }
        // What Slurm itself runs for a step is not the job's.
        guard parts[6] != "slurmstepd" else { return }
        sample.processes.append(
            NodeSample.Process(
                id: id, user: nil, state: String(parts[1]), used: used / ticks, start: start / ticks,
                memory: pages * page, threads: threads, command: "[\(parts[6])]"))
    }
}
