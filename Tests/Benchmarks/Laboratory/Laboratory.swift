import Foundation
import IO

/// What benchmarks share: a folder, a cluster, an event loop.
final class Laboratory: Sendable {
    /// Everything that is made lies below; it goes with the laboratory.
    let folder: String
    let loop: PollLoop
    /// How often a short thing is measured.
    let repetitions: Int
    private let clusters: DemoClusters

    fileprivate init(folder: String, loop: PollLoop, repetitions: Int) {
        self.folder = folder
        self.loop = loop
        self.repetitions = repetitions
        clusters = DemoClusters(folder: folder, loop: loop)
    }

    /// The home folder of the user who works here; nothing of whoever runs this is read or changed.
    var home: String { folder + "/home" }

    /// The whole environment of what is started.
    var environment: [String: String] {
        [
            "HOME": home, "USER": NSUserName(), "LOGNAME": NSUserName(), "SHELL": "/bin/sh", "LANG": "C.UTF-8",
            "PATH": "\(Programs.folder):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": folder + "/tmp",
            "GIT_CONFIG_NOSYSTEM": "1",
        ]
    }

    /// How often something is measured that takes long: a third as often as the rest.
    var fewRepetitions: Int { max(1, (repetitions + 1) / 3) }

    /// A running demo cluster, which all benchmarks share; the first one starts it. It has a real TensorBoard.
    func cluster() async throws -> DemoCluster { try await clusters.shared() }

    /// A fresh folder below ``folder``.
    func makeFolder(_ name: String) throws -> String {
        let path = "\(folder)/\(name)-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// A repository in a folder of its own.
    func makeRepository(_ name: String) async throws -> Repository {
        let repository = Repository(laboratory: self, folder: try makeFolder(name))
        try await repository.git("init", "--quiet", "--initial-branch=main")
        try await repository.git("config", "user.name", "Ada Example")
        try await repository.git("config", "user.email", "ada@example.org")
        // What git does by itself in the background would be measured with something else.
        try await repository.git("config", "gc.auto", "0")
        return repository
    }

    fileprivate func close() async { await clusters.stop() }
}

/// Lends a laboratory, and leaves nothing of it behind.
func withLaboratory<Result: Sendable>(
    repetitions: Int, _ body: (Laboratory) async throws -> Result
) async throws -> Result {
    // `Tests/Benchmarks/run` names one that it cleans up itself, should this program be killed.
    let parent = ProcessInfo.processInfo.environment["CLUSTER_TOOLS_TEST_FOLDER"] ?? "/tmp"
    let folder = parent + "/ct-bench-\(getpid())"
    for path in [folder + "/home", folder + "/tmp"] {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
    let loop = try PollLoop()
    let laboratory = Laboratory(folder: folder, loop: loop, repetitions: repetitions)
    func close() async throws {
        await shielded { await laboratory.close() }
        loop.stop()
        try FileManager.default.removeItem(atPath: folder)
    }
    do {
        let result = try await body(laboratory)
        try await close()
        return result
    } catch {
        do { try await close() } catch { say("left behind: \(folder): \(error)") }
        throw error
    }
}
