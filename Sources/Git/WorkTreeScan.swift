internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// What `git add -A` would look at: the paths that differ between the index and the work tree, by git's stat cache.
struct WorkTreeScan {
    /// Paths to look at; what they have become is for the file system to say.
    struct Candidate {
        let path: TreePath
        /// The index has it with content: it is not new.
        let isTracked: Bool
    }

    var candidates: [Candidate] = []
    /// Untracked directories with a `.git` in them.
    var nested: [TreePath] = []
    /// Entries of the index that are commits of another repository.
    var submodules: [TreePath] = []
    /// Tracked files that git was told not to look at, and which have changed.
    var hiddenChanges: [TreePath] = []

    /// Files that are as the index has them.
    var unchanged = UnchangedFiles()
    /// Directories with a `.git` in them and tracked files beside it: they are directories as others.
    var adopted: [TreePath] = []

    init(
        of repository: Repository, index: Index, walk: WorkTreeWalk, files: Directory, isCancelled: () -> Bool
    ) throws {
        try scanIndex(repository, index, files, isCancelled)
        if let closed = walk.closed.first {
            throw GitError(
                .unreadableFile,
                "Cannot read the directory \(files.location(of: closed)): Permission denied. "
                    + "Make it readable, or name it in .gitignore.")
        }
        let rules = FileStamp.Rules(
            trustsModes: try repository.configuration("core.fileMode", or: true),
            trustsChangeTimes: try repository.configuration("core.trustctime", or: true), indexTime: index.time)
        let untracked = try compare(walk, index, files, rules, isCancelled)
        try add(untracked: untracked, repository, index)
        for path in walk.nested where !submodules.contains(path) {
            if index.hasEntries(in: path) { adopted.append(path) } else { nested.append(path) }
        }
    }

    // MARK: The index

    private mutating func scanIndex(
        _ repository: Repository, _ index: Index, _ files: Directory, _ isCancelled: () -> Bool
    ) throws {
        // As git does since 2.37: what a sparse checkout leaves out but is there all the same is a file like any other.
        let takesPresentFiles =
            try repository.configuration("core.sparseCheckout", or: false)
            && !repository.configuration("sparse.expectFilesOutsideOfPatterns", or: false)
        try index.forEachEntry { entry in
            if isCancelled() { throw GitError.cancelled }
            guard let name = entry.path else { return }
            if entry.isSubmodule {
                let path = TreePath(name)
                if submodules.last != path { submodules.append(path) }  // a conflict has up to three
            } else if entry.isSkipped || entry.isAssumedUnchanged {
                let path = TreePath(name)
                guard let status = try files.statusBehindNoLink(of: path) else { return }
                if entry.isSkipped, takesPresentFiles {
                    candidates.append(Candidate(path: path, isTracked: true))
                } else if UInt32(truncatingIfNeeded: status.size) != entry.file_size
                    || status.modified.seconds != FileTime(entry.mtime).seconds
                {
                    hiddenChanges.append(path)
                }
            }
        }
    }

    // MARK: The files

    /// Goes through index and files side by side.
    ///
    /// - Returns: the files that the index does not have.
    private mutating func compare(
        _ walk: WorkTreeWalk, _ index: Index, _ files: Directory, _ rules: FileStamp.Rules, _ isCancelled: () -> Bool
    ) throws -> [TreePath] {
        var untracked: [TreePath] = []
        unchanged.reserveCapacity(index.count)
        defer { unchanged.sortByPosition(unlessSorted: !index.ignoresCase) }
        try walk.withItems { items, path in
            var rest = items
            var isTracked = false
            func skip() {
                if let item = rest.popFirst(), !isTracked { untracked.append(TreePath(path(item))) }
                isTracked = false
            }
            for position in index.positionsByPath() {
                guard let entry = index.entry(at: position), let name = entry.path else { continue }
                if position % 1024 == 0, isCancelled() { throw GitError.cancelled }
                var order: CInt = 1
                while let item = rest.first {
                    order = strcmp(path(item), name)
                    guard order < 0 else { break }
                    skip()
                }
                // Not passed over yet: a conflict has up to three entries of one path.
                isTracked = rest.first != nil && order == 0
                try compare(entry, at: position, name, isTracked ? rest.first?.stamp : nil, files, rules)
            }
            while !rest.isEmpty { skip() }
        }
        return untracked
    }

    /// - Parameter stamp: nil where the walk has not come upon the file: it is gone, or lies where nobody looks.
    private mutating func compare(
        _ entry: git_index_entry, at position: Int, _ name: UnsafePointer<CChar>, _ stamp: FileStamp?,
        _ files: Directory, _ rules: FileStamp.Rules
    ) throws {
        // Submodules are looked at on their own; the others git was told not to look at.
        guard !entry.isSubmodule, !entry.isSkipped, !entry.isAssumedUnchanged else { return }
        if !entry.isConflict, !entry.isIntentToAdd,
            let stamp = try stamp ?? files.stampBehindNoLink(of: TreePath(name)), stamp.isCertainly(entry, rules)
        {
            if stamp.status.kind == .regular { unchanged.add(ObjectID(entry.id), stamp, at: position) }
            return
        }
        let path = TreePath(name)
        guard candidates.last?.path != path else { return }
        candidates.append(Candidate(path: path, isTracked: !entry.isIntentToAdd))
    }

    private mutating func add(untracked: [TreePath], _ repository: Repository, _ index: Index) throws {
        guard !untracked.isEmpty else { return }
        let submodules = Set(submodules)
        // A file system may give a name with its accents composed in another way than git has it.
        let composed =
            try repository.configuration("core.precomposeUnicode", or: false)
            ? Set(candidates.compactMap(\.path.string)) : []
        for path in untracked {
            guard !path.parents.contains(where: submodules.contains), try !repository.ignores(path),
                // An index that ignores case finds it.
                index.entry(at: path) == nil, path.string.map({ !composed.contains($0) }) ?? true
            else { continue }
            candidates.append(Candidate(path: path, isTracked: false))
        }
    }
}

extension Repository {
    /// Whether `.gitignore` and its kin leave out `path`, were it untracked.
    func ignores(_ path: TreePath) throws(GitError) -> Bool {
        let result = path.withCString { path in Result { () throws(GitError) in try ignores(path) } }
        return try result.get()
    }

    /// - Parameter path: ends with a slash where it is a directory.
    func ignores(_ path: UnsafePointer<CChar>) throws(GitError) -> Bool {
        var ignored: CInt = 0
        try Library.check(
            git_ignore_path_is_ignored(&ignored, handle, path), "Cannot tell whether \(TreePath(path)) is ignored")
        return ignored != 0
    }
}
