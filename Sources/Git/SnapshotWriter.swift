internal import CGit2

/// Carries out a plan: objects, then the tree, then the commit, and last the one reference that makes them stay. Killed
/// at any point, it leaves unreachable objects, which git collects, and nothing else.
struct SnapshotWriter {
    /// What came of one repository.
    struct Outcome {
        let commit: ObjectID
        let tree: ObjectID
        let reference: String?
        let changes: ChangeCounts
        /// Of the repositories inside, by their paths.
        let nested: [TreePath: Outcome]
        /// Changed files whose filter was not run, by its name.
        let unfiltered: [String: [TreePath]]
    }

    private let plan: SnapshotPlan
    private let moment: Moment
    private let hasSymlinks: Bool
    private let trustsModes: Bool
    private var unfiltered: [String: [TreePath]] = [:]
    /// What differs from the index as it was.
    private var updates: [TreeUpdate] = []

    static func write(_ plan: SnapshotPlan, at moment: Moment) throws -> Outcome {
        var writer = try SnapshotWriter(plan: plan, moment: moment)
        return try writer.write()
    }

    private init(plan: SnapshotPlan, moment: Moment) throws(GitError) {
        self.plan = plan
        self.moment = moment
        hasSymlinks = try plan.repository.configuration("core.symlinks", or: true)
        trustsModes = try plan.repository.configuration("core.fileMode", or: true)
    }

    private mutating func write() throws -> Outcome {
        var nested: [TreePath: Outcome] = [:]
        for (path, inner) in plan.nested {
            let outcome = try Self.write(inner, at: moment)
            nested[path] = outcome
        }
        let base = try baseTree()
        for path in plan.removals { try plan.index.remove(path) }
        for file in plan.writes { try record(file) }
        for (path, outcome) in nested {
            // An unchanged one leaves the index's cache of trees valid, and the tree quick to write.
            guard plan.index.entry(at: path).map({ ObjectID($0.id) }) != outcome.commit else { continue }
            try set(path, GIT_FILEMODE_COMMIT, outcome.commit)
        }
        if let base, let tree = plan.repository.tree(base, with: updates) { return try commit(tree, nested) }
        return try commit(writeTree(), nested)
    }

    // MARK: Files

    private mutating func record(_ file: SnapshotPlan.File) throws {
        if plan.options.isCancelled() { throw GitError.cancelled }
        let known = plan.index.entry(at: file.path)
        if file.status.kind == .symlink {
            let id = try plan.database.write(plan.files.destination(ofLink: file.path))
            return try set(file.path, GIT_FILEMODE_LINK, id)
        }
        let mode = mode(of: file, known: known)
        let id = mode == GIT_FILEMODE_LINK ? try writeUnfiltered(file) : try writeBlob(file)
        if let known, known.mode == mode.rawValue, ObjectID(known.id) == id, !known.isIntentToAdd { return }
        try set(file.path, mode, id)
    }

    private mutating func set(_ path: TreePath, _ mode: git_filemode_t, _ id: ObjectID) throws(GitError) {
        try plan.index.set(path, mode: mode, id: id)
        updates.append(TreeUpdate(path: path, mode: mode, id: id))
    }

    /// The mode that git would record, which is not always that of the file.
    private func mode(of file: SnapshotPlan.File, known: git_index_entry?) -> git_filemode_t {
        let wasLink = known?.mode == GIT_FILEMODE_LINK.rawValue
        // File systems without links have text files instead.
        if wasLink, !hasSymlinks { return GIT_FILEMODE_LINK }
        let isExecutable =
            trustsModes
            ? file.status.isExecutable : known?.mode == GIT_FILEMODE_BLOB_EXECUTABLE.rawValue
        return isExecutable ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB
    }

    private mutating func writeBlob(_ file: SnapshotPlan.File) throws -> ObjectID {
        switch try plan.repository.externalFilter(of: file.path) {
        case .largeFileStorage:
            return try plan.database.write(
                plan.files.openFile(file.path).largeFileBlob(isCancelled: plan.options.isCancelled))
        case .program(let name):
            unfiltered[name, default: []].append(file.path)
        case .none:
            break
        }
        return try plan.repository.storesUnchanged(file.path) ? writeUnfiltered(file) : writeFiltered(file)
    }

    /// A blob with line ends and the like converted: they are converted in memory.
    private func writeFiltered(_ file: SnapshotPlan.File) throws -> ObjectID {
        try steadily(file) { open, size in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(size)
            try open.forEachChunk(of: 1 << 20, size: size) { bytes.append(contentsOf: $0) }
            return try bytes.withUnsafeBytes { bytes in
                try plan.repository.withBlob(of: bytes, at: file.path) { try plan.database.write($0) }
            }
        }
    }

    /// A blob with exactly the bytes of the file.
    private func writeUnfiltered(_ file: SnapshotPlan.File) throws -> ObjectID {
        try steadily(file) { open, size in
            guard size > Self.streamedSize else { return try plan.database.write(open.contents()) }
            return try plan.database.writeBlob(size: size) { sink in
                try open.forEachChunk(of: 1 << 20, size: size) { bytes in
                    if plan.options.isCancelled() { throw GitError.cancelled }
                    try sink(bytes)
                }
            }
        }
    }

    /// Files above it, in bytes, are never whole in memory.
    private static let streamedSize = 8 << 20

    /// Reads a file such that what was read was there at one moment: again, a few times, when it changed meanwhile.
    /// A file that only grew, like a log, had its first part all along.
    private func steadily(
        _ file: SnapshotPlan.File, _ read: (borrowing OpenFile, _ size: Int) throws -> ObjectID
    ) throws -> ObjectID {
        for _ in 1...4 {
            let open = try plan.files.openFile(file.path)
            let before = try open.status()
            guard before.kind == .regular else { throw GitError.vanished(open.location) }
            do {
                let id = try read(open, before.size)
                let after = try open.status()
                if after == before || after.size > before.size { return id }
            } catch let error as GitError where error.code == .changedFile {
                continue
            }
        }
        throw GitError.changing(plan.files.location(of: file.path))
    }

    // MARK: Tree and commit

    /// The tree of the index as it is, which the index mostly remembers, where the new one can be made of it.
    private func baseTree() throws(GitError) -> ObjectID? {
        // A folder that is empty afterwards would stay in it; and of a dry run there is nothing in the repository.
        guard plan.removals.isEmpty, !plan.options.dryRun, !plan.index.hadConflicts else { return nil }
        return try writeTree()
    }

    private func writeTree() throws(GitError) -> ObjectID {
        var id = git_oid()
        guard plan.options.dryRun else {
            try Library.check(
                git_index_write_tree_to(&id, plan.index.handle, plan.repository.handle), "Cannot write the tree")
            return ObjectID(id)
        }
        // Trees of a dry run go to a repository that is nowhere but in memory. The real one lends it the unchanged
        // trees: nothing is ever written to an alternate.
        var objects: OpaquePointer?
        try Library.check(git_odb_new(&objects), "Cannot make a database in memory")
        defer { git_odb_free(objects) }
        var memory: UnsafeMutablePointer<git_odb_backend>?
        try Library.check(git_mempack_new(&memory), "Cannot make a database in memory")
        try Library.check(git_odb_add_backend(objects, memory, 1), "Cannot make a database in memory")
        var folder = git_buf()
        try Library.check(
            git_repository_item_path(&folder, plan.repository.handle, GIT_REPOSITORY_ITEM_OBJECTS),
            "Cannot find the objects of \(plan.repository.workTree)")
        defer { git_buf_dispose(&folder) }
        try Library.check(
            git_odb_add_disk_alternate(objects, folder.ptr),
            "Cannot open the objects of \(plan.repository.workTree)")
        var scratch: OpaquePointer?
        try Library.check(git_repository_wrap_odb(&scratch, objects), "Cannot make a repository in memory")
        defer { git_repository_free(scratch) }
        try Library.check(git_index_write_tree_to(&id, plan.index.handle, scratch), "Cannot compute the tree")
        return ObjectID(id)
    }

    private func commit(_ tree: ObjectID, _ nested: [TreePath: Outcome]) throws(GitError) -> Outcome {
        let repository = plan.repository
        let parent = plan.head.commit
        var changes = ChangeCounts()
        func outcome(_ commit: ObjectID, _ reference: String?) -> Outcome {
            Outcome(
                commit: commit, tree: tree, reference: reference, changes: changes, nested: nested,
                unfiltered: unfiltered)
        }
        if let parent, try repository.tree(of: parent) == tree { return outcome(parent, nil) }
        changes =
            plan.options.dryRun
            ? try repository.changes(from: parent, to: plan.index) : try repository.changes(from: parent, to: tree)

        let folder = try repository.snapshotFolder(for: plan.head.branch)
        if let known = try repository.existingSnapshot(in: folder, tree: tree, parent: parent) {
            return outcome(known.commit, known.reference)
        }
        if plan.options.isCancelled() { throw GitError.cancelled }
        let author = try repository.author(fallback: plan.options.fallbackAuthor)
        let contents = CommitContents(
            tree: tree, parent: parent, author: author, moment: moment, message: plan.options.message)
        let commit = try plan.database.write(contents.bytes, GIT_OBJECT_COMMIT)
        if plan.options.isCancelled() { throw GitError.cancelled }
        let reference =
            plan.options.dryRun
            ? "\(folder)/\(moment.stamp)"
            : try repository.createSnapshotReference(in: folder, at: moment, to: commit)
        return outcome(commit, reference)
    }
}
