import Git

/// What lies in the folder `code` of a run: names, types and the identity of every content. Of two of them follows what has to be
/// sent when one is there already.
struct Manifest: Sendable, Equatable {
    struct Item: Sendable, Equatable {
        /// Relative to `code`, with slashes.
        var path: String
        var kind: Kind
        /// See ``Entry/identity``.
        var identity: String?

        enum Kind: UInt8, Sendable {
            case file = 0x66  // f
            case executable = 0x78  // x
            case symlink = 0x6c  // l
            case folder = 0x64  // d
        }

        /// Whether the one is as good as the other.
        func isSame(as other: Item) -> Bool { kind == other.kind && identity != nil && identity == other.identity }
    }

    /// Sorted by the bytes of their paths.
    let items: [Item]
    /// Names this content, and nothing else: forty hexadecimal digits.
    let key: String

    /// - Parameter directory: the folder that the command runs in, which need not hold anything.
    init(of snapshot: Snapshot, directory: String) throws {
        var items = snapshot.entries.map { entry in
            let kind: Item.Kind =
                switch entry.kind {
                case .file(let isExecutable): isExecutable ? .executable : .file
                case .symlink: .symlink
                case .directory: .folder
                }
            return Item(path: entry.path, kind: kind, identity: entry.identity)
        }
        let isThere = directory.isEmpty || items.contains { $0.path == directory || $0.path.hasPrefix(directory + "/") }
        if !isThere {
            let index = items.firstIndex { directory.utf8.lexicographicallyPrecedes($0.path.utf8) } ?? items.endIndex
            items.insert(Item(path: directory, kind: .folder, identity: ""), at: index)
        }
        self.items = items
        // What cannot be named is like nothing else.
        let nonce = items.contains { $0.identity == nil } ? randomName(length: 20) : ""
        key = String(try sha256(of: Self.text(of: items) + Array(nonce.utf8)).prefix(40))
    }

    /// The number of lines that `find code` prints for it: names may have several.
    var lineCount: Int {
        let names = folders.union(items.lazy.filter { $0.kind == .folder }.map { $0.path })
        let files = items.lazy.filter { $0.kind != .folder }.map { $0.path }
        func lines(_ path: String) -> Int { 1 + path.utf8.count { $0 == UInt8(ascii: "\n") } }
        return 1 + names.reduce(0) { $0 + lines($1) } + files.reduce(0) { $0 + lines($1) }
    }

    /// The folders that others lie in.
    private var folders: Set<String> {
        var folders: Set<String> = []
        for item in items {
            var path = item.path[...]
            while let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
                path = path[..<slash]
                // Those above it are there too.
                guard folders.insert(String(path)).inserted else { break }
            }
        }
        return folders
    }

    // MARK: Differences

    /// What makes one out of another.
    struct Difference: Sendable, Equatable {
        /// What has to be sent, by the paths.
        var changed: Set<String> = []
        /// What has to go first, in order: what is not wanted any more, and what is of another type or content now. Nothing of
        /// it lies in another.
        var removed: [String] = []
    }

    func difference(from base: Manifest) -> Difference {
        var difference = Difference()
        var obsolete: [String] = []
        var (old, new) = (base.items[...], items[...])
        while let first = old.first {
            guard let next = new.first, !first.path.utf8.lexicographicallyPrecedes(next.path.utf8) else {
                obsolete.append(first.path)
                old.removeFirst()
                continue
            }
            if first.path == next.path {
                if !first.isSame(as: next) {
                    obsolete.append(first.path)
                    difference.changed.insert(next.path)
                }
                old.removeFirst()
            } else {
                difference.changed.insert(next.path)
            }
            new.removeFirst()
        }
        difference.changed.formUnion(new.lazy.map { $0.path })
        // A folder that a whole shipment would not make has to go too.
        let emptied = base.folders.subtracting(folders).subtracting(
            items.lazy.filter { $0.kind == .folder }.map { $0.path })
        difference.removed = Self.topmost(of: emptied.union(obsolete))
        return difference
    }

    /// Those that lie in none of the others, sorted.
    private static func topmost(of paths: Set<String>) -> [String] {
        paths.filter { path in
            var above = path[...]
            while let slash = above.utf8.lastIndex(of: UInt8(ascii: "/")) {
                above = above[..<slash]
                if paths.contains(String(above)) { return false }
            }
            return true
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    // MARK: As text

    /// An item is its kind, its identity, a space, its path and a zero; one that cannot be named has `?` for its identity.
    private static func text(of items: [Item]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(items.count * 96)
        for item in items {
            text.append(item.kind.rawValue)
            text += (item.identity ?? "?").utf8
            text.append(UInt8(ascii: " "))
            text += item.path.utf8
            text.append(0)
        }
        return text
    }

    private static let firstLine = "cluster-tools manifest 1 "

    /// As it is kept in a file.
    var record: [UInt8] { Array((Self.firstLine + key + "\n").utf8) + Self.text(of: items) }

    /// Reads such a file; nil when it is none, or not whole.
    init?(record: [UInt8]) {
        let head = Array(Self.firstLine.utf8)
        guard record.starts(with: head), let lineEnd = record.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        key = String(decoding: record[head.count..<lineEnd], as: UTF8.self)
        // It becomes a part of a program.
        guard key.utf8.count == 40, key.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            record.last == 0 || lineEnd == record.count - 1
        else { return nil }
        var items: [Item] = []
        for field in record[(lineEnd + 1)...].split(separator: 0) {
            guard let kind = field.first.flatMap(Item.Kind.init(rawValue:)),
                let space = field.firstIndex(of: UInt8(ascii: " "))
            else { return nil }
            let identity = String(decoding: field[(field.startIndex + 1)..<space], as: UTF8.self)
            items.append(
                Item(
                    path: String(decoding: field[(space + 1)...], as: UTF8.self), kind: kind,
                    identity: identity == "?" ? nil : identity))
        }
        self.items = items
    }
}
