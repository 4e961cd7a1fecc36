/// The environments of a cluster, as `templates/remote/env.sh` lists them.
struct EnvironmentListing: Sendable, Equatable {
    struct Item: Sendable, Equatable {
        enum State: String, Sendable {
            case ready
            /// Somebody makes it now.
            case making
            /// It could not be made; only the log is there.
            case failed
            /// Left by something that was killed.
            case broken
        }

        /// Its name: what it is made from, in short.
        var key: String
        var state: State
        /// When it was last used; of one that is not ready, when it was last heard of. In seconds since 1970.
        var last: Int
        var kilobytes: Int
        /// The jobs that use it and have not ended.
        var jobs: [String]
        /// Who makes it, or has failed to.
        var maker: String?
        /// The project that it was first made for.
        var project: String?
        /// The file that it is made from, or `imports`.
        var source: String?
        var python: String?
        /// How many packages are in it.
        var packages: Int?
        /// What has made it: `uv`, `pip`, `micromamba`, …
        var installer: String?
    }

    /// The folder that they are in.
    var folder = ""
    var items: [Item] = []

    /// A line that is none of these is passed over.
    init(_ answer: Answer) {
        for (key, value) in answer.lines {
            switch key {
            case "folder": folder = value
            case "environment": if let item = Item(line: value) { items.append(item) }
            case "about":
                guard let index = items.indices.last else { continue }
                let words = value.split(separator: " ", maxSplits: 1)
                if words.count == 2 { items[index].note(String(words[0]), String(words[1])) }
            default: break
            }
        }
    }

    /// Where one of them, or the log of one that failed, is.
    func path(of item: Item) -> String {
        item.state == .failed ? "\(folder)/.failed-\(item.key)/log" : "\(folder)/\(item.key)"
    }

    /// Those that words mean, each once: keys, or beginnings of them that no other has.
    func selected(by words: [String]) throws(Failure) -> [Item] {
        var selected: [Item] = []
        for word in words {
            let found = items.filter { $0.key == word || $0.key.hasPrefix(word) }
            guard let item = found.first(where: { $0.key == word }) ?? (found.count == 1 ? found.first : nil) else {
                throw Failure(
                    Exit.usage,
                    found.isEmpty
                        ? "there is no environment \(word) in \(folder)"
                        : "\(word) is the beginning of several environments",
                    why: found.isEmpty ? nil : found.map(\.key).joined(separator: ", "),
                    remedy: "cluster env lists them")
            }
            if !selected.contains(item) { selected.append(item) }
        }
        return selected
    }
}

extension EnvironmentListing.Item {
    fileprivate init?(line: String) {
        let parts = line.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, let state = State(rawValue: parts[1]), let last = Int(parts[2]),
            let kilobytes = Int(parts[3]), !parts[0].isEmpty
        else { return nil }
        self.init(
            key: parts[0], state: state, last: last, kilobytes: kilobytes,
            jobs: parts[4].split(separator: ",").map(String.init), maker: parts[5].isEmpty ? nil : parts[5])
    }

    fileprivate mutating func note(_ name: String, _ value: String) {
        switch name {
        case "project": project = value
        case "file": source = value
        case "python": python = value
        case "packages": packages = Int(value)
        case "maker": installer = value
        default: break
        }
    }
}
