import Git

/// The items of a ``Manifest`` as one text, sorted by the bytes of their paths.
///
/// An item is its kind, its identity, a space, its path (relative to `code`, with slashes) and a zero; one that cannot be named has
/// `?` for its identity (see ``Entry/identity``).
struct ManifestItems: Sendable {
    enum Kind: UInt8, Sendable {
        case file = 0x66  // f
        case executable = 0x78  // x
        case symlink = 0x6c  // l
        case folder = 0x64  // d
    }

    /// How an item stands to one of another list, by their paths.
    enum Order {
        case before, same, after
    }

    /// All of them.
    private(set) var text: [UInt8] = []
    /// How many lines they and the folders that they lie in have when each is printed on a line, with names of several lines.
    private(set) var lineCount = 0
    private var places: [Place] = []

    /// Where an item is in the text.
    private struct Place {
        let start: Int
        let path: Int
        /// Behind the path.
        let end: Int
    }

    var count: Int { places.count }

    init(capacity: Int) {
        places.reserveCapacity(capacity)
        text.reserveCapacity(capacity * 96)
    }

    /// Reads them; nil when the text is none.
    init?(text: [UInt8]) {
        self.text = text
        var start = 0
        while start < text.count {
            guard let end = text[start...].firstIndex(of: 0), Kind(rawValue: text[start]) != nil,
                let space = text[start..<end].firstIndex(of: UInt8(ascii: " "))
            else { return nil }
            add(Place(start: start, path: space + 1, end: end))
            start = end + 1
        }
    }

    /// Adds one that comes after all others.
    mutating func append(_ kind: Kind, identity: String?, path: some Sequence<UInt8>) {
        let start = text.count
        text.append(kind.rawValue)
        text += (identity ?? "?").utf8
        text.append(UInt8(ascii: " "))
        let middle = text.count
        text += path
        text.append(0)
        add(Place(start: start, path: middle, end: text.count - 1))
    }

    private mutating func add(_ place: Place) {
        // What lies in a folder comes together: one that the item before this one does not lie in is new.
        var (before, end) = places.last.map { ($0.path, $0.end) } ?? (0, 0)
        var isCommon = true
        var lines = 1
        for index in place.path..<place.end {
            let byte = text[index]
            if isCommon, before == end || text[before] != byte { isCommon = false }
            before += 1
            if byte == UInt8(ascii: "\n") { lines += 1 }
            if byte == UInt8(ascii: "/"), !isCommon { lineCount += lines }
        }
        lineCount += lines
        places.append(place)
    }

    // MARK: One of them

    private func path(_ index: Int) -> ArraySlice<UInt8> { text[places[index].path..<places[index].end] }

    private func content(_ index: Int) -> ArraySlice<UInt8> { text[places[index].start..<(places[index].path - 1)] }

    func name(_ index: Int) -> String { String(decoding: path(index), as: UTF8.self) }

    /// How one stands to one of others. What is behind the last comes after all.
    func order(of index: Int, against other: Int, of others: ManifestItems) -> Order {
        guard index < count else { return .after }
        guard other < others.count else { return .before }
        let (path, another) = (path(index), others.path(other))
        if path == another { return .same }
        return path.lexicographicallyPrecedes(another) ? .before : .after
    }

    /// Whether one has the type and the content of one of others.
    func isSame(_ index: Int, as other: Int, of others: ManifestItems) -> Bool {
        content(index) == others.content(other) && content(index).dropFirst() != [UInt8(ascii: "?")]
    }

    // MARK: The folders

    /// Those that one lies in and that are none among others.
    func foldersAbove(_ index: Int, notIn others: ManifestItems) -> [String] {
        var folders: [String] = []
        var path = path(index)
        while let slash = path.lastIndex(of: UInt8(ascii: "/")) {
            path = path[..<slash]
            // Those above it are there too.
            if others.haveFolder(path) { break }
            folders.append(String(decoding: path, as: UTF8.self))
        }
        return folders
    }

    private func haveFolder(_ folder: ArraySlice<UInt8>) -> Bool {
        let itself = firstIndex(notBefore: folder)
        if itself < count, path(itself) == folder, text[places[itself].start] == Kind.folder.rawValue { return true }
        let below = folder + [UInt8(ascii: "/")]
        let inside = firstIndex(notBefore: below)
        return inside < count && path(inside).starts(with: below)
    }

    private func firstIndex(notBefore path: ArraySlice<UInt8>) -> Int {
        var range = 0..<count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range =
                self.path(middle).lexicographicallyPrecedes(path)
                ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }
}

extension ManifestItems.Kind {
    init(_ kind: Entry.Kind) {
        switch kind {
        case .file(let isExecutable): self = isExecutable ? .executable : .file
        case .symlink: self = .symlink
        case .directory: self = .folder
        }
    }
}
