/// The exact state of a working tree, or of a branch, as a commit: the identity of what runs.
public struct Snapshot: Sendable {
    /// The commit's name, forty hexadecimal digits.
    public let commit: String
    /// The name of the commit's tree.
    public let tree: String
    /// The branch that keeps a dirty snapshot, in full: `refs/heads/main.dirty/20260131-235959`. Nil for a clean one.
    /// On a dry run, the name that it would have had.
    public let reference: String?
    /// The working tree differs from the last commit.
    public var isDirty: Bool { reference != nil }
    /// What differs.
    public let changes: ChangeCounts
    /// What a person should hear before the files leave.
    public let warnings: [SnapshotWarning]
    /// The files, sorted by the bytes of their paths. Those of submodules and nested repositories are among them.
    public let entries: [Entry]
    /// The snapshots of submodules and nested repositories, those inside one another included.
    public let nested: [NestedSnapshot]

    /// The bytes of all entries.
    public var totalSize: Int { entries.reduce(0) { $0 + $1.size } }
}

/// How many files a dirty working tree differs in from the last commit.
public struct ChangeCounts: Sendable, Equatable {
    /// Other content, mode or type.
    public var modified = 0
    /// Not in the commit, untracked ones among them.
    public var added = 0
    /// In the commit only. A file under a new name is one deleted and one added.
    public var deleted = 0
}

/// What was taken of a repository inside of the repository.
public struct NestedSnapshot: Sendable, Equatable {
    /// Where it is in the outermost work tree.
    public let path: String
    public let commit: String
    /// As ``Snapshot/reference``, in the nested repository.
    public let reference: String?
}

/// One thing to ship.
public struct Entry: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case file(executable: Bool)
        /// Its content is the path that it points to.
        case symlink
        /// A folder with nothing to ship in it: a submodule that is not checked out.
        case directory
    }

    /// Relative to the work tree, with slashes.
    public let path: String
    public let kind: Kind
    /// The bytes of the content.
    public let size: Int
    let source: Source

    /// Where the content comes from.
    enum Source: Sendable, Equatable {
        /// An object of the repository with this work tree: what changes later in the files cannot tear it. As long as its file has
        /// this stamp, the file is the same.
        case object(ObjectID, workTree: String, file: FileStamp?)
        /// A file of which git has only a pointer. It must still be what the pointer says.
        case largeFile(at: FileLocation, LargeFilePointer)
        /// A file that a filter, which is not run here, keeps in another form in git. It must not have changed since.
        case filteredFile(at: FileLocation, FileStatus)
        case nothing
    }
}

/// A file on disk: in a work tree, or in git-lfs's store.
struct FileLocation: Sendable, Equatable {
    /// An absolute folder.
    let root: String
    let path: TreePath
}

/// How a snapshot is taken.
public struct SnapshotOptions: Sendable {
    /// The message of the commit, should one be needed: the command that is to run.
    public var message: String
    /// Untracked files above it, in bytes, are an error.
    public var untrackedSizeLimit = 100_000_000
    /// Who commits where the configuration names nobody; the user of this machine when nil.
    public var fallbackAuthor: Author?
    /// Asked often; when it says yes, the snapshot ends with ``GitError/Code/cancelled``.
    public var isCancelled: @Sendable () -> Bool = { false }
    /// Computes everything and writes nothing.
    public var dryRun = false

    public init(message: String) { self.message = message }
}
