internal import CGit2

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

    init(of repository: Repository, index: Index, files: Directory, isCancelled: @escaping () -> Bool) throws {
        try scanIndex(repository, index, files, isCancelled)
        try scanFiles(repository, index, files, isCancelled)
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
                    || status.modified[0] != Int(entry.mtime.seconds)
                {
                    hiddenChanges.append(path)
                }
            }
        }
    }

    // MARK: The files

    private mutating func scanFiles(
        _ repository: Repository, _ index: Index, _ files: Directory, _ isCancelled: @escaping () -> Bool
    ) throws {
        var options = git_diff_options()
        try Library.check(
            git_diff_options_init(&options, UInt32(GIT_DIFF_OPTIONS_VERSION)), "libgit2 is of another version")
        // Nested repositories are not looked into, and submodules not at all: both are snapshotted on their own.
        options.flags =
            GIT_DIFF_INCLUDE_TYPECHANGE.rawValue | GIT_DIFF_INCLUDE_UNTRACKED.rawValue
            | GIT_DIFF_RECURSE_UNTRACKED_DIRS.rawValue | GIT_DIFF_ENABLE_FAST_UNTRACKED_DIRS.rawValue
            | GIT_DIFF_IGNORE_SUBMODULES.rawValue | GIT_DIFF_INCLUDE_UNREADABLE.rawValue
        let walk = Walk(files: files, isCancelled: isCancelled)
        options.payload = Unmanaged.passUnretained(walk).toOpaque()
        options.progress_cb = { _, _, path, payload in
            guard let payload else { return 0 }
            return Unmanaged<Walk>.fromOpaque(payload).takeUnretainedValue().visit(path) ? 0 : GIT_EUSER.rawValue
        }
        var diff: OpaquePointer?
        let result = withExtendedLifetime(walk) {
            git_diff_index_to_workdir(&diff, repository.handle, index.handle, &options)
        }
        if result == GIT_EUSER.rawValue { throw GitError.cancelled }
        // libgit2 reads files whose status does not tell enough. Opening the last one again tells better what is wrong.
        if result < 0, let path = walk.last { _ = try files.openFile(path) }
        try Library.check(result, "Cannot compare the files of \(repository.workTree) with its index")
        defer { git_diff_free(diff) }

        for path in walk.closedDirectories where try !repository.ignores(path) {
            throw GitError(
                .unreadableFile,
                "Cannot read the directory \(files.location(of: path)): Permission denied. "
                    + "Make it readable, or name it in .gitignore.")
        }
        for position in 0..<git_diff_num_deltas(diff) {
            guard let delta = git_diff_get_delta(diff, position)?.pointee else { continue }
            try add(delta, index, files)
        }
    }

    private mutating func add(_ delta: git_diff_delta, _ index: Index, _ files: Directory) throws(GitError) {
        let isGone = delta.status == GIT_DELTA_DELETED
        guard let name = isGone ? delta.old_file.path : delta.new_file.path ?? delta.old_file.path else { return }
        let path = TreePath(name)
        guard delta.status != GIT_DELTA_UNREADABLE else {
            throw GitError(
                .unreadableFile,
                "Cannot read \(files.location(of: path)): Permission denied. "
                    + "Make it readable, or name it in .gitignore.")
        }
        guard !path.hasTrailingSlash else { return nested.append(path.withoutTrailingSlash) }
        let entry = index.entry(at: path)
        // libgit2 reports these only where they are gone, and git does not care.
        if let entry, entry.isSkipped || entry.isAssumedUnchanged { return }
        let isNew = delta.status == GIT_DELTA_UNTRACKED || entry?.isIntentToAdd == true
        candidates.append(Candidate(path: path, isTracked: !isNew))
    }

    /// What the walk over the files tells while it lasts. Used by the thread that walks, and no other.
    private final class Walk {
        private let files: Directory
        private let isCancelled: () -> Bool
        /// libgit2 takes them for empty, and the files in them for deleted.
        private(set) var closedDirectories: [TreePath] = []

        /// The path that is being looked at.
        private(set) var last: TreePath?

        init(files: Directory, isCancelled: @escaping () -> Bool) {
            self.files = files
            self.isCancelled = isCancelled
        }

        /// Says whether to go on.
        func visit(_ path: UnsafePointer<CChar>?) -> Bool {
            last = path.map { TreePath($0) }
            if let path, path[max(0, TreePath.length(of: path) - 1)] == CChar(bitPattern: UInt8(ascii: "/")),
                !files.canEnter(path)
            {
                closedDirectories.append(TreePath(path).withoutTrailingSlash)
            }
            return !isCancelled()
        }
    }
}

extension Repository {
    /// Whether `.gitignore` and its kin leave out `path`, were it untracked.
    func ignores(_ path: TreePath) throws(GitError) -> Bool {
        var ignored: CInt = 0
        let result = path.withCString { git_ignore_path_is_ignored(&ignored, handle, $0) }
        try Library.check(result, "Cannot tell whether \(path) is ignored")
        return ignored != 0
    }
}
