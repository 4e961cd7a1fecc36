internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A repository's index in memory. What changes here changes nothing on disk: it is never written.
final class Index {
    let handle: OpaquePointer
    /// Whether it had conflicts when it was read. Asking for each path would look at all entries each time.
    let hadConflicts: Bool

    /// When it was written; nil when there is none.
    let time: FileTime?

    /// Reads the index file.
    init(of repository: Repository) throws(GitError) {
        // Before it is read: one that is written meanwhile must not seem newer than what was read.
        time = try repository.indexTime()
        var handle: OpaquePointer?
        let result = git_repository_index(&handle, repository.handle)
        guard result == 0, let handle else {
            throw repository.explainUnreadableIndex(
                Library.failure(result, "Cannot read the index of \(repository.workTree)"))
        }
        self.handle = handle
        hadConflicts = git_index_has_conflicts(handle) != 0
    }

    deinit { git_index_free(handle) }

    var count: Int { git_index_entrycount(handle) }

    /// Looks at every entry, in the order of their paths. The index must not change meanwhile.
    func forEachEntry(_ body: (git_index_entry) throws -> Void) rethrows {
        for position in 0..<count {
            if let entry = git_index_get_byindex(handle, position) { try body(entry.pointee) }
        }
    }

    /// Its order is another one then.
    var ignoresCase: Bool { git_index_caps(handle) & CInt(GIT_INDEX_CAPABILITY_IGNORE_CASE.rawValue) != 0 }

    func entry(at position: Int) -> git_index_entry? { git_index_get_byindex(handle, position)?.pointee }

    /// The positions of all entries, by the bytes of their paths.
    func positionsByPath() -> [Int] {
        let positions = Array(0..<count)
        guard ignoresCase else { return positions }
        return positions.sorted { first, second in
            guard let first = entry(at: first)?.path, let second = entry(at: second)?.path else { return false }
            return strcmp(first, second) < 0
        }
    }

    /// Whether it has anything in the directory `path`.
    func hasEntries(in path: TreePath) -> Bool {
        path.appending(TreePath("")).withCString { git_index_find_prefix(nil, handle, $0) == 0 }
    }

    /// The files of this name, in whatever folder.
    func paths(named name: String) -> [TreePath] {
        let name = Array(name.utf8)
        var paths: [TreePath] = []
        forEachEntry { entry in
            guard let path = entry.path else { return }
            let bytes = UnsafeRawBufferPointer(start: path, count: TreePath.length(of: path))
            guard bytes.count >= name.count, bytes.suffix(name.count).elementsEqual(name) else { return }
            let start = bytes.count - name.count
            if start == 0 || bytes[start - 1] == UInt8(ascii: "/") { paths.append(TreePath(path)) }
        }
        return paths
    }

    /// The entry of `path` that is in no conflict.
    func entry(at path: TreePath) -> git_index_entry? {
        path.withCString { git_index_get_bypath(handle, $0, 0)?.pointee }
    }

    /// Records `path`, in place of whatever has this path or stands in its way.
    func set(_ path: TreePath, mode: git_filemode_t, id: ObjectID) throws(GitError) {
        try resolveConflict(at: path)
        let result = path.withCString { path in
            var entry = git_index_entry()
            entry.mode = mode.rawValue
            entry.id = id.raw
            entry.path = path
            return git_index_add(handle, &entry)
        }
        try Library.check(result, "git cannot record the name \(path)")
    }

    /// Forgets `path`; it need not be there.
    func remove(_ path: TreePath) throws(GitError) {
        try resolveConflict(at: path)
        let result = path.withCString { git_index_remove(handle, $0, 0) }
        guard result != GIT_ENOTFOUND.rawValue else { return }
        try Library.check(result, "Cannot drop \(path) from the index")
    }

    private func resolveConflict(at path: TreePath) throws(GitError) {
        guard hadConflicts else { return }
        let result = path.withCString { git_index_conflict_remove(handle, $0) }
        guard result != GIT_ENOTFOUND.rawValue else { return }
        try Library.check(result, "Cannot resolve the conflict of \(path) in memory")
    }
}

extension Repository {
    fileprivate func indexTime() throws(GitError) -> FileTime? {
        var path = git_buf()
        try Library.check(
            git_repository_item_path(&path, handle, GIT_REPOSITORY_ITEM_INDEX), "Cannot find the index of \(workTree)")
        defer { git_buf_dispose(&path) }
        var status = stat()
        guard let name = path.ptr, lstat(name, &status) == 0 else { return nil }
        return FileStatus(status).modified
    }
}

extension git_index_entry {
    /// The user asked for `git update-index --assume-unchanged`.
    var isAssumedUnchanged: Bool { UInt32(flags) & GIT_INDEX_ENTRY_VALID.rawValue != 0 }

    /// Outside of a sparse checkout, or `git update-index --skip-worktree`.
    var isSkipped: Bool { UInt32(flags_extended) & GIT_INDEX_ENTRY_SKIP_WORKTREE.rawValue != 0 }

    /// `git add --intent-to-add`: a name without content.
    var isIntentToAdd: Bool { UInt32(flags_extended) & GIT_INDEX_ENTRY_INTENT_TO_ADD.rawValue != 0 }

    /// One of the sides of a conflict.
    var isConflict: Bool { UInt32(flags) & UInt32(GIT_INDEX_ENTRY_STAGEMASK) != 0 }

    var isSubmodule: Bool { mode == GIT_FILEMODE_COMMIT.rawValue }
}
