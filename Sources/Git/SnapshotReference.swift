internal import CGit2

// The side branches that keep dirty snapshots: `main.dirty/20260131-235959` beside `main`.

extension Repository {
    /// The commit of an earlier snapshot with this tree on this parent, and the branch that keeps it.
    func existingSnapshot(
        in folder: String, tree: ObjectID, parent: ObjectID?
    ) throws(GitError) -> (commit: ObjectID, reference: String)? {
        // The newest is the likeliest.
        for name in try references(matching: "\(folder)/*").sorted(by: >) {
            var id = git_oid()
            // One that somebody deletes meanwhile, or that names something else, is none of ours.
            guard git_reference_name_to_id(&id, handle, name) == 0 else { continue }
            var commit: OpaquePointer?
            guard git_commit_lookup(&commit, handle, &id) == 0 else { continue }
            defer { git_commit_free(commit) }
            guard let found = git_commit_tree_id(commit), ObjectID(found.pointee) == tree else { continue }
            let parents = git_commit_parentcount(commit)
            let first = parents == 1 ? git_commit_parent_id(commit, 0).map { ObjectID($0.pointee) } : nil
            if parents <= 1, first == parent { return (ObjectID(id), name) }
        }
        return nil
    }

    /// The folder of references for snapshots of `branch`: `refs/heads/main.dirty`. Where a branch has that very name,
    /// or the name of a folder it would be in, the next free one.
    func snapshotFolder(for branch: Branch) throws(GitError) -> String {
        let name =
            switch branch {
            case .named(let name): name
            case .detached: "detached"
            }
        // A branch `a/b` without a commit can coexist with a branch `a`; its snapshots cannot.
        for base in [name, String(name.map { $0 == "/" ? "-" : $0 })] {
            for suffix in ["", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9"] {
                let folder = "refs/heads/\(base).dirty\(suffix)"
                if try isFree(folder) { return folder }
            }
        }
        throw GitError(
            .library(GIT_EEXISTS.rawValue),
            "No branch can be made to keep the snapshot: there is already one called \(name).dirty. Rename it.")
    }

    /// Removes the branch that keeps an earlier snapshot.
    ///
    /// - Parameters:
    ///   - name: its full name.
    ///   - commit: the snapshot's, forty hexadecimal digits.
    /// - Returns: false when it stays: it is checked out, or points to another commit, which is somebody's work.
    public func removeSnapshotReference(_ name: String, of commit: String) throws(GitError) -> Bool {
        guard name.hasPrefix("refs/heads/"), name.contains(".dirty") else { return false }
        var reference: OpaquePointer?
        let result = git_reference_lookup(&reference, handle, name)
        if result == GIT_ENOTFOUND.rawValue { return true }
        try Library.check(result, "Cannot look up \(name)")
        defer { git_reference_free(reference) }
        guard let target = git_reference_target(reference), ObjectID(target.pointee).hex == commit,
            git_branch_is_checked_out(reference) == 0, git_branch_is_head(reference) == 0
        else { return false }
        try Library.check(git_branch_delete(reference), "Cannot remove the branch \(name)")
        return true
    }

    /// Whether references can be made in `folder`: neither it nor anything above it is one itself.
    private func isFree(_ folder: String) throws(GitError) -> Bool {
        let parts = folder.split(separator: "/")
        for count in 3...parts.count {
            var id = git_oid()
            let result = git_reference_name_to_id(&id, handle, parts.prefix(count).joined(separator: "/"))
            if result == 0 { return false }
            guard result == GIT_ENOTFOUND.rawValue || result == GIT_EDIRECTORY.rawValue else {
                throw Library.failure(result, "Cannot look up \(folder)")
            }
        }
        return true
    }

    /// Makes a new branch in `folder`, named after the moment, and returns its full name.
    func createSnapshotReference(in folder: String, at moment: Moment, to commit: ObjectID) throws(GitError) -> String {
        var raw = commit.raw
        for attempt in 1...1000 {
            let name = "\(folder)/\(moment.stamp)" + (attempt == 1 ? "" : "-\(attempt)")
            var reference: OpaquePointer?
            let result = git_reference_create(&reference, handle, name, &raw, 0, "snapshot")
            git_reference_free(reference)
            // Taken in the same second, or being taken now by another process.
            if result == GIT_EEXISTS.rawValue || result == GIT_ELOCKED.rawValue { continue }
            try Library.check(result, "Cannot create the branch \(name)")
            return name
        }
        throw GitError(.library(GIT_EEXISTS.rawValue), "A thousand snapshots were taken in one second.")
    }
}
