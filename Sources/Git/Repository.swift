internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A git repository with a working tree.
///
/// Everything blocks, and one thread at a time may use a repository: it is libgit2's handle, and the caches around it.
/// Nothing here writes to the index, to `HEAD`, to the stash or to a file of the user's.
public final class Repository {
    /// Valid for as long as the repository is.
    let handle: OpaquePointer
    /// The folder with the user's files: absolute, symbolic links resolved, without a slash at the end.
    public let workTree: String
    /// The objects that entries have been read from, by the repository that holds them.
    var databases: [String: ObjectDatabase] = [:]
    /// The work tree, once an entry has been read from it.
    var directory: Directory?

    /// Finds the repository that encloses `directory`, as git does: in it, or in the nearest folder above.
    public static func discover(from directory: String) throws(GitError) -> Repository {
        do {
            return try Repository(at: directory, search: true)
        } catch let error where error.code == .library(GIT_ENOTFOUND.rawValue) {
            throw GitError(
                .noRepository,
                "\(directory) is in no git repository. Make one with: git init", cause: error)
        }
    }

    /// Opens the repository whose work tree is `directory`; nil when there is none.
    static func open(_ directory: String) throws(GitError) -> Repository? {
        do {
            return try Repository(at: directory, search: false)
        } catch let error where error.code == .library(GIT_ENOTFOUND.rawValue) {
            return nil
        }
    }

    private init(at directory: String, search: Bool) throws(GitError) {
        try Library.start()
        var handle: OpaquePointer?
        let flags = search ? 0 : GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue
        let result = git_repository_open_ext(&handle, directory, flags, nil)
        guard result == 0, let handle else { throw Self.explain(result, opening: directory) }
        guard let path = git_repository_workdir(handle), git_repository_is_bare(handle) == 0 else {
            git_repository_free(handle)
            throw GitError(
                .bareRepository,
                "\(directory) is a bare repository: it has no working tree. "
                    + "Clone it, or run this in a work tree (git worktree add).")
        }
        guard let workTree = String(validatingCString: path) else {
            let shown = TreePath(path).description
            git_repository_free(handle)
            throw GitError(.unsupportedRepository, "The path of \(shown) is not UTF-8. Rename the folder.")
        }
        self.handle = handle
        self.workTree = workTree.count > 1 && workTree.hasSuffix("/") ? String(workTree.dropLast()) : workTree
        try loadWorktreeConfiguration()
    }

    deinit { git_repository_free(handle) }

    /// The name of the work tree's folder.
    public var name: String { workTree.split(separator: "/").last.map(String.init) ?? "root" }

    /// The folder with this work tree's `HEAD` and index; for a linked worktree a folder in the main repository.
    var gitDirectory: String { git_repository_path(handle).map { String(cString: $0) } ?? "" }

    /// The folder that all worktrees of the repository share.
    var commonDirectory: String { git_repository_commondir(handle).map { String(cString: $0) } ?? "" }

    /// Where `directory` is in the work tree: `sub/folder`, or nothing for its top.
    public func prefix(of directory: String) throws(GitError) -> String {
        guard let resolved = realpath(directory, nil) else { throw GitError.unreadable(directory, errno) }
        defer { free(resolved) }
        let path = String(cString: resolved)
        if path == workTree { return "" }
        let top = workTree == "/" ? "/" : workTree + "/"
        guard path.utf8.starts(with: top.utf8) else {
            throw GitError(.outsideWorkTree, "\(path) is not inside the work tree \(workTree).")
        }
        let prefix = String(decoding: path.utf8.dropFirst(top.utf8.count), as: UTF8.self)
        guard prefix != ".git", !prefix.hasPrefix(".git/") else {
            throw GitError(.outsideWorkTree, "\(path) is git's own folder. Change to \(workTree).")
        }
        return prefix
    }

    /// The address of the remote `origin`, without a password that may be in it; nil when there is none.
    public func origin() throws(GitError) -> String? {
        guard let address = try configuration("remote.origin.url") else { return nil }
        let parts = address.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        // scheme: / (nothing) / user:password@host / path; anything else is a path, or ssh's user@host:path.
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty, let at = parts[2].lastIndex(of: "@") else {
            return address
        }
        let host = parts[2][parts[2].index(after: at)...]
        return (parts[..<2] + [host] + parts[3...]).joined(separator: "/")
    }

    /// The value of a configuration variable; nil when it is not set.
    func configuration(_ name: String) throws(GitError) -> String? {
        var snapshot: OpaquePointer?
        try Library.check(
            git_repository_config_snapshot(&snapshot, handle), "Cannot read the configuration of \(workTree)")
        defer { git_config_free(snapshot) }
        var value: UnsafePointer<CChar>?
        let result = git_config_get_string(&value, snapshot, name)
        if result == GIT_ENOTFOUND.rawValue { return nil }
        try Library.check(result, "Cannot read \(name) in the configuration of \(workTree)")
        return value.map { String(cString: $0) }
    }

    /// As ``configuration(_:)``, for a path: `~` is the user's home.
    func configurationPath(_ name: String) throws(GitError) -> String? {
        var snapshot: OpaquePointer?
        try Library.check(
            git_repository_config_snapshot(&snapshot, handle), "Cannot read the configuration of \(workTree)")
        defer { git_config_free(snapshot) }
        var value = git_buf()
        let result = git_config_get_path(&value, snapshot, name)
        if result == GIT_ENOTFOUND.rawValue { return nil }
        try Library.check(result, "Cannot read \(name) in the configuration of \(workTree)")
        defer { git_buf_dispose(&value) }
        return value.ptr.map { String(cString: $0) }
    }

    /// As ``configuration(_:)``, for one that is on or off; `fallback` when it is not set.
    func configuration(_ name: String, or fallback: Bool) throws(GitError) -> Bool {
        guard let value = try configuration(name) else { return fallback }
        var isOn: CInt = 0
        try Library.check(git_config_parse_bool(&isOn, value), "\(name) in the configuration of \(workTree)")
        return isOn != 0
    }

    /// Adds `config.worktree`, which `git sparse-checkout` writes to and libgit2 1.5 does not know.
    private func loadWorktreeConfiguration() throws(GitError) {
        guard try configuration("extensions.worktreeConfig", or: false) else { return }
        let path = gitDirectory + "config.worktree"
        guard access(path, F_OK) == 0 else { return }
        var settings: OpaquePointer?
        try Library.check(git_repository_config(&settings, handle), "Cannot read the configuration of \(workTree)")
        defer { git_config_free(settings) }
        let result = git_config_add_file_ondisk(settings, path, GIT_CONFIG_LEVEL_APP, handle, 0)
        // Newer versions know it already.
        guard result != GIT_EEXISTS.rawValue else { return }
        try Library.check(result, "Cannot read \(path)")
    }
}
