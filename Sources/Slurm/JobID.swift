/// A job's id as squeue prints it: `4242`, a task `4242_3`, the tasks of an array that still wait `4242_[3-9%2]`, a component of
/// a heterogeneous job `4242+1`.
public struct JobID: Sendable, Hashable {
    public enum Part: Sendable, Hashable {
        /// The whole job.
        case whole
        /// One task of an array.
        case task(Int)
        /// Tasks of an array that are one line of the queue, since none of them has started.
        case tasks(TaskSet)
        /// One component of a heterogeneous job.
        case component(Int)
    }

    /// Some of an array's tasks.
    public struct TaskSet: Sendable, Hashable {
        /// Ranges of task numbers, each with its step.
        public let ranges: [Range]
        /// How many may run at once.
        public let limit: Int?
        /// Whether squeue cut the list short (it does unless `SLURM_BITSTR_LEN` is 0), so that there are more.
        public let isCutShort: Bool

        public struct Range: Sendable, Hashable {
            public let first: Int
            public let last: Int
            public let step: Int

            public var count: Int { (last - first) / step + 1 }
        }

        /// How many tasks are named.
        public var count: Int { ranges.reduce(0) { $0 + $1.count } }

        public func contains(_ task: Int) -> Bool {
            ranges.contains { ($0.first...$0.last).contains(task) && (task - $0.first) % $0.step == 0 }
        }
    }

    /// The number that sbatch printed, and that scancel takes for the whole job.
    public let number: Int
    public let part: Part

    public init(number: Int, part: Part = .whole) {
        self.number = number
        self.part = part
    }

    /// Reads an id; nothing when it is none.
    public init?(_ text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number > 0 else { return nil }
        self.number = number
        let rest = text.dropFirst(digits.count)
        switch rest.first {
        case nil: part = .whole
        case "_":
            if rest.dropFirst().first == "[" {
                guard let tasks = TaskSet(rest.dropFirst(2)) else { return nil }
                part = .tasks(tasks)
            } else {
                guard let task = Self.number(rest.dropFirst()) else { return nil }
                part = .task(task)
            }
        case "+":
            guard let component = Self.number(rest.dropFirst()) else { return nil }
            part = .component(component)
        default: return nil
        }
    }

    /// Digits and nothing else, so that no sign is taken for a part of a number.
    fileprivate static func number(_ text: some StringProtocol) -> Int? {
        text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
    }
}

extension JobID.TaskSet {
    /// Reads what stands after the bracket: `1-10:2,15%4]`. A list that is cut short has no bracket at its end, or ends in dots.
    fileprivate init?(_ text: some StringProtocol) {
        var list = Substring(text)
        var cut = true
        if list.hasSuffix("]") {
            list.removeLast()
            cut = false
        }
        var limit: Int?
        if let sign = list.lastIndex(of: "%") {
            limit = JobID.number(list[list.index(after: sign)...])
            list = list[..<sign]
        }
        if list.hasSuffix("...") {
            list.removeLast(3)
            cut = true
        }
        var ranges: [Range] = []
        let items = list.split(separator: ",")
        for (index, item) in items.enumerated() {
            guard let range = Range(item) else {
                // Where the list was cut, half a range may be left.
                guard cut, index == items.count - 1 else { return nil }
                break
            }
            ranges.append(range)
        }
        self.ranges = ranges
        self.limit = limit
        self.isCutShort = cut
    }
}

extension JobID.TaskSet.Range {
    fileprivate init?(_ text: Substring) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let ends = (parts.first ?? "").split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, ends.count <= 2, let first = ends.first.flatMap({ JobID.number($0) }),
            let last = ends.last.flatMap({ JobID.number($0) }),
            let step = parts.count == 2 ? JobID.number(parts[1]) : 1, step > 0, last >= first
        else { return nil }
        self.init(first: first, last: last, step: step)
    }
}

extension JobID: CustomStringConvertible {
    public var description: String {
        switch part {
        case .whole: "\(number)"
        case .task(let task): "\(number)_\(task)"
        case .component(let component): "\(number)+\(component)"
        case .tasks(let tasks):
            "\(number)_[" + tasks.ranges.map(\.description).joined(separator: ",") + (tasks.isCutShort ? ",..." : "")
                + (tasks.limit.map { "%\($0)" } ?? "") + "]"
        }
    }
}

extension JobID.TaskSet.Range: CustomStringConvertible {
    public var description: String {
        first == last ? "\(first)" : "\(first)-\(last)" + (step == 1 ? "" : ":\(step)")
    }
}
