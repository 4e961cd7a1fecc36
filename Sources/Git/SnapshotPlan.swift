internal import CGit2

/// What a snapshot of one repository will do: all that can be found out, and refused, before anything is written.
final class SnapshotPlan {
    /// A file whose content goes into the snapshot.
    struct File {
        let path: TreePath
        let status: FileStatus
    }

    /// A handle of its own: the index is read anew, and changed in memory.
    let repository: Repository
    let files: Directory
    let index: Index
    let head: Head
    let database: ObjectDatabase
    let options: SnapshotOptions
    /// Where the repository is in the outermost one; empty for that one.
    let location: TreePath

    private(set) var writes: [File] = []
    private(set) var removals: [TreePath] = []
    private(set) var nested: [(path: TreePath, plan: SnapshotPlan)] = []
    private(set) var uninitializedSubmodules: [TreePath] = []
    private(set) var specialFiles: [TreePath] = []
    private(set) var hiddenChanges: [TreePath] = []
    private(set) var oversized: [OversizedFile] = []
    /// See ``WorkTreeScan/unchanged``.
    let unchanged: UnchangedFiles

    /// Looks at `repository`, and at the repositories inside of it.
    init(of repository: Repository, at location: TreePath, _ options: SnapshotOptions) throws {
        self.repository = repository
        self.location = location
        self.options = options
        files = try Directory(root: repository.workTree)
        // HEAD first: a commit made between the two then shows as a change, and not as one undone.
        head = try repository.head()
        let walker = WorkTreeWalker(root: repository.workTree)
        let index = try atOnce { [options] isUnwanted in
            guard let other = try Repository.open(walker.root) else { throw GitError.gone(walker.root) }
            try walker.work(other) { options.isCancelled() || isUnwanted() }
        } _: {
            let index = try Index(of: repository)
            try walker.work(repository, isCancelled: options.isCancelled)
            return index
        }
        self.index = index
        database = try ObjectDatabase(of: repository, isDryRun: options.dryRun)

        let scan = try WorkTreeScan(
            of: repository, index: index, walk: walker.walk(), files: files, isCancelled: options.isCancelled)
        hiddenChanges = scan.hiddenChanges
        unchanged = scan.unchanged
        for candidate in scan.candidates { try plan(candidate.path, isNew: !candidate.isTracked) }
        for path in scan.submodules { try planSubmodule(path) }
        for path in scan.nested { try planUntrackedRepository(path) }
        for path in scan.adopted { try planPlainDirectory(path) }
    }

    /// This plan and those of the repositories inside, the innermost first.
    var all: [SnapshotPlan] { nested.flatMap(\.plan.all) + [self] }

    private func plan(_ path: TreePath, isNew: Bool) throws(GitError) {
        if options.isCancelled() { throw GitError.cancelled }
        guard let status = try files.statusBehindNoLink(of: path) else { return removals.append(path) }
        switch status.kind {
        case .regular:
            if isNew, status.size > options.untrackedSizeLimit {
                oversized.append(OversizedFile(path: location.appending(path).description, size: status.size))
            }
            writes.append(File(path: path, status: status))
        case .symlink:
            writes.append(File(path: path, status: status))
        case .directory:
            // What is in it are paths of their own.
            removals.append(path)
        case .special:
            specialFiles.append(path)
            removals.append(path)
        }
    }

    private func planSubmodule(_ path: TreePath) throws {
        guard let status = try files.statusBehindNoLink(of: path) else {
            // A sparse checkout leaves submodules out as well; then they are not deleted.
            if index.entry(at: path)?.isSkipped == true { return uninitializedSubmodules.append(path) }
            return removals.append(path)
        }
        guard status.kind == .directory else { return try plan(path, isNew: false) }
        guard try files.status(of: path.appending(TreePath(".git"))) != nil else {
            return uninitializedSubmodules.append(path)
        }
        guard try planRepository(at: path) else {
            throw GitError(
                .brokenSubmodule,
                "The submodule \(files.location(of: path)) is no repository that can be opened. "
                    + "Restore it with: git submodule update --init")
        }
    }

    private func planUntrackedRepository(_ path: TreePath) throws {
        // Git takes a directory for a repository only when it is one: a stray .git makes it no other than the rest.
        let hint = " If the job does not need it, name it in .gitignore."
        if try !planRepository(at: path, hint: hint) { try planPlainDirectory(path) }
    }

    /// Plans the snapshot of the repository whose work tree is `path`; says whether there is one. Should it be there but
    /// not open, `hint` is added to the error.
    private func planRepository(at path: TreePath, hint: String = "") throws -> Bool {
        guard let name = path.string else {
            throw GitError(.brokenSubmodule, "The name of the repository \(path) is not UTF-8. Rename its folder.")
        }
        let folder = "\(files.root)/\(name)"
        let inner: Repository
        do {
            guard let found = try Repository.open(folder) else { return false }
            inner = found
        } catch {
            throw GitError(
                .brokenSubmodule,
                "The repository \(folder) inside of \(files.root) cannot be opened: \(error.message)\(hint)",
                cause: error)
        }
        guard inner.workTree == folder else {
            throw GitError(
                .brokenSubmodule,
                "The work tree of \(folder) is said to be \(inner.workTree) (core.worktree in its configuration).")
        }
        nested.append((path, try SnapshotPlan(of: inner, at: location.appending(path), options)))
        return true
    }

    /// Plans all files in an untracked directory that libgit2 did not look into.
    private func planPlainDirectory(_ path: TreePath) throws {
        for name in try files.names(in: path) where name != TreePath(".git") {
            let inner = path.appending(name)
            guard let status = try files.status(of: inner) else { continue }
            let isDirectory = status.kind == .directory
            // The slash tells libgit2 that a pattern for directories applies.
            if try repository.ignores(isDirectory ? inner.appending(TreePath("")) : inner) { continue }
            if isDirectory {
                try files.status(of: inner.appending(TreePath(".git"))) == nil
                    ? planPlainDirectory(inner) : planUntrackedRepository(inner)
            } else if status.kind != .special {
                try plan(inner, isNew: true)
            }
        }
    }
}

extension GitError {
    /// The error for untracked files above the limit.
    static func tooLarge(_ files: [OversizedFile], limit: Int) -> GitError {
        let largest = files.sorted { $0.size > $1.size }
        let shown = largest.prefix(10).map { "  \($0.path) (\(megabytes($0.size)))" }.joined(separator: "\n")
        let more = largest.count > 10 ? "\n  and \(largest.count - 10) more" : ""
        return GitError(
            .fileTooLarge(largest),
            "These files are not in git and larger than \(megabytes(limit)):\n\(shown)\(more)\n"
                + "Name them in .gitignore if the job does not need them, git add them, or raise the limit.")
    }

    private static func megabytes(_ size: Int) -> String {
        size < 1_000_000 ? "\(size) bytes" : "\(size / 1_000_000) MB"
    }
}
