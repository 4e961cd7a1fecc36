internal import CGit2

extension Repository {
    /// The commit of a branch, as a snapshot: the working tree plays no part.
    ///
    /// `name` is a local branch, else one of a remote (`origin/x`, or `x` of any remote), else a tag or any revision
    /// that git understands. Submodules are read from where they are checked out, if they have the commit.
    public func snapshot(ofBranch name: String) throws -> Snapshot {
        try snapshot(at: try resolve(name))
    }

    /// A commit that was taken before, as a snapshot.
    ///
    /// - Parameter name: forty hexadecimal digits.
    /// - Throws: ``GitError/Code/unknownRevision`` when the repository does not have it.
    public func snapshot(ofCommit name: String) throws -> Snapshot {
        guard let commit = commit(atRevision: name), commit.hex == name else {
            throw GitError(.unknownRevision, "\(workTree) does not have the commit \(name).")
        }
        return try snapshot(at: commit)
    }

    private func snapshot(at commit: ObjectID) throws -> Snapshot {
        var collector = EntryCollector()
        var nested: [NestedSnapshot] = []
        try collect(commit, at: TreePath(""), into: &collector, &nested)
        return Snapshot(
            commit: commit.hex, tree: try tree(of: commit).hex, reference: nil, changes: ChangeCounts(),
            warnings: collector.warnings, entries: collector.sortedEntries(), nested: nested)
    }

    /// Adds the entries of one commit, and of the submodules in it.
    private func collect(
        _ commit: ObjectID, at location: TreePath, into collector: inout EntryCollector,
        _ nested: inout [NestedSnapshot]
    ) throws {
        let contents = try treeContents(of: commit)
        var use = FiltersInUse.none
        for item in contents where item.path.string?.hasSuffix(".gitattributes") == true {
            use = max(use, try filtersInUse(blob: item.id))
        }
        // Attributes are known for the files on disk only; but what looks like a pointer of git-lfs is one.
        let origin = EntryCollector.Origin(
            repository: self, database: try ObjectDatabase(of: self), files: try Directory(root: workTree),
            location: location.description, filtersInUse: min(use, .largeFilesOnly), isWorkTree: false, unfiltered: [])
        for item in contents {
            guard item.mode == GIT_FILEMODE_COMMIT.rawValue else {
                try item.path.withCString {
                    try collector.add($0, mode: item.mode, id: item.id, from: origin) { _ in .largeFileStorage }
                }
                continue
            }
            guard let inner = try checkedOutSubmodule(at: item.path), try inner.has(item.id) else {
                collector.addUninitialized(item.path, in: origin)
                continue
            }
            let path = location.appending(item.path)
            nested.append(NestedSnapshot(path: path.description, commit: item.id.hex, reference: nil))
            try inner.collect(item.id, at: path, into: &collector, &nested)
        }
    }

    private func checkedOutSubmodule(at path: TreePath) throws(GitError) -> Repository? {
        guard let name = path.string else { return nil }
        return try Repository.open("\(workTree)/\(name)")
    }

    private func has(_ commit: ObjectID) throws(GitError) -> Bool {
        try ObjectDatabase(of: self).size(of: commit) != nil
    }

    // MARK: The tree

    /// One file, link or submodule of a tree.
    private struct TreeItem {
        let path: TreePath
        let mode: UInt32
        let id: ObjectID
    }

    /// All there is in a commit, folders opened.
    private func treeContents(of commit: ObjectID) throws -> [TreeItem] {
        try withCommit(commit) { pointer throws(GitError) in
            var tree: OpaquePointer?
            try Library.check(git_commit_tree(&tree, pointer), "Cannot read the tree of commit \(commit)")
            defer { git_tree_free(tree) }
            var items: [TreeItem] = []
            let result = withUnsafeMutablePointer(to: &items) { items in
                git_tree_walk(
                    tree, GIT_TREEWALK_PRE,
                    { folder, entry, payload in
                        guard let folder, let entry, let name = git_tree_entry_name(entry),
                            let id = git_tree_entry_id(entry), git_tree_entry_type(entry) != GIT_OBJECT_TREE
                        else { return 0 }
                        // The folder comes with its slash.
                        let path = TreePath(folder).withoutTrailingSlash.appending(TreePath(name))
                        let mode = git_tree_entry_filemode(entry).rawValue
                        payload?.assumingMemoryBound(to: [TreeItem].self).pointee
                            .append(TreeItem(path: path, mode: mode, id: ObjectID(id.pointee)))
                        return 0
                    }, items)
            }
            try Library.check(result, "Cannot read the tree of commit \(commit)")
            return items
        }
    }
}
