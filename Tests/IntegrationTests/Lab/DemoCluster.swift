import Foundation

/// A running demo cluster (`clusters/demo/up`): real sshd, Slurm and nodes, on this machine.
struct DemoCluster: Sendable {
    /// How it is started; options of `clusters/demo/up`.
    struct Options: Hashable, Sendable {
        /// A TensorBoard for the jobs; it takes a minute to install the first time.
        var tensorboard = true
        /// JupyterLab too.
        var hasJupyter = false
        /// Run as a Unix user of its own with this login shell. Needs root, as do the next four.
        var loginShell: String?
        /// The start files of that user print to stdout.
        var isNoisy = false
        /// Slurm is found by login shells only.
        var hasSlurmInLoginShellOnly = false
        /// The access node and the workers are separate hosts, with SSH on each.
        var hasHosts = false
        /// A job that uses more memory than it asked for is killed. One cluster at a time can have this.
        var hasMemoryLimits = false
        /// Lines of slurm.conf, such as `MinJobAge=5`.
        var slurm: [String] = []
        /// Lines of sshd_config, such as `MaxSessions 10`.
        var sshd: [String] = []

        var arguments: [String] {
            var arguments = tensorboard ? [] : ["--no-tensorboard"]
            if hasJupyter { arguments.append("--jupyter") }
            if let loginShell { arguments += ["--login-shell", loginShell] }
            if isNoisy { arguments.append("--noisy") }
            if hasSlurmInLoginShellOnly { arguments.append("--slurm-in-login") }
            if hasHosts { arguments.append("--hosts") }
            if hasMemoryLimits { arguments.append("--memory-limits") }
            return arguments + slurm.flatMap { ["--slurm", $0] } + sshd.flatMap { ["--sshd", $0] }
        }
    }

    /// What submit's `-c` takes.
    var profile: String { state + "/profile.json" }
    /// The folder on the cluster under which runs appear.
    var scratch: String { state + "/scratch" }
    /// The state folder; it ends with the cluster.
    let state: String

    /// The profile's values.
    func profileValues() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: profile))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// Runs a command on the access node, by way of OpenSSH's client and the user's login shell there.
    func ssh(_ command: String, within limit: Duration = .seconds(60)) async throws -> Finished {
        let values = try profileValues()
        guard let host = values["hostname"] as? String, let user = values["user"] as? String,
            let port = values["port"] as? Int, let key = values["ssh_key"] as? String,
            let knownHosts = values["known_hosts"] as? String
        else { throw LabError(code: .command, message: "the profile \(profile) is not complete") }
        return try await run(
            Launch(
                program: "ssh",
                arguments: [
                    "-F", "none", "-i", key, "-p", "\(port)", "-o", "BatchMode=yes", "-o", "IdentityAgent=none",
                    "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=\(knownHosts)",
                    "-o", "StrictHostKeyChecking=yes", "\(user)@\(host)", command,
                ],
                directory: "/", environment: scriptEnvironment),
            within: limit)
    }

    /// Adds a line to a start file of the user that a cluster with a login shell of its own has.
    func append(_ line: String, to file: String) throws {
        let path = state + "/home/" + file
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try (text + line + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    }

    /// Runs `clusters/demo/fault` with these words: `try await cluster.fault("ssh", "drop")`.
    func fault(_ words: String...) async throws {
        _ = try await script("fault", ["--state", state] + words, within: .seconds(90))
    }

    /// The ids of the jobs that Slurm has queued or running.
    func jobs() async throws -> [String] {
        try await ssh("bash -lc 'squeue -h -o %i'").checked("squeue").output.split(separator: "\n").map(String.init)
    }

    /// Why no demo cluster can be started here; nil when one can.
    static let obstacle: String? = {
        #if os(Linux)
            let programs = ["slurmctld", "slurmd", "sbatch", "munged", "sshd", "ssh", "ps", "setpriv"]
            let missing = programs.filter { program in
                !["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"].contains { folder in
                    FileManager.default.isExecutableFile(atPath: folder + program)
                }
            }
            return missing.isEmpty ? nil : "the demo cluster needs \(missing.joined(separator: ", ")): run Tests/run"
        #else
            return "the demo cluster needs Linux"
        #endif
    }()

    /// Why no cluster with users or hosts of its own can be started here; nil when one can.
    static let rootObstacle: String? = obstacle ?? (geteuid() == 0 ? nil : "this test needs root")
}

extension DemoCluster {
    /// Why no cluster can hold jobs to their memory here; nil when one can.
    static let memoryObstacle: String? = {
        if let rootObstacle { return rootObstacle }
        let isMounted = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.limit_in_bytes")
        return isMounted ? nil : "this test needs the memory controller of cgroup v1"
    }()
}

/// Lends the demo cluster that all tests of this process share; the first one starts it.
///
/// A test must not break it, and must end its own jobs: for anything else there is ``withOwnDemoCluster(_:_:)``.
func withDemoCluster<Result: Sendable>(_ body: @Sendable (DemoCluster) async throws -> Result) async throws -> Result {
    try await body(DemoClusters.shared.standard())
}

/// Starts a demo cluster for one test alone, which may break it, and takes it down afterwards.
func withOwnDemoCluster<Result: Sendable>(
    _ options: DemoCluster.Options = DemoCluster.Options(),
    _ body: @Sendable (DemoCluster) async throws -> Result
) async throws -> Result {
    let cluster = try await DemoClusters.shared.start(options)
    let result: Result
    do {
        result = try await body(cluster)
    } catch {
        // Uncancelled, so that a test that ran out of time leaves nothing.
        await Task { await DemoClusters.shared.stop(cluster) }.value
        throw error
    }
    await DemoClusters.shared.stop(cluster)
    return result
}

/// The clusters that this process has started.
actor DemoClusters {
    /// Tests run in one process and have no owner above them: this is the one thing they share.
    static let shared = DemoClusters()

    private var shared: Task<DemoCluster, any Error>?
    private var count = 0

    func standard() async throws -> DemoCluster {
        // One task, so that tests that ask at the same time wait for the same start.
        let task = shared ?? Task { try await self.start(DemoCluster.Options()) }
        shared = task
        return try await task.value
    }

    func start(_ options: DemoCluster.Options) async throws -> DemoCluster {
        count += 1
        let cluster = DemoCluster(state: "\(Programs.temporary)/ct-demo-\(getpid())-\(count)")
        try watch(cluster.state)
        do {
            _ = try await script(
                "up", ["--state", cluster.state, "--yes"] + options.arguments, within: .seconds(600))
        } catch let error as LabError where error.message.contains("Address already in use") {
            // Ports are free when they are chosen and taken a second later; a whole run starts many clusters.
            return try await start(options)
        }
        return cluster
    }

    func stop(_ cluster: DemoCluster) async {
        do {
            _ = try await script("down", ["--state", cluster.state], within: .seconds(60))
        } catch {
            print("could not take down a demo cluster: \(error)")
        }
    }

    /// Starts a process that takes the cluster down when this one is gone, however it ends: it waits for the end of a pipe
    /// whose other end only this process has, and says nothing to anyone who waits for the tests' output.
    private func watch(_ state: String) throws {
        let launch = Launch(
            program: "/bin/sh",
            arguments: [
                "-c", "exec >/dev/null 2>&1; read -r _; exec \"$1\" --state \"$2\" --quiet", "watchdog",
                Programs.demo + "/down", state,
            ],
            directory: "/", environment: scriptEnvironment)
        // The pipe's end stays open for as long as this process lives: that is its meaning.
        let spawned = try spawn(launch)
        for reader in spawned.readers.values { close(reader) }
    }
}

/// The environment of the demo's scripts: the caches and the PATH of whoever runs the tests, and no more.
private let scriptEnvironment: [String: String] = {
    let inherited = ProcessInfo.processInfo.environment
    var environment = inherited.filter {
        $0.key.hasPrefix("PIP_") || $0.key.hasPrefix("XDG_") || $0.key == "SSL_CERT_FILE"
    }
    environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment["HOME"] = NSHomeDirectory()
    environment["LANG"] = "C.UTF-8"
    return environment
}()

private func script(_ name: String, _ arguments: [String], within limit: Duration) async throws -> Finished {
    try await run(
        Launch(
            program: Programs.demo + "/" + name, arguments: arguments, directory: "/", environment: scriptEnvironment),
        within: limit
    ).checked("clusters/demo/\(name) \(arguments.joined(separator: " "))")
}
