import CGit2
import Foundation
import Testing

@testable import Git

/// Folders and repositories for one test, made by the real git, removed afterwards.
struct Lab: Sendable {
    let root: URL

    /// Lends an empty folder in which neither git nor libgit2 sees the configuration of this machine.
    static func with(_ body: (Lab) throws -> Void) throws {
        try isolate()
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "git-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { removeFolder(root) }
        try body(Lab(root: root))
    }

    /// From now on this process sees no configuration but the repositories' own.
    static func isolate() throws { try isolation.get() }

    /// libgit2 finds no configuration but the repository's own. For the whole process: set once, before any use.
    private static let isolation: Result<Void, any Error> = Result {
        try Library.start()
        for level in [
            GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA,
        ] {
            try Library.check(cgit2_set_search_path(level, "/nonexistent"), "no isolation")
        }
    }

    /// An empty repository on the branch `main`.
    func repository(_ name: String = "project") throws -> Sandbox {
        let folder = root.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let sandbox = Sandbox(lab: self, folder: folder)
        try sandbox.git("init", "-q", "--template=", "-b", "main")
        return sandbox
    }

    /// A repository with one commit of a few files, each of another kind.
    func committed(_ name: String = "project") throws -> Sandbox {
        let sandbox = try repository(name)
        try sandbox.write("main.py", "print('hello')\n")
        try sandbox.write("data/table.csv", "a,b\n1,2\n")
        try sandbox.write("run.sh", "#!/bin/sh\n", mode: 0o755)
        try sandbox.link("latest", to: "data/table.csv")
        try sandbox.write(".gitignore", "*.log\n/build/\n")
        try sandbox.commit()
        return sandbox
    }
}

/// One repository and the real git to drive it.
struct Sandbox: Sendable {
    let lab: Lab
    let folder: URL

    var path: String { folder.path }

    // MARK: Files

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        try write(name, Array(text.utf8), mode: mode)
    }

    func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o644) throws {
        let file = folder.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    }

    func link(_ name: String, to destination: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.appending(path: name).path, withDestinationPath: destination)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(at: folder.appending(path: name)) }

    // MARK: git

    /// Runs git here and returns what it prints; throws when it fails.
    @discardableResult
    func git(_ arguments: String..., environment: [String: String] = [:]) throws -> String {
        String(decoding: try run(["git"] + arguments, environment: environment), as: UTF8.self)
            .trimmingCharacters(in: .newlines)
    }

    @discardableResult
    func run(_ words: [String], environment extra: [String: String] = [:]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = folder
        process.environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": lab.root.path,
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": lab.root.appending(path: "gitconfig").path,
            "GIT_AUTHOR_NAME": "Tester", "GIT_AUTHOR_EMAIL": "tester@example.org", "GIT_COMMITTER_NAME": "Tester",
            "GIT_COMMITTER_EMAIL": "tester@example.org", "GIT_TERMINAL_PROMPT": "0",
        ].merging(extra) { $1 }
        let output = Pipe()
        let complaints = lab.root.appending(path: "stderr-\(UUID().uuidString)")
        try Data().write(to: complaints)
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: complaints)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // The deadline: nothing here takes seconds.
        let deadline = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: deadline)
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        deadline.cancel()
        guard process.terminationStatus == 0 else {
            throw CommandFailure(
                command: words.joined(separator: " "),
                message: String(decoding: try Data(contentsOf: complaints), as: UTF8.self))
        }
        return Array(bytes)
    }

    func commit(_ message: String = "work") throws {
        try git("add", "-A")
        try git("commit", "-q", "--allow-empty", "-m", message)
    }

    /// The tree that `git add -A` and `git write-tree` make, with neither the index nor the objects changed.
    func treeByGit(_ addArguments: String...) throws -> String {
        let gitDirectory = try git("rev-parse", "--absolute-git-dir")
        let objects = try git("rev-parse", "--path-format=absolute", "--git-path", "objects")
        let index = lab.root.appending(path: "index-\(UUID().uuidString)").path
        if FileManager.default.fileExists(atPath: gitDirectory + "/index") {
            // With its time: git takes a file for changed in the same second only if the index is no younger.
            try run(["cp", "-p", gitDirectory + "/index", index])
        }
        let scratch = lab.root.appending(path: "objects-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        let environment = [
            "GIT_INDEX_FILE": index, "GIT_OBJECT_DIRECTORY": scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
        ]
        try run(["git", "-c", "core.safecrlf=false", "add", "-A"] + addArguments, environment: environment)
        return try git("write-tree", environment: environment)
    }

    // MARK: Snapshots

    func open() throws -> Repository { try Repository.discover(from: path) }

    /// Takes a snapshot and checks what must hold for every one: the tree is git's, the repository is sound, and
    /// nothing of the user's has changed.
    @discardableResult
    func snapshot(
        _ change: (inout SnapshotOptions) -> Void = { _ in }, comparing: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Snapshot {
        var options = SnapshotOptions(message: "python main.py")
        change(&options)
        let before = try fingerprint()
        let snapshot = try open().snapshot(options)
        let after = try fingerprint()
        #expect(Self.differences(before, after).isEmpty, sourceLocation: sourceLocation)
        if comparing { #expect(snapshot.tree == (try treeByGit()), sourceLocation: sourceLocation) }
        if !options.dryRun {
            #expect(try git("rev-parse", snapshot.commit + "^{tree}") == snapshot.tree, sourceLocation: sourceLocation)
            try git("fsck", "--strict", "--no-dangling", "--no-progress")
            if let reference = snapshot.reference {
                #expect(try git("rev-parse", reference) == snapshot.commit, sourceLocation: sourceLocation)
            }
        }
        return snapshot
    }

    /// The names that differ between two fingerprints.
    static func differences(_ before: [String: String], _ after: [String: String]) -> [String] {
        Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
    }

    private func isFile(_ file: URL) -> Bool {
        var status = stat()
        return lstat(file.path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Everything that a snapshot must leave as it is: the files with their modes and times, and all of `.git` but for
    /// objects and the snapshots' own branches.
    func fingerprint() throws -> [String: String] {
        var prints: [String: String] = [:]
        let keys: [URLResourceKey] = []
        guard
            let walk = FileManager.default.enumerator(
                at: folder, includingPropertiesForKeys: keys, options: [], errorHandler: nil)
        else { return prints }
        for case let file as URL in walk {
            let name = String(file.path.dropFirst(path.count + 1))
            // A branch comes with a log of its own, and with the folders that it needs.
            if name.contains("/objects/") || name.contains(".dirty") || name.contains("/logs") && !isFile(file) {
                continue
            }
            var status = stat()
            guard lstat(file.path, &status) == 0 else { continue }
            var print = "\(status.st_mode)"
            if status.st_mode & S_IFMT == S_IFREG {
                let content = try Data(contentsOf: file)
                print +=
                    " \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ino) \(content.base64EncodedString())"
            }
            prints[name] = print
        }
        return prints
    }
}

struct CommandFailure: Error, CustomStringConvertible {
    let command: String
    let message: String

    var description: String { "\(command): \(message)" }
}

extension Snapshot {
    var paths: [String] { entries.map(\.path) }

    func entry(_ path: String) throws -> Entry {
        try #require(entries.first { $0.path == path }, "no entry \(path) among \(paths)")
    }
}

extension Repository {
    func text(of entry: Entry) throws -> String { String(decoding: try read(entry), as: UTF8.self) }
}

func removeFolder(_ folder: URL) {
    do {
        try FileManager.default.removeItem(at: folder)
    } catch {
        Issue.record("\(folder.path) cannot be removed: \(error)")
    }
}

/// The error that `body` ends with.
func failure(of body: () throws -> Void) throws -> GitError {
    try #require(throws: GitError.self, performing: body)
}
