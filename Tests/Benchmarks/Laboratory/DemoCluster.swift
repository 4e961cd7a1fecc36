import Foundation
import IO

/// A running demo cluster (`clusters/demo/up`): real sshd, Slurm and nodes, on this machine.
struct DemoCluster: Sendable {
    /// Its folder.
    let state: String
    let access: Access

    /// How one gets there: what the profile says.
    struct Access: Codable, Sendable {
        var hostname: String
        var port: UInt16
        var user: String
        var key: String
        var knownHosts: String
        /// The folder for runs.
        var folder: String
        var activation: String?
        var environment: String?
        var options: [String: String]
        /// What speaks SSH; nil for what submit takes by itself.
        var transport: String?

        private enum CodingKeys: String, CodingKey {
            case hostname, port, user, environment, transport
            case key = "ssh_key"
            case knownHosts = "known_hosts"
            case folder = "untar_path"
            case activation = "activate_python"
            case options = "sbatch_options"
        }
    }

    /// The words of ssh and scp that lead to the access node, or to its link, and take nothing from whoever runs this.
    static func sshOptions(_ access: Access) -> [String] {
        [
            "-F", "none", "-i", access.key, "-o", "Port=\(access.port)", "-o", "User=\(access.user)",
            "-o", "BatchMode=yes", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes",
            "-o", "UserKnownHostsFile=\(access.knownHosts)", "-o", "StrictHostKeyChecking=yes",
        ]
    }

    /// Writes a profile with these values.
    ///
    /// - Returns: what submit's `-c` takes.
    func writeProfile(_ access: Access, in folder: String) throws -> String {
        let path = "\(folder)/profile-\(UUID().uuidString.prefix(8).lowercased()).json"
        try JSONEncoder().encode(access).write(to: URL(filePath: path))
        return path
    }

    /// A command on the access node by ssh.
    func ssh(_ command: String, in laboratory: Laboratory, over access: Access? = nil) -> Command {
        let access = access ?? self.access
        return Command(
            laboratory: laboratory, program: "ssh",
            arguments: DemoCluster.sshOptions(access) + [access.hostname, command], directory: "/")
    }
}

/// Starts the cluster when somebody wants it, and takes it down at the end.
actor DemoClusters {
    private let folder: String
    private let loop: PollLoop
    private var running: Task<DemoCluster, any Error>?

    init(folder: String, loop: PollLoop) {
        self.folder = URL(filePath: folder).deletingLastPathComponent().path
        self.loop = loop
    }

    private var state: String { folder + "/ct-demo-\(getpid())" }

    func shared() async throws -> DemoCluster {
        // One task, so that those who ask at the same time wait for the same start. It is not cancelled with them: a
        // start that is interrupted half-way would leave daemons; ``stop()`` takes down what has come up.
        let task = running ?? Task { try await self.start() }
        running = task
        let cluster = try await task.value
        try Task.checkCancellation()
        return cluster
    }

    func stop() async {
        guard let running else { return }
        _ = await running.result
        do { try await script("down", ["--state", state, "--quiet"]) } catch {
            say("the demo cluster could not be taken down: \(error)")
        }
        self.running = nil
    }

    private func start() async throws -> DemoCluster {
        say("starting a demo cluster …")
        try await script("up", ["--state", state, "--yes"])
        let data = try Data(contentsOf: URL(filePath: state + "/profile.json"))
        return DemoCluster(state: state, access: try JSONDecoder().decode(DemoCluster.Access.self, from: data))
    }

    private func script(_ name: String, _ arguments: [String]) async throws {
        let late = BenchmarkError("clusters/demo/\(name) took longer than 10 minutes")
        try await withTimeout(.seconds(600), or: late) { [loop] in
            try await withChildProcess("\(Programs.demo)/\(name)", arguments, newSession: true, loop: loop) { process in
                try await withErrorTail(of: process) { tail in
                    try await process.finishWriting()
                    _ = try await process.readToEnd()
                    guard try await process.exitStatus().isSuccess else {
                        throw BenchmarkError("clusters/demo/\(name) failed: \(tail.text)")
                    }
                }
            }
        }
    }
}
