import Foundation

/// A git repository of a test, made and changed with the git command.
struct Repository: Sendable {
    let desk: Desk
    /// The working tree's top folder.
    let folder: String

    /// Runs git here.
    ///
    /// - Returns: its standard output without the last line end.
    /// - Throws: with git's messages when it fails.
    @discardableResult
    func git(_ arguments: String..., in subfolder: String = "") async throws -> String {
        let launch = Launch(
            program: "git", arguments: arguments, directory: folder + "/" + subfolder, environment: desk.environment)
        let output = try await run(launch).checked("git \(arguments.joined(separator: " "))").output
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// Writes a file, with the folders on its way.
    func write(_ path: String, _ text: String, executable: Bool = false) throws {
        let url = URL(filePath: folder).appending(path: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        try FileManager.default.setAttributes(
            [.posixPermissions: executable ? 0o755 : 0o644], ofItemAtPath: url.path)
    }

    func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: folder).appending(path: path)), as: UTF8.self)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: folder + "/" + path) }

    /// Adds everything and commits it.
    func commit(_ message: String) async throws {
        try await git("add", "--all")
        try await git("commit", "--quiet", "--message", message)
    }

    /// `submit` as typed in this folder.
    func submit(_ arguments: String..., in subfolder: String = "") -> Launch {
        submit(arguments, in: subfolder)
    }

    func submit(_ arguments: [String], in subfolder: String = "") -> Launch {
        desk.submit(arguments, in: folder + "/" + subfolder)
    }

    /// `cluster` as typed in this folder.
    func cluster(_ arguments: String...) -> Launch { desk.cluster(arguments, in: folder) }
}

/// Lends a repository with one commit for as long as `body` takes.
///
/// - Parameters:
///   - name: its folder's name, from which jobs get theirs.
///   - files: what the commit holds, by path.
///   - commits: false leaves the files untracked and the repository without a commit.
func withRepository<Result: Sendable>(
    named name: String = "example", files: [String: String] = ["main.py": "print('hello from the cluster')\n"],
    commits: Bool = true, _ body: @Sendable (Repository) async throws -> Result
) async throws -> Result {
    try await withDesk { desk in
        let repository = Repository(desk: desk, folder: desk.folder + "/" + name)
        try FileManager.default.createDirectory(atPath: repository.folder, withIntermediateDirectories: true)
        try await repository.git("init", "--quiet", "--initial-branch=main")
        try await repository.git("config", "user.name", "Ada Example")
        try await repository.git("config", "user.email", "ada@example.org")
        for (path, text) in files { try repository.write(path, text) }
        if commits { try await repository.commit("First") }
        return try await body(repository)
    }
}
