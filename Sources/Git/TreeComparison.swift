internal import CGit2

/// Counts what differs between two trees.
///
/// It does not look into folders that have the same name as an object on both sides. libgit2's own comparison does, which takes as long
/// as the tree has folders; it counts the same.
struct TreeComparison {
    private let repository: Repository
    private(set) var counts = ChangeCounts()

    /// - Parameter old: nil for a tree with nothing in it.
    init(of repository: Repository, from old: ObjectID?, to new: ObjectID) throws(GitError) {
        self.repository = repository
        if let old { try compare(old, new) } else { try count(new, \.added) }
    }

    private mutating func compare(_ old: ObjectID, _ new: ObjectID) throws(GitError) {
        guard old != new else { return }
        let (before, after) = try (TreeListing(old, in: repository), TreeListing(new, in: repository))
        defer { withExtendedLifetime((before, after)) {} }
        var (left, right) = (before.entries, after.entries)
        while let first = left.first, let second = right.first {
            // In the order of trees, in which a file and a folder of the same name are two things.
            let order = git_tree_entry_cmp(first, second)
            if order <= 0 { left.removeFirst() }
            if order >= 0 { right.removeFirst() }
            if order < 0 {
                try count(first, \.deleted)
            } else if order > 0 {
                try count(second, \.added)
            } else {
                try compare(first, second)
            }
        }
        for entry in left { try count(entry, \.deleted) }
        for entry in right { try count(entry, \.added) }
    }

    /// Two entries of the same name, both folders or both not.
    private mutating func compare(_ old: OpaquePointer, _ new: OpaquePointer) throws(GitError) {
        let (oldID, newID) = (TreeListing.id(of: old), TreeListing.id(of: new))
        let (oldMode, newMode) = (git_tree_entry_filemode(old), git_tree_entry_filemode(new))
        if TreeListing.isTree(old) {
            try compare(oldID, newID)
        } else if oldMode.rawValue & Self.kindMask != newMode.rawValue & Self.kindMask {
            // A link in place of a file, and the like.
            counts.deleted += 1
            counts.added += 1
        } else if oldID != newID || oldMode != newMode {
            counts.modified += 1
        }
    }

    /// S_IFMT of sys/stat.h.
    private static let kindMask: UInt32 = 0o170000

    private mutating func count(_ entry: OpaquePointer, _ kind: WritableKeyPath<ChangeCounts, Int>) throws(GitError) {
        if TreeListing.isTree(entry) {
            try count(TreeListing.id(of: entry), kind)
        } else {
            counts[keyPath: kind] += 1
        }
    }

    /// All that is in a tree.
    private mutating func count(_ tree: ObjectID, _ kind: WritableKeyPath<ChangeCounts, Int>) throws(GitError) {
        let listing = try TreeListing(tree, in: repository)
        defer { withExtendedLifetime(listing) {} }
        for entry in listing.entries { try count(entry, kind) }
    }
}

/// A tree in memory. Its entries are there as long as it is.
private final class TreeListing {
    private let tree: OpaquePointer
    let entries: ArraySlice<OpaquePointer>

    init(_ id: ObjectID, in repository: Repository) throws(GitError) {
        var tree: OpaquePointer?
        var raw = id.raw
        let result = git_tree_lookup(&tree, repository.handle, &raw)
        guard result == 0, let tree else { throw Library.failure(result, "Cannot read tree \(id)") }
        self.tree = tree
        entries = (0..<git_tree_entrycount(tree)).compactMap { git_tree_entry_byindex(tree, $0) }[...]
    }

    deinit { git_tree_free(tree) }

    static func isTree(_ entry: OpaquePointer) -> Bool { git_tree_entry_type(entry) == GIT_OBJECT_TREE }

    static func id(of entry: OpaquePointer) -> ObjectID { ObjectID(git_tree_entry_id(entry).pointee) }
}
