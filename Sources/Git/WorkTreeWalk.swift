/// All files of a work tree and what they are, in the order of an index. Folders that git is told to ignore are left out.
///
/// It is made without the index, so that the two can be read at once. The paths are C strings in one piece of memory: a hundred
/// thousand allocations would take longer than all else.
struct WorkTreeWalk: Sendable {
    struct Item: Sendable {
        fileprivate let start: Int
        let stamp: FileStamp
    }

    /// By the bytes of their paths.
    private(set) var items: [Item] = []
    private var paths: [CChar] = []
    /// Folders with a `.git` in them, and of these nothing else.
    private(set) var nested: [TreePath] = []
    /// Folders that this user may not list, or not reach what is in them.
    private(set) var closed: [TreePath] = []

    /// Puts together what a walker has found.
    init(of folders: [WorkTreeWalker.Folder]) {
        add(0, folders)
    }

    private mutating func add(_ number: Int, _ folders: [WorkTreeWalker.Folder]) {
        let folder = folders[number]
        switch folder.state {
        case .closed: closed.append(folder.treePath)
        case .nested: nested.append(folder.treePath)
        case .open(let listing, let inner):
            var inner = inner[...]
            for name in listing.names {
                if let stamp = name.stamp {
                    items.append(Item(start: paths.count, stamp: stamp))
                    paths += folder.path
                    listing.append(name, to: &paths)
                } else if let number = inner.popFirst(), let number {
                    add(number, folders)
                }
            }
        }
    }

    /// Lends a list of all items and their paths.
    func withItems(_ body: (_ items: ArraySlice<Item>, _ path: (Item) -> UnsafePointer<CChar>) throws -> Void) rethrows
    {
        try paths.withUnsafeBufferPointer { paths in
            guard let base = paths.baseAddress else { return try body([]) { _ in preconditionFailure("no items") } }
            try body(items[...]) { base + $0.start }
        }
    }
}
