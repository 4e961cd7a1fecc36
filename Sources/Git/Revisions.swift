internal import CGit2

extension Repository {
    /// The commit that `name` stands for: a local branch, a branch of a remote, a tag or any other revision.
    func resolve(_ name: String) throws(GitError) -> ObjectID {
        for full in ["refs/heads/\(name)", "refs/remotes/\(name)"] {
            if let commit = try commit(atReference: full) { return commit }
        }
        let ofRemotes = try references(matching: "refs/remotes/*/\(name)")
        if ofRemotes.count > 1 {
            throw GitError(
                .unknownRevision,
                "Several remotes have a branch \(name): "
                    + ofRemotes.map { String($0.dropFirst(13)) }.joined(separator: ", ") + ". Say which.")
        }
        if let only = ofRemotes.first, let commit = try commit(atReference: only) { return commit }
        if let commit = commit(atRevision: name) { return commit }
        throw GitError(.unknownRevision, try explainUnknown(name))
    }

    private func commit(atReference name: String) throws(GitError) -> ObjectID? {
        var isValid: CInt = 0
        guard git_reference_name_is_valid(&isValid, name) == 0, isValid != 0 else { return nil }
        var id = git_oid()
        let result = git_reference_name_to_id(&id, handle, name)
        if result == GIT_ENOTFOUND.rawValue || result == GIT_EDIRECTORY.rawValue { return nil }
        try Library.check(result, "Cannot look up \(name)")
        return ObjectID(id)
    }

    /// Nil for what is no revision, or one of something that is not a commit.
    func commit(atRevision text: String) -> ObjectID? {
        var object: OpaquePointer?
        guard git_revparse_single(&object, handle, text) == 0 else { return nil }
        defer { git_object_free(object) }
        var commit: OpaquePointer?
        guard git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0 else { return nil }
        defer { git_object_free(commit) }
        return git_object_id(commit).map { ObjectID($0.pointee) }
    }

    /// The local branches, without those that keep snapshots.
    public func branchNames() throws(GitError) -> [String] {
        try references(matching: "refs/heads/*").map { String($0.dropFirst("refs/heads/".count)) }
            .filter { !$0.contains(".dirty") }
    }

    /// The full names of the references that a pattern describes.
    func references(matching pattern: String) throws(GitError) -> [String] {
        var iterator: OpaquePointer?
        try Library.check(
            git_reference_iterator_glob_new(&iterator, handle, pattern), "Cannot list the branches of \(workTree)")
        defer { git_reference_iterator_free(iterator) }
        var names: [String] = []
        var name: UnsafePointer<CChar>?
        while case let result = git_reference_next_name(&name, iterator), result != GIT_ITEROVER.rawValue {
            try Library.check(result, "Cannot list the branches of \(workTree)")
            if let name { names.append(String(cString: name)) }
        }
        return names
    }

    private func explainUnknown(_ name: String) throws(GitError) -> String {
        var known: [String] = []
        for folder in ["refs/heads/", "refs/remotes/", "refs/tags/"] {
            known += try references(matching: folder + "*").map { String($0.dropFirst(folder.count)) }
        }
        let near = Suggestions.near(name, among: known.filter { !$0.contains(".dirty/") })
        let hint =
            near.isEmpty ? "See them all with: git branch --all" : "Did you mean \(near.joined(separator: " or "))?"
        return "\(workTree) has no branch, tag or revision \(name). \(hint)"
    }
}

/// Names that a person may have meant.
enum Suggestions {
    /// Up to three of `names`, the nearest first, of those that differ from `name` by no more than a third of it.
    static func near(_ name: String, among names: [String]) -> [String] {
        let limit = max(1, name.count / 3)
        let ranked = Set(names)
            .map { (name: $0, distance: distance(Array(name.lowercased().utf8), Array($0.lowercased().utf8))) }
            .filter { $0.distance <= limit }
            .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return ranked.prefix(3).map(\.name)
    }

    /// How many bytes must be inserted, removed, replaced or swapped with their neighbour (Damerau–Levenshtein,
    /// optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var older: [Int] = []
        var old = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var cost = min(row[j] + 1, old[j + 1] + 1, old[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { cost = min(cost, older[j - 1] + 1) }
                row.append(cost)
            }
            (older, old) = (old, row)
        }
        return old[right.count]
    }
}
