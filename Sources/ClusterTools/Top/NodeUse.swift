/// What a job uses on one node, over the last minutes: rates come from two samples. A value without I/O.
struct NodeUse: Sendable {
    /// How many samples are remembered.
    static let longest = 240

    private(set) var latest: NodeSample
    /// How many cores the job keeps busy; nil after one sample alone.
    private(set) var cores: Double?
    /// How much of the node's cores everybody keeps busy, from 0 to 1.
    private(set) var node: Double?
    /// By process: how much of a core each uses.
    private(set) var shares: [Int: Double] = [:]
    /// The past, the newest last: cores, bytes, and by GPU per cent.
    private(set) var coresHistory: [Double] = []
    private(set) var memoryHistory: [Double] = []
    private(set) var gpuHistory: [Int: [Double]] = [:]

    init(_ first: NodeSample) {
        latest = first
        remember()
    }

    mutating func take(_ sample: NodeSample) {
        let before = latest
        let time = sample.moment - before.moment
        latest = sample
        guard time > 0 else {
            // The node was started anew, or the same moment came twice: nothing can be said of a rate.
            (cores, node, shares) = (nil, nil, [:])
            return remember()
        }
        if let a = before.processor, let b = sample.processor, b.total > a.total {
            node = min(1, max(0, (b.busy - a.busy) / (b.total - a.total)))
        }
        let earlier = Dictionary(before.processes.map { ($0.id, $0) }) { $1 }
        shares = [:]
        for process in sample.processes {
            // One that is new has used all of it since then.
            let same = earlier[process.id].flatMap { $0.start == process.start ? $0 : nil }
            shares[process.id] = max(0, process.used - (same?.used ?? 0)) / time
        }
        let sum = shares.values.reduce(0, +)
        if let a = before.used, let b = sample.used, b >= a {
            // What processes have used that are gone is counted there too.
            cores = max(sum, (b - a) / time)
        } else {
            cores = sum
        }
        remember()
    }

    private mutating func remember() {
        func add(_ value: Double, to history: inout [Double]) {
            history.append(value)
            if history.count > Self.longest { history.removeFirst(history.count - Self.longest) }
        }
        if let cores { add(cores, to: &coresHistory) }
        add(Double(latest.memoryUsed), to: &memoryHistory)
        for gpu in latest.gpus {
            if let utilization = gpu.utilization { add(Double(utilization), to: &gpuHistory[gpu.index, default: []]) }
        }
    }

    /// What of the processes is to stand at the top.
    enum Order: Sendable { case processor, memory }

    func processes(by order: Order) -> [NodeSample.Process] {
        latest.processes.sorted { a, b in
            switch order {
            case .processor:
                let (x, y) = (shares[a.id] ?? 0, shares[b.id] ?? 0)
                return x == y ? (a.memory, b.id) > (b.memory, a.id) : x > y
            case .memory: return (a.memory, b.id) > (b.memory, a.id)
            }
        }
    }
}
