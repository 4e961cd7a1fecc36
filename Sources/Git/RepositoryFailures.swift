internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

// Why a repository does not open. libgit2 says so in words only, and nothing here depends on those: the repository
// itself is looked at.

extension Repository {
    /// The error for a repository at or above `directory` that does not open.
    static func explain(_ result: Int32, opening directory: String) -> GitError {
        let error = Library.failure(result, "Cannot open the repository at \(directory)")
        guard let found = discoverGitDirectory(from: directory) else { return error }
        let (gitDirectory, owner) = found
        if owner.user != geteuid(), error.code == .foreignOwner || result == GIT_ENOTFOUND.rawValue {
            // libgit2 1.5 says "not found" where nobody has set safe.directory.
            return GitError(
                .foreignOwner,
                "\(owner.path) belongs to another user (id \(owner.user)), whose configuration could run commands as you. "
                    + "If you trust it: git config --global --add safe.directory '\(owner.path)'",
                cause: error)
        }
        if let format = value("extensions.objectformat", in: gitDirectory), format != "sha1" {
            return GitError(
                .unsupportedRepository,
                "The repository at \(directory) names its objects by \(format), which libgit2 cannot read. "
                    + "Use a clone with SHA-1 (git init --object-format=sha1).",
                cause: error)
        }
        if let storage = value("extensions.refstorage", in: gitDirectory), storage != "files" {
            return GitError(
                .unsupportedRepository,
                "The repository at \(directory) keeps its branches as \(storage), which libgit2 cannot read. "
                    + "Convert it with: git refs migrate --ref-format=files",
                cause: error)
        }
        return error
    }

    /// The error for an index that does not open.
    func explainUnreadableIndex(_ failure: GitError) -> GitError {
        // Both are extensions of the index that a reader must know, marked by a name in lower case.
        let bytes: [UInt8]
        do {
            bytes = try Directory(root: gitDirectory).openFile(TreePath("index")).contents()
        } catch {
            // What made the index unreadable is the better answer.
            return failure
        }
        if bytes.contains(Array("sdir\0\0\0\0".utf8)) {
            return GitError(
                .unsupportedRepository,
                "\(workTree) has a sparse index, which libgit2 cannot read. Make it a full one with: "
                    + "git sparse-checkout reapply --no-sparse-index",
                cause: failure)
        }
        if bytes.contains(Array("link".utf8)) {
            return GitError(
                .unsupportedRepository,
                "\(workTree) has a split index, which libgit2 cannot read. Join it with: "
                    + "git update-index --no-split-index (and unset core.splitIndex)",
                cause: failure)
        }
        return failure
    }

    /// The git directory at or above `directory`, and the first of the folders that git wants to be the user's own which
    /// is not; the work tree when all are.
    private static func discoverGitDirectory(
        from directory: String
    ) -> (gitDirectory: String, owner: (path: String, user: uid_t))? {
        var buffer = git_buf()
        guard git_repository_discover(&buffer, directory, 0, nil) == 0, let found = buffer.ptr else { return nil }
        defer { git_buf_dispose(&buffer) }
        let gitDirectory = String(cString: found)
        let workTree = gitDirectory.hasSuffix("/.git/") ? String(gitDirectory.dropLast(6)) : gitDirectory
        for path in [workTree, gitDirectory] {
            var status = stat()
            if stat(path, &status) == 0, status.st_uid != geteuid() { return (gitDirectory, (workTree, status.st_uid)) }
        }
        return (gitDirectory, (workTree, geteuid()))
    }

    /// A variable of the repository's own configuration file, read without the repository.
    private static func value(_ name: String, in gitDirectory: String) -> String? {
        var settings: OpaquePointer?
        guard git_config_open_ondisk(&settings, gitDirectory + "config") == 0 else { return nil }
        defer { git_config_free(settings) }
        var buffer = git_buf()
        guard git_config_get_string_buf(&buffer, settings, name) == 0, let value = buffer.ptr else { return nil }
        defer { git_buf_dispose(&buffer) }
        return String(cString: value)
    }
}
