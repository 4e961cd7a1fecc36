internal import CGit2

/// What is checked out.
public enum Branch: Sendable, Equatable {
    /// A branch, by its name without `refs/heads/`: `feature/x`. It may have no commit yet.
    case named(String)
    /// A commit and no branch.
    case detached
}

/// Where a repository stands.
struct Head: Sendable, Equatable {
    let branch: Branch
    /// Nil before the first commit.
    let commit: ObjectID?
}

extension Repository {
    /// What is checked out now.
    public var branch: Branch { get throws(GitError) { try head().branch } }

    /// There is no commit yet on what is checked out.
    public var isUnborn: Bool { get throws(GitError) { try head().commit == nil } }

    func head() throws(GitError) -> Head {
        var reference: OpaquePointer?
        try Library.check(git_reference_lookup(&reference, handle, "HEAD"), "Cannot read HEAD of \(workTree)")
        defer { git_reference_free(reference) }
        guard let target = git_reference_symbolic_target(reference) else {
            guard let id = git_reference_target(reference) else {
                throw GitError(.unsupportedRepository, "HEAD of \(workTree) names neither a branch nor a commit.")
            }
            return Head(branch: .detached, commit: ObjectID(id.pointee))
        }
        let name = String(cString: target)
        let branch = Branch.named(name.hasPrefix("refs/heads/") ? String(name.dropFirst(11)) : name)
        var id = git_oid()
        let result = git_reference_name_to_id(&id, handle, "HEAD")
        if result == GIT_ENOTFOUND.rawValue { return Head(branch: branch, commit: nil) }
        try Library.check(result, "Cannot read HEAD of \(workTree)")
        return Head(branch: branch, commit: ObjectID(id))
    }
}
