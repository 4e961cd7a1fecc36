#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

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

    /// - Parameter root: the work tree of a repository.
    init(of root: String, isCancelled: () -> Bool) throws {
        // A handle of its own: libgit2's are for one thread at a time.
        guard let repository = try Repository.open(root) else {
            throw GitError(.noRepository, "The repository \(root) is no longer there.")
        }
        try walk([], repository, Directory(root: root), isCancelled)
    }

    /// - Parameter folder: empty, or with a slash at its end.
    private mutating func walk(
        _ folder: [CChar], _ repository: Repository, _ files: Directory, _ isCancelled: () -> Bool
    ) throws {
        if isCancelled() { throw GitError.cancelled }
        guard let listing = try files.listing(of: folder) else { return closed.append(Self.path(of: folder)) }
        if !folder.isEmpty, listing.hasRepository { return nested.append(Self.path(of: folder)) }
        for name in listing.names {
            if let stamp = name.stamp {
                items.append(Item(start: paths.count, stamp: stamp))
                paths += folder
                listing.append(name, to: &paths)
                continue
            }
            var inner = folder
            listing.append(name, to: &inner)
            // The slash tells libgit2 that it is a folder.
            if try repository.ignores(inner) { continue }
            inner.removeLast()
            try walk(inner, repository, files, isCancelled)
        }
    }

    private static func path(of folder: [CChar]) -> TreePath {
        TreePath(folder.dropLast() + [0])
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
