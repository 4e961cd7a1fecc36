import SSH
import Slurm

/// What the user's own ssh is told: its words, and the files that they name. Pure.
///
/// The profile's keys are options of the command line, where they win. The user's configuration comes next, and what it leaves
/// open has the same defaults as without OpenSSH.
struct OpenSSHLogin: Sendable, Equatable {
    /// A way through another ssh to a machine that it reaches.
    struct Hop: Sendable, Equatable {
        let worker: Worker
        /// The control socket of the ssh in between.
        let control: String
        /// The only keys that are believed; with none, those that the user has recorded.
        let hostKeys: [HostKey]
    }

    /// The name that the user's configuration knows the access node by.
    let destination: String
    let user: String?
    let port: Int?
    let key: String?
    let knownHosts: String?
    /// HOME, where `.ssh/config` and `.ssh/known_hosts` are looked for.
    let home: String
    /// Where to go from the access node. Everything about identities is as for the access node itself.
    var hop: Hop?

    init(profile: Profile, destination: String, home: String) {
        self.destination = destination
        user = profile.user
        port = profile.port
        key = profile.sshKey
        knownHosts = profile.knownHosts
        self.home = home
    }

    /// The name of the control socket in the folder.
    static let control = "control"
    private static let configuration = "config"
    private static let hopKeys = "known_hosts"

    /// What ssh prints when it has logged in.
    static let greeting = "ready"

    /// The files that ``words(folder:)`` refers to: their names and contents.
    func files() -> [(name: String, text: String)] {
        var files = [(Self.configuration, configurationText)]
        if let hop, !hop.hostKeys.isEmpty {
            files.append((Self.hopKeys, hop.hostKeys.map { "\(hop.worker.host) \($0.line)\n" }.joined()))
        }
        return files
    }

    /// With `-F` ssh reads one file in place of both of its own, so this one includes them. For every option the first value
    /// counts: the last lines are for those that nobody has set.
    private var configurationText: String {
        """
        Include \(Self.quote(home + "/.ssh/config"))
        Include /etc/ssh/ssh_config
        Host *
            UserKnownHostsFile \(Self.quote(home + "/.ssh/known_hosts")) \(Self.quote(home + "/.ssh/known_hosts2"))
            ConnectTimeout 15
            ServerAliveInterval 5
            ServerAliveCountMax 3

        """
    }

    /// The command line of an ssh that logs in, says so, and opens channels for whoever reaches its control socket.
    func words(folder: String) -> [String] {
        var words = [
            "ssh", "-F", "\(folder)/\(Self.configuration)", "-M", "-N", "-T", "-S", "\(folder)/\(Self.control)",
        ]
        func option(_ name: String, _ value: String) { words += ["-o", "\(name)=\(value)"] }

        // Run after the login, and after the control socket is there: the one sign that needs no polling.
        option("PermitLocalCommand", "yes")
        option("LocalCommand", "echo \(Self.greeting)")
        // Made for a person at a shell; here they would be in the way.
        for (name, value) in [
            ("ControlPersist", "no"), ("ClearAllForwardings", "yes"), ("RemoteCommand", "none"), ("RequestTTY", "no"),
            ("ForwardX11", "no"), ("ForwardAgent", "no"), ("Tunnel", "no"),
        ] { option(name, value) }
        // Why a link is lost is said on this level; some configurations silence it.
        option("LogLevel", "INFO")

        if let user { words += ["-l", user] }
        if let key {
            words += ["-i", Self.escape(key)]
            option("IdentitiesOnly", "yes")
        }
        if let hop {
            addHop(hop, folder: folder, to: &words)
        } else {
            if let port { words += ["-p", String(port)] }
            if let knownHosts { option("UserKnownHostsFile", Self.quote(knownHosts)) }
        }
        return words + ["--", destination]
    }

    private func addHop(_ hop: Hop, folder: String, to words: inout [String]) {
        let target = "\(hop.worker.host.contains(":") ? "[\(hop.worker.host)]" : hop.worker.host):\(hop.worker.port)"
        let through =
            [
                "ssh", "-F", "none", "-S", hop.control, "-o", "ControlMaster=no", "-o", "ProxyCommand=false",
                "-W",
                target, "--", destination,
            ]
        // The job's keys are listed by the name alone; the user's, as ssh lists them.
        let alias =
            hop.hostKeys.isEmpty && hop.worker.port != 22 ? "[\(hop.worker.host)]:\(hop.worker.port)" : hop.worker.host
        var options = [
            ("HostName", Self.escape(hop.worker.host)), ("Port", String(hop.worker.port)),
            ("HostKeyAlias", alias), ("ProxyCommand", Self.escape(ShellWord.join(through))),
            ("CanonicalizeHostname", "no"), ("CheckHostIP", "no"), ("StrictHostKeyChecking", "yes"),
        ]
        if !hop.hostKeys.isEmpty {
            options += [
                ("UserKnownHostsFile", "\(folder)/\(Self.hopKeys)"), ("GlobalKnownHostsFile", "/dev/null"),
                ("UpdateHostKeys", "no"), ("VerifyHostKeyDNS", "no"),
            ]
        } else if let knownHosts {
            options.append(("UserKnownHostsFile", Self.quote(knownHosts)))
        }
        for (name, value) in options { words += ["-o", "\(name)=\(value)"] }
    }

    /// A value in which ssh sees no token of its own, such as `%h`.
    private static func escape(_ text: String) -> String {
        text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    }

    /// A path in ssh's configuration, where spaces separate.
    private static func quote(_ path: String) -> String { "\"\(escape(path))\"" }
}
