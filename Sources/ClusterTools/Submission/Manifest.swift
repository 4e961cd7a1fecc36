import Git

/// What lies in the folder `code` of a run: names, types and the identity of every content. Of two of them follows what has to be
/// sent when one is there already.
///
/// There may be hundreds of thousands of items, and somebody waits: so they stay the bytes that they are kept as, and nothing is
/// made of those that both have.
struct Manifest: Sendable {
    /// Names this content, and nothing else: forty hexadecimal digits.
    let key: String
    private let items: ManifestItems

    /// - Parameter directory: the folder that the command runs in, which need not hold anything.
    init(of snapshot: Snapshot, directory: String) throws {
        let (name, below) = (Array(directory.utf8), Array((directory + "/").utf8))
        let isThere =
            name.isEmpty || snapshot.entries.contains { $0.path == directory || $0.path.utf8.starts(with: below) }
        var missing: [UInt8]? = isThere ? nil : name
        var items = ManifestItems(capacity: snapshot.entries.count + 1)
        var isNamed = true
        for entry in snapshot.entries {
            if let folder = missing, folder.lexicographicallyPrecedes(entry.path.utf8) {
                items.append(.folder, identity: "", path: folder)
                missing = nil
            }
            let identity = entry.identity
            if identity == nil { isNamed = false }
            items.append(.init(entry.kind), identity: identity, path: entry.path.utf8)
        }
        if let folder = missing { items.append(.folder, identity: "", path: folder) }
        self.items = items
        // What cannot be named is like nothing else.
        let nonce = isNamed ? "" : randomName(length: 20)
        key = String(try sha256(of: items.text + Array(nonce.utf8)).prefix(40))
    }

    /// The number of lines that `find code` prints for it: names may have several.
    var lineCount: Int { 1 + items.lineCount }

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
        let (old, new) = (base.items, items)
        var changed: Set<String> = []
        var removed: Set<String> = []
        var (first, next) = (0, 0)
        while first < old.count || next < new.count {
            switch old.order(of: first, against: next, of: new) {
            case .before:
                removed.insert(old.name(first))
                removed.formUnion(old.foldersAbove(first, notIn: new))
                first += 1
            case .after:
                changed.insert(new.name(next))
                next += 1
            case .same:
                if !old.isSame(first, as: next, of: new) {
                    removed.insert(old.name(first))
                    changed.insert(new.name(next))
                }
                first += 1
                next += 1
            }
        }
        return Difference(changed: changed, removed: Self.topmost(of: removed))
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

    // MARK: As a file

    private static let firstLine = "cluster-tools manifest 1 "

    /// As it is kept in a file.
    var record: [UInt8] { Array((Self.firstLine + key + "\n").utf8) + items.text }

    /// Reads such a file; nil when it is none, or not whole.
    init?(record: [UInt8]) {
        let head = Array(Self.firstLine.utf8)
        guard record.starts(with: head), let lineEnd = record.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        key = String(decoding: record[head.count..<lineEnd], as: UTF8.self)
        // It becomes a part of a program.
        guard key.utf8.count == 40, key.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let items = ManifestItems(text: Array(record[(lineEnd + 1)...]))
        else { return nil }
        self.items = items
    }
}
