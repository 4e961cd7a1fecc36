/// What went wrong with a repository, in words for the person who owns it.
public struct GitError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is: for code that wants to tell one from another.
    public enum Code: Sendable, Equatable {
        /// The directory is in no git repository.
        case noRepository
        /// The repository has no working tree.
        case bareRepository
        /// The repository uses something that libgit2 cannot read: SHA-256 names, a split or a sparse index.
        case unsupportedRepository
        /// The repository belongs to another user, and `safe.directory` does not name it.
        case foreignOwner
        /// A directory is not inside the working tree.
        case outsideWorkTree
        /// Untracked files are larger than the limit.
        case fileTooLarge([OversizedFile])
        /// A file or a directory cannot be read.
        case unreadableFile
        /// A file disappeared, or kept changing, while it was read.
        case changedFile
        /// No branch, tag or revision has this name.
        case unknownRevision
        /// A submodule or nested repository cannot be opened.
        case brokenSubmodule
        /// The repository lacks an object: a partial clone, or damage.
        case missingObject
        /// The caller asked to stop.
        case cancelled
        /// The operating system refused something, such as room on a disk.
        case system
        /// Anything else that libgit2 reports, with its own number.
        case library(Int32)
    }

    public let code: Code
    /// What failed, where, why and, where it is known, what to do.
    public let message: String
    /// What it comes from.
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message }
}

/// An untracked file above the limit of a snapshot.
public struct OversizedFile: Sendable, Equatable {
    /// Relative to the work tree.
    public let path: String
    /// In bytes.
    public let size: Int
}
