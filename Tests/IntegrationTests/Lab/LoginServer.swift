import Foundation
import IO
import Testing

/// An SSH server of a test's own, on this machine and without a scheduler: for everything about getting in.
struct LoginServer: Sendable {
    let repository: Repository
    let port: Int
    /// Of the server's keys, in a folder that the client does not know.
    private let folder: String

    /// A client's key that it takes, without a passphrase.
    var key: String { folder + "/id_ed25519" }
    /// Who may log in, as lines of public keys.
    var authorizedKeys: String { folder + "/authorized_keys" }
    /// The server's private key; the public one has `.pub` at its end.
    var hostKey: String { folder + "/host_key" }
    /// The file that the desk's user has by default. It exists once it is written.
    var knownHosts: String { repository.desk.home + "/.ssh/known_hosts" }

    fileprivate init(repository: Repository, port: Int) {
        self.repository = repository
        self.port = port
        folder = repository.desk.folder + "/server"
    }

    /// A file of the server's.
    func path(_ name: String) -> String { folder + "/" + name }

    /// The line of known_hosts that a public key makes.
    func knownHostsLine(ofKey path: String) throws -> String {
        "[127.0.0.1]:\(port) \(try String(contentsOfFile: path, encoding: .utf8))"
    }

    /// Makes the server known to the desk's user.
    func introduce() throws { try write(try knownHostsLine(ofKey: hostKey + ".pub"), to: knownHosts) }

    func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

    /// `submit` of a command that says that it runs, by way of this server.
    ///
    /// - Parameter changes: to the profile; nil removes a key.
    func submission(
        by place: Place, _ changes: [String: Any?] = [:], of command: [String] = ["sh", "-c", "echo it runs; exit 3"]
    ) throws -> Launch {
        var values: [String: Any] = [
            "hostname": "127.0.0.1", "port": port, "user": NSUserName(), "ssh_key": key, "scheduler": "none",
            "untar_path": repository.desk.folder + "/runs", "transport": place.transport,
        ]
        for (key, value) in changes { values[key] = value }
        let profile = try writeProfile(values, on: repository.desk)
        return repository.desk.submit(["-c", profile, "--no-tensorboard", "--"] + command, in: repository.folder)
    }

    func generateKey(_ path: String, passphrase: String = "") async throws {
        try await keygen("-q", "-t", "ed25519", "-f", path, "-N", passphrase, "-C", "a test")
    }

    /// Runs ssh-keygen and gives what it prints.
    @discardableResult
    func keygen(_ arguments: String...) async throws -> String {
        let launch = Launch(
            program: "ssh-keygen", arguments: arguments, directory: "/", environment: repository.desk.environment)
        return try await run(launch).checked("ssh-keygen \(arguments)").output
    }

    /// What submit's ssh processes, if any, leave behind: the folders for their sockets.
    func socketFolders() throws -> [String] {
        try entries(of: repository.desk.folder + "/tmp").filter { $0.hasPrefix("ct-") }
            .map { repository.desk.folder + "/tmp/" + $0 }
    }

    /// The numbers of the processes that have a text among their words.
    func processes(with text: String) async throws -> [pid_t] {
        let launch = Launch(
            program: "ps", arguments: ["-e", "-ww", "-o", "pid=,args="], directory: "/",
            environment: repository.desk.environment)
        return try await run(launch).checked("ps").output.split(separator: "\n").filter { $0.contains(text) }
            .compactMap { pid_t($0.split(separator: " ")[0]) }
    }
}

extension LoginServer {
    /// Why no server can be started; nil when one can.
    static let obstacle: String? =
        FileManager.default.isExecutableFile(atPath: "/usr/sbin/sshd") ? nil : "sshd is not installed"

    /// Debian's libpam-wrapper: PAM with a configuration of our own, which asks questions.
    private static let pamWrapper = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
        .first { FileManager.default.fileExists(atPath: $0 + "/libpam_wrapper.so") }

    /// Why no server can ask questions; nil when one can.
    static let questionObstacle: String? = obstacle ?? (pamWrapper == nil ? "libpam-wrapper is not installed" : nil)

    /// Starts one for as long as `body` takes.
    ///
    /// - Parameters:
    ///   - configuration: lines of sshd_config; the first mention of an option counts.
    ///   - questions: what PAM wants to hear: a password, and then a code that may be seen.
    static func with<Result: Sendable>(
        _ configuration: [String] = [], questions: (password: String, code: String)? = nil,
        _ body: @Sendable (LoginServer) async throws -> Result
    ) async throws -> Result {
        try await withRepository { repository in
            let server = LoginServer(repository: repository, port: Int(try await freePort()))
            for folder in [server.folder, repository.desk.home + "/.ssh"] {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
            // sshd started by root insists on this folder.
            if getuid() == 0 {
                try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
            }
            try await server.generateKey(server.hostKey)
            try await server.generateKey(server.key)
            try FileManager.default.copyItem(atPath: server.key + ".pub", toPath: server.authorizedKeys)
            var environment = repository.desk.environment
            var lines = configuration
            if let questions {
                environment.merge(try server.makeQuestions(questions)) { $1 }
                lines += ["UsePAM yes", "KbdInteractiveAuthentication yes"]
            }
            lines += [
                "Port \(server.port)", "ListenAddress 127.0.0.1", "HostKey \(server.hostKey)", "PidFile none",
                "UsePAM no", "StrictModes no", "AuthorizedKeysFile \(server.authorizedKeys)", "PermitRootLogin yes",
                "PasswordAuthentication no", "KbdInteractiveAuthentication no",
                "SetEnv HOME=\(repository.desk.home) PATH=/usr/local/bin:/usr/bin:/bin",
            ]
            try server.write(lines.joined(separator: "\n") + "\n", to: server.path("sshd_config"))
            let launch = Launch(
                program: "/usr/sbin/sshd", arguments: ["-D", "-e", "-f", server.path("sshd_config")], directory: "/",
                environment: environment)
            return try await withChild(launch) { daemon in
                try await eventually("sshd", within: .seconds(20)) {
                    await daemon.summary
                } check: {
                    String(decoding: await daemon.bytes(.errors), as: UTF8.self).contains("listening") ? true : nil
                }
                return try await body(server)
            }
        }
    }

    private func makeQuestions(_ questions: (password: String, code: String)) throws -> [String: String] {
        let libraries = try #require(Self.pamWrapper)
        try FileManager.default.createDirectory(atPath: path("pam"), withIntermediateDirectories: false)
        try write("\(NSUserName()):\(questions.password):sshd\n", to: path("first"))
        try write("\(NSUserName()):\(questions.code):sshd\n", to: path("second"))
        let matrix = "required \(libraries)/pam_wrapper/pam_matrix.so"
        let service = """
            auth \(matrix) passdb=\(path("first"))
            auth \(matrix) passdb=\(path("second")) echo
            account required pam_permit.so
            session required pam_permit.so

            """
        try write(service, to: path("pam/sshd"))
        return [
            "LD_PRELOAD": libraries + "/libpam_wrapper.so", "PAM_WRAPPER": "1",
            "PAM_WRAPPER_SERVICE_DIR": path("pam"),
        ]
    }
}

/// A port that was free a moment ago.
private func freePort() async throws -> UInt16 {
    let loop = try PollLoop()
    defer { loop.stop() }
    return try await withListener(preferredPort: nil, loop: loop) { $0.port }
}
