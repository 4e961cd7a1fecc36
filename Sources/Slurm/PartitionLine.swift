/// A line of `sinfo`: nodes of a partition that are alike in all that is asked for.
public struct PartitionLine: Sendable, Equatable {
    /// The columns for `sinfo --Format`, which cuts and pads each to its width and puts nothing between them.
    public static let format = columns.map { "\($0.name):\($0.width)" }.joined(separator: ",")

    private static let columns: [(name: String, width: Int)] = [
        ("Partition", 60), ("Available", 10), ("Nodes", 10), ("StateLong", 20), ("CPUsState", 40), ("Gres", 200),
        ("GresUsed", 200),
    ]

    public let partition: String
    /// Jobs that name none come here.
    public let isDefault: Bool
    /// Whether the partition takes jobs.
    public let isUp: Bool
    public let nodes: Int
    /// Such as `idle`, `mixed`, `drained`; without the marks that sinfo puts behind it.
    public let state: String
    public let cpus: (allocated: Int, idle: Int, other: Int, total: Int)
    /// Of each node.
    public let gpus: GenericResources
    /// Of each node.
    public let gpusInUse: GenericResources

    /// Reads one line.
    public init(_ line: some StringProtocol) throws(SlurmError) {
        var rest = Array(line.utf8)[...]
        var fields: [String] = []
        for column in Self.columns {
            let field = rest.prefix(column.width)
            fields.append(String(decoding: field, as: UTF8.self).trimming(" "))
            rest = rest.dropFirst(column.width)
        }
        let counts = fields[4].split(separator: "/", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard !fields[0].isEmpty, let nodes = Int(fields[2]), nodes >= 0, counts.count == 4,
            counts.allSatisfy({ (0...1 << 40).contains($0) })
        else { throw SlurmError(.unreadable, "sinfo printed a line that is no partition: \(line.prefix(200))") }
        isDefault = fields[0].hasSuffix("*")
        partition = isDefault ? String(fields[0].dropLast()) : fields[0]
        isUp = fields[1] == "up"
        self.nodes = nodes
        state = String(fields[3].prefix { $0.isLetter })
        cpus = (counts[0], counts[1], counts[2], counts[3])
        gpus = GenericResources(fields[5])
        gpusInUse = GenericResources(fields[6])
    }

    /// Whether these nodes take jobs, now or when others have ended.
    public var isUsable: Bool { ["idle", "mixed", "allocated", "completing", "planned"].contains(state) }

    public static func == (a: PartitionLine, b: PartitionLine) -> Bool {
        a.partition == b.partition && a.isDefault == b.isDefault && a.isUp == b.isUp && a.nodes == b.nodes
            && a.state == b.state && a.cpus == b.cpus && a.gpus == b.gpus && a.gpusInUse == b.gpusInUse
    }
}

/// A partition and what of it is free.
public struct PartitionUsage: Sendable, Equatable {
    /// Things of which some are free.
    public struct Share: Sendable, Equatable {
        public var free = 0
        public var total = 0

        public init(free: Int = 0, total: Int = 0) {
            self.free = free
            self.total = total
        }
    }

    public var name: String
    public var isDefault: Bool
    /// Whether it takes jobs.
    public var isUp: Bool
    /// Free are those that have no job at all.
    public var nodes = Share()
    public var cpus = Share()
    /// By type, in the order of their names: sinfo's own changes with what the nodes do. The total has those of nodes that are down too.
    public var gpus: [(type: String, share: Share)] = []
    /// So many cores are free on one node at least: Slurm counts those of nodes in the same state together.
    public var coresOfANode = 0
    /// So many GPUs of a type are.
    public var gpusOfANode: [String: Int] = [:]
    /// How many jobs wait for it.
    public var pending = 0

    public static func == (a: PartitionUsage, b: PartitionUsage) -> Bool {
        a.name == b.name && a.isDefault == b.isDefault && a.isUp == b.isUp && a.nodes == b.nodes && a.cpus == b.cpus
            && a.gpus.elementsEqual(b.gpus) { $0 == $1 } && a.pending == b.pending
            && a.coresOfANode == b.coresOfANode && a.gpusOfANode == b.gpusOfANode
    }

    /// Puts the lines of `sinfo` together.
    ///
    /// - Parameter pending: how many jobs wait for each partition, by its name.
    /// - Returns: in the order of sinfo.
    public static func all(in lines: [PartitionLine], pending: [String: Int]) -> [PartitionUsage] {
        var usages: [PartitionUsage] = []
        for line in lines {
            let index: Int
            if let known = usages.firstIndex(where: { $0.name == line.partition }) {
                index = known
            } else {
                index = usages.count
                usages.append(PartitionUsage(name: line.partition, isDefault: line.isDefault, isUp: line.isUp))
                usages[index].pending = pending[line.partition] ?? 0
            }
            usages[index].add(line)
        }
        return usages
    }

    public init(name: String, isDefault: Bool, isUp: Bool) {
        self.name = name
        self.isDefault = isDefault
        self.isUp = isUp
    }

    private mutating func add(_ line: PartitionLine) {
        nodes.total += line.nodes
        cpus.total += line.cpus.total
        if line.isUsable {
            cpus.free += line.cpus.idle
            // Not less than the average, on the one that has most.
            if line.nodes > 0 {
                let (average, rest) = line.cpus.idle.quotientAndRemainder(dividingBy: line.nodes)
                coresOfANode = max(coresOfANode, rest == 0 ? average : average + 1)
            }
            if line.state == "idle" { nodes.free += line.nodes }
        }
        for kind in line.gpus.gpus {
            let free = line.isUsable ? max(0, kind.count - line.gpusInUse[kind.type]) : 0
            let (all, overflow) = kind.count.multipliedReportingOverflow(by: line.nodes)
            guard !overflow else { continue }
            gpusOfANode[kind.type] = max(gpusOfANode[kind.type] ?? 0, free)
            if let index = gpus.firstIndex(where: { $0.type == kind.type }) {
                gpus[index].share.free += free * line.nodes
                gpus[index].share.total += all
            } else {
                gpus.append((kind.type, Share(free: free * line.nodes, total: all)))
                gpus.sort { $0.type < $1.type }
            }
        }
    }
}

extension String {
    /// Without these characters at both ends.
    fileprivate func trimming(_ character: Character) -> String {
        var text = self[...]
        while text.first == character { text.removeFirst() }
        while text.last == character { text.removeLast() }
        return String(text)
    }
}
