import Foundation
import IO
import Testing

/// A real sshd of one test, on a port of its own, with keys of its own, as whoever runs the tests.
struct SSHServer: Sendable {
    /// What the server's PAM asks for, one after the other.
    struct Question: Sendable {
        var answer: String
        /// Whether what is typed may show.
        var echo = false
    }

    let folder: String
    let port: UInt16

    /// Its host key as in a `.pub` file, without the comment.
    var hostKey: String { get throws { try publicKey(folder + "/host_key") } }

    /// The fingerprint of its host key, as ssh-keygen prints it.
    func fingerprint() async throws -> String {
        let listing = try await run(tool("ssh-keygen", "-l", "-f", folder + "/host_key.pub")).checked("ssh-keygen")
            .output
        return try #require(listing.split(separator: " ").dropFirst().first.map(String.init))
    }

    /// Lets the owner of a key in, given the path of its private file.
    func authorize(_ key: String) throws {
        let path = folder + "/authorized_keys"
        let before =
            FileManager.default.fileExists(atPath: path) ? try String(contentsOfFile: path, encoding: .utf8) : ""
        try (before + publicKey(key) + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// A line for known_hosts.
    ///
    /// - Parameter names: Those of the host; nil for its address and port.
    func knownHost(_ names: String? = nil) throws -> String { "\(names ?? "[127.0.0.1]:\(port)") \(try hostKey)\n" }

    /// What it has logged.
    var log: String {
        get throws { try String(contentsOfFile: folder + "/log", encoding: .utf8) }
    }

    /// How many logins it has accepted.
    var logins: Int { get throws { try log.matches(of: #/Accepted \S+ for /#).count } }

    /// How many connections it has accepted.
    var connections: Int { get throws { try log.matches(of: #/Connection from /#).count } }

    /// Ends its connections, as a server does that crashes; it takes new ones.
    func dropConnections() async throws {
        let file = try String(contentsOfFile: folder + "/pid", encoding: .utf8)
        let listener = try #require(Int32(file.split(whereSeparator: \.isWhitespace).first ?? ""))
        // A connection's process has the listener for its parent, and before the login a child that talks with the client.
        for parent in try await children(of: listener) + [listener] {
            _ = try await run(tool("pkill", "-KILL", "-P", "\(parent)", "sshd"))
        }
    }

    private func children(of process: Int32) async throws -> [Int32] {
        try await run(tool("pgrep", "-P", "\(process)")).output.split(separator: "\n").compactMap { Int32($0) }
    }
}

/// Why no server that asks questions can be started here; nil when one can.
let questionsObstacle: String? = pamWrapper == nil ? "libpam-wrapper is not installed: no PAM to ask questions" : nil

/// PAM with a configuration of our own needs Debian's libpam-wrapper.
private let pamWrapper = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
    .map { "\($0)/libpam_wrapper.so" }.first { FileManager.default.fileExists(atPath: $0) }

/// Why no sshd can be started here; nil when one can.
let sshdObstacle: String? =
    FileManager.default.isExecutableFile(atPath: "/usr/sbin/sshd") ? nil : "openssh-server is not installed"

/// Lends an SSH server for as long as `body` takes.
///
/// - Parameters:
///   - desk: whose folder its files lie in.
///   - configuration: lines for sshd_config; of an option the first mention counts.
///   - questions: what it asks, when `configuration` allows it to.
///   - before: a command that starts it, given the server's own as further words; none to start it as it is.
func withSSHServer<Result: Sendable>(
    on desk: Desk, _ configuration: [String] = [], questions: [SSHServer.Question] = [], by before: [String] = [],
    _ body: @Sendable (SSHServer) async throws -> Result
) async throws -> Result {
    let port = try await withListener(preferredPort: nil, loop: try PollLoop()) { $0.port }
    let server = SSHServer(folder: "\(desk.folder)/sshd-\(port)", port: port)
    try FileManager.default.createDirectory(atPath: server.folder + "/home", withIntermediateDirectories: true)
    try await makeKey(server.folder + "/host_key")
    // As root sshd insists on this folder.
    if getuid() == 0 { try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true) }
    let lines =
        configuration + [
            "Port \(port)", "ListenAddress 127.0.0.1", "HostKey \(server.folder)/host_key",
            "PidFile \(server.folder)/pid",
            "StrictModes no", "AuthorizedKeysFile \(server.folder)/authorized_keys", "PermitRootLogin yes",
            "UsePAM \(questions.isEmpty ? "no" : "yes")", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "LogLevel VERBOSE", "MaxStartups 100", "UseDNS no", "PrintMotd no",
            "SetEnv HOME=\(server.folder)/home PATH=/usr/local/bin:/usr/bin:/bin",
        ]
    let file = server.folder + "/sshd_config"
    try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let words = before + ["/usr/sbin/sshd", "-D", "-f", file, "-E", server.folder + "/log"]
    var launch = tool(words[0], Array(words.dropFirst()))
    if !questions.isEmpty { launch.environment.merge(try pam(server, questions)) { $1 } }
    return try await withChild(launch) { _ in
        try await eventually("sshd", within: .seconds(10)) {
            FileManager.default.fileExists(atPath: server.folder + "/pid") ? true : nil
        }
        return try await body(server)
    }
}

/// A PAM service for sshd that asks these questions; gives the variables that make sshd use it.
private func pam(_ server: SSHServer, _ questions: [SSHServer.Question]) throws -> [String: String] {
    let library = try #require(pamWrapper)
    let modules = library.replacingOccurrences(of: "libpam_wrapper.so", with: "pam_wrapper")
    let folder = server.folder + "/pam"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var service = ""
    for (index, question) in questions.enumerated() {
        let database = "\(server.folder)/answers-\(index)"
        try "\(NSUserName()):\(question.answer):sshd\n".write(toFile: database, atomically: true, encoding: .utf8)
        service += "auth required \(modules)/pam_matrix.so passdb=\(database)\(question.echo ? " echo" : "")\n"
    }
    service += "account required pam_permit.so\nsession required pam_permit.so\n"
    try service.write(toFile: folder + "/sshd", atomically: true, encoding: .utf8)
    return ["LD_PRELOAD": library, "PAM_WRAPPER": "1", "PAM_WRAPPER_SERVICE_DIR": folder]
}

extension Desk {
    /// Writes a file of the user's `~/.ssh`, or adds to it.
    func writeSSH(_ name: String, _ text: String, adding: Bool = false) throws {
        let folder = home + "/.ssh"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = folder + "/" + name
        let before = adding && FileManager.default.fileExists(atPath: path) ? try readSSH(name) : ""
        try (before + text).write(toFile: path, atomically: true, encoding: .utf8)
        // ssh refuses a configuration that others can write to.
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    func readSSH(_ name: String) throws -> String {
        try String(contentsOfFile: home + "/.ssh/" + name, encoding: .utf8)
    }

    /// Makes a key in the user's `~/.ssh`.
    ///
    /// - Returns: the private file's path.
    @discardableResult
    func makeSSHKey(_ name: String, type: String = "ed25519", passphrase: String = "") async throws -> String {
        try writeSSH(".made", "")
        try await makeKey(home + "/.ssh/" + name, type: type, passphrase: passphrase)
        return home + "/.ssh/" + name
    }

    /// Lends an ssh-agent that holds keys.
    ///
    /// - Returns: what `body` does, given the socket.
    func withAgent<Result: Sendable>(
        holding keys: [String], _ body: @Sendable (String) async throws -> Result
    ) async throws -> Result {
        let socket = folder + "/agent"
        return try await withChild(tool("ssh-agent", "-D", "-a", socket)) { _ in
            try await eventually("ssh-agent") { FileManager.default.fileExists(atPath: socket) ? true : nil }
            var add = tool("ssh-add", ["-q"] + keys)
            add.environment["SSH_AUTH_SOCK"] = socket
            if !keys.isEmpty { _ = try await run(add).checked("ssh-add") }
            return try await body(socket)
        }
    }
}

extension Repository {
    /// `submit` of a command that says "in", to a host without a scheduler.
    ///
    /// - Parameter values: more for the profile.
    func submission(to host: String, _ values: [String: any Sendable] = [:], options: [String] = []) throws -> Launch {
        let profile: [String: any Sendable] = [
            "hostname": host, "scheduler": "none", "untar_path": desk.folder + "/runs",
        ]
        let path = try writeProfile(profile.merging(values) { $1 }, on: desk)
        return desk.submit(["-c", path, "--no-tensorboard"] + options + ["echo", "in"], in: folder)
    }
}

/// Expects the job of ``Repository/submission(to:_:options:)`` to have run.
func expectIn(_ finished: Finished, at place: SourceLocation = #_sourceLocation) {
    #expect(finished.status == .exited(0), "\(finished.errors)", sourceLocation: place)
    #expect(finished.output == "in\n", "\(finished.errors)", sourceLocation: place)
}

private func makeKey(_ path: String, type: String = "ed25519", passphrase: String = "") async throws {
    // Few rounds: what they cost is not what is tested.
    let arguments =
        ["-q", "-t", type, "-f", path, "-N", passphrase, "-C", "test"] + (passphrase.isEmpty ? [] : ["-a", "2"])
    _ = try await run(tool("ssh-keygen", arguments)).checked("ssh-keygen")
}

private func publicKey(_ path: String) throws -> String {
    try String(contentsOfFile: path + ".pub", encoding: .utf8).split(separator: " ").prefix(2).joined(separator: " ")
}

private func tool(_ program: String, _ arguments: String...) -> Launch { tool(program, arguments) }

private func tool(_ program: String, _ arguments: [String]) -> Launch {
    Launch(
        program: program, arguments: arguments, directory: "/",
        environment: ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"])
}
