internal import CGit2

extension Repository {
    /// Takes a snapshot of the working tree: of everything that `git add -A` would take.
    ///
    /// A working tree that is as the last commit has it is that commit. Any other becomes a commit on a branch of its
    /// own, `main.dirty/20260131-235959`, or is found there from an earlier time. Submodules, and repositories inside
    /// of this one, are snapshotted first, each in itself, and are commits in the tree.
    ///
    /// Nothing but objects and that one branch is written: not the index, nor `HEAD`, nor a file. Hooks, signatures and
    /// filters are not run. A file that vanishes meanwhile makes it start again, once.
    public func snapshot(_ options: SnapshotOptions) throws -> Snapshot {
        do {
            return try takeSnapshot(options)
        } catch let error as GitError where error.code == .changedFile {
            return try takeSnapshot(options)
        }
    }

    private func takeSnapshot(_ options: SnapshotOptions) throws -> Snapshot {
        // Fresh, so that nothing is cached: of the index, of .gitignore, of the configuration.
        guard let fresh = try Repository.open(workTree) else {
            throw GitError.gone(workTree)
        }
        let plan = try SnapshotPlan(of: fresh, at: TreePath(""), options)
        let oversized = plan.all.flatMap(\.oversized)
        guard oversized.isEmpty else { throw GitError.tooLarge(oversized, limit: options.untrackedSizeLimit) }
        let outcome = try SnapshotWriter.write(plan, at: Moment.now())

        var collector = EntryCollector()
        var nested: [NestedSnapshot] = []
        try collect(plan, outcome, into: &collector, &nested)
        return Snapshot(
            commit: outcome.commit.hex, tree: outcome.tree.hex, reference: outcome.reference, changes: outcome.changes,
            warnings: collector.warnings, entries: collector.sortedEntries(), nested: nested)
    }

    /// Adds the entries of one repository, and of those inside.
    private func collect(
        _ plan: SnapshotPlan, _ outcome: SnapshotWriter.Outcome, into collector: inout EntryCollector,
        _ nested: inout [NestedSnapshot]
    ) throws {
        let inner = plan.repository
        if plan.index.ignoresCase || !plan.nested.isEmpty { collector.mayBeUnsorted = true }
        let attributes = try inner.attributesInUse(index: plan.index, files: plan.files)
        var unchanged = attributes.convert ? UnchangedFiles() : plan.unchanged
        let origin = EntryCollector.Origin(
            repository: inner, database: plan.database, files: plan.files, location: plan.location.description,
            filtersInUse: attributes.filters, isWorkTree: true,
            unfiltered: Set(outcome.unfiltered.values.joined()))
        for (name, paths) in outcome.unfiltered { collector.note(unfiltered: paths, by: name, in: origin.location) }
        collector.note(special: plan.specialFiles, in: origin.location)
        collector.note(hiddenChanges: plan.hiddenChanges, in: origin.location)
        let plans = Dictionary(plan.nested.map { ($0.path, $0.plan) }, uniquingKeysWith: { first, _ in first })
        try plan.index.forEachEntry { entry in
            if plan.options.isCancelled() { throw GitError.cancelled }
            guard let name = entry.path else { return }
            guard entry.isSubmodule else {
                let id = ObjectID(entry.id)
                return try collector.add(name, mode: entry.mode, id: id, file: unchanged.next(id), from: origin) {
                    path in
                    // Attributes of folders that a sparse checkout leaves out are unknown to libgit2; but what looks
                    // like a pointer of git-lfs is one.
                    try entry.isSkipped ? .largeFileStorage : inner.externalFilter(of: path)
                }
            }
            let path = TreePath(name)
            guard let inner = plans[path], let result = outcome.nested[path] else {
                return collector.addUninitialized(path, in: origin)
            }
            nested.append(
                NestedSnapshot(
                    path: inner.location.description, commit: result.commit.hex, reference: result.reference))
            let count = collector.entries.count
            try collect(inner, result, into: &collector, &nested)
            if collector.entries.count == count { collector.addFolder(inner.location.description) }
        }
    }
}
