/// What Slurm calls generic resources, as `sinfo` prints them and `--gres` takes them: `gpu:a100:4(S:0-1)`,
/// `gpu:h100_1g.10gb:7`, `gpu:2,shard:8`, `gpu:a100:2(IDX:0,3)`.
public struct GenericResources: Sendable, Equatable {
    /// The GPUs of one type, or of none that has a name.
    public struct GPUs: Sendable, Equatable {
        /// Empty where the site gives them no type.
        public var type: String
        public var count: Int

        public init(type: String, count: Int) {
            self.type = type
            self.count = count
        }
    }

    /// In the order in which they are listed, each type once.
    public private(set) var gpus: [GPUs] = []

    public init() {}

    /// Reads a list. What is no GPU, or cannot be read, is passed over.
    public init(_ text: some StringProtocol) {
        for entry in Self.entries(of: text) {
            var fields = entry.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.removeFirst() == "gpu" else { continue }
            // `no_consume` says how it is counted, not how many there are.
            fields.removeAll { $0 == "no_consume" }
            // Without a number there is one.
            var count = 1
            if let last = fields.last, let number = Self.count(last) {
                count = number
                fields.removeLast()
            }
            add(GPUs(type: fields.joined(separator: ":"), count: count))
        }
    }

    /// The number of a type.
    public subscript(type: String) -> Int { gpus.first { $0.type == type }?.count ?? 0 }

    /// Adds more of a type.
    public mutating func add(_ more: GPUs) {
        if let index = gpus.firstIndex(where: { $0.type == more.type }) {
            gpus[index].count = gpus[index].count.addingReportingOverflow(more.count).partialValue
        } else {
            gpus.append(more)
        }
    }

    /// The entries, without what stands in parentheses behind them: that may have commas of its own.
    private static func entries(of text: some StringProtocol) -> [String] {
        var entries = [""]
        var depth = 0
        for character in text {
            switch character {
            case "(": depth += 1
            case ")": depth = max(0, depth - 1)
            case "," where depth == 0: entries.append("")
            default: if depth == 0, !character.isWhitespace { entries[entries.count - 1].append(character) }
            }
        }
        return entries.filter { !$0.isEmpty }
    }

    /// `4`, and `2K` as Slurm writes large ones.
    private static func count(_ text: String) -> Int? {
        let units: [Character: Int] = ["K": 1024, "M": 1 << 20]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard !digits.isEmpty, digits.utf8.count <= 9, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(digits)
        else { return nil }
        return number * (unit ?? 1)
    }
}

extension GenericResources {
    /// How much memory a GPU of this type has at least, in bytes, where its name tells: `h100_1g.10gb` says so itself, and of the
    /// usual ones it is known. Of a type that was made with several sizes it is the smallest.
    public static func memory(ofType type: String) -> Int? {
        let name = type.lowercased()
        if let match = name.firstMatch(of: /(\d+)gb?$/), let size = Int(match.output.1), size < 10_000 {
            return size << 30
        }
        let known: [(prefix: String, gigabytes: Int)] = [
            ("gb200", 186), ("b200", 180), ("gh200", 96), ("h200", 141), ("h100", 80), ("a100", 40), ("l40", 48),
            ("a40", 48),
            ("a30", 24), ("a10", 24), ("l4", 24), ("v100", 16), ("p100", 12), ("t4", 15), ("mi300", 192), ("mi250", 64),
        ]
        // Sites put the maker before it: nvidia_a100, tesla_v100.
        let words = name.split { !$0.isLetter && !$0.isNumber }
        let size = words.lazy.compactMap { word in
            known.first { model in
                // An a1000 is no a100.
                word.hasPrefix(model.prefix) && word.dropFirst(model.prefix.count).first?.isNumber != true
            }?.gigabytes
        }.first
        return size.map { $0 << 30 }
    }
}
