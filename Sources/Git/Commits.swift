internal import CGit2

extension Repository {
    /// Lends a commit to `body`.
    func withCommit<Result>(
        _ id: ObjectID, _ body: (OpaquePointer) throws(GitError) -> Result
    ) throws(GitError) -> Result {
        var raw = id.raw
        var commit: OpaquePointer?
        let result = git_commit_lookup(&commit, handle, &raw)
        guard result == 0, let commit else { throw Library.failure(result, "Cannot read commit \(id)") }
        defer { git_commit_free(commit) }
        return try body(commit)
    }

    /// The tree of a commit.
    func tree(of commit: ObjectID) throws(GitError) -> ObjectID {
        try withCommit(commit) { commit throws(GitError) in
            guard let tree = git_commit_tree_id(commit) else {
                throw GitError(.missingObject, "A commit of \(workTree) has no tree.")
            }
            return ObjectID(tree.pointee)
        }
    }

    /// How `tree` differs from that of a commit; from nothing when there is none.
    func changes(from commit: ObjectID?, to tree: ObjectID) throws(GitError) -> ChangeCounts {
        var old: ObjectID?
        if let commit { old = try self.tree(of: commit) }
        return try TreeComparison(of: self, from: old, to: tree).counts
    }

    /// As ``changes(from:to:)-(_,ObjectID)``, for a tree that is not written: it looks at every folder.
    func changes(from commit: ObjectID?, to index: Index) throws(GitError) -> ChangeCounts {
        var tree: OpaquePointer?
        if let commit {
            try withCommit(commit) { pointer throws(GitError) in
                try Library.check(git_commit_tree(&tree, pointer), "Cannot read the tree of commit \(commit)")
            }
        }
        defer { git_tree_free(tree) }
        var diff: OpaquePointer?
        try Library.check(
            git_diff_tree_to_index(&diff, handle, tree, index.handle, nil),
            "Cannot compare the snapshot with the last commit")
        defer { git_diff_free(diff) }
        let added = git_diff_num_deltas_of_type(diff, GIT_DELTA_ADDED)
        let deleted = git_diff_num_deltas_of_type(diff, GIT_DELTA_DELETED)
        return ChangeCounts(modified: git_diff_num_deltas(diff) - added - deleted, added: added, deleted: deleted)
    }
}
