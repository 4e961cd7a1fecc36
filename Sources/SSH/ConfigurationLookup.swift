public import IO

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Asks the user's own ssh what its configuration says about a host.
///
/// Its files have a language of their own (Match, Include, CanonicalizeHostname, …); nobody but ssh can say what they mean.
public struct ConfigurationLookup: Sendable {
    let account: LocalAccount
    let loop: PollLoop

    /// Match blocks may run commands, and names may have to be resolved: that may take a while, and not for ever.
    private static let limit = Duration.seconds(20)

    public init(account: LocalAccount, loop: PollLoop) {
        self.account = account
        self.loop = loop
    }

    /// What the configuration says about a host; ssh's defaults where there is no ssh.
    ///
    /// - Parameters:
    ///   - host: A name, an alias or an address.
    ///   - user: Overrides the configuration's, and is what its Match blocks see.
    ///   - port: So does this.
    /// - Throws: ``SSHError`` with code `configurationInvalid` and ssh's own words when it finds a mistake.
    public func configuration(
        of host: String, user: String? = nil, port: UInt16? = nil
    ) async throws -> HostConfiguration {
        var arguments = ["-G", "-T"]
        if let file = configurationFile { arguments += ["-F", file] }
        if let port { arguments += ["-p", "\(port)"] }
        if let user { arguments += ["-l", user] }
        arguments += ["--", host]
        let output: String
        do {
            output = try await outputOfSSH(arguments, about: host)
        } catch let error as IOError where error.code == .spawnFailed {
            return try assumption(about: host, user: user, port: port)
        }
        var configuration = try HostConfiguration(output: output, name: host)
        // ssh has put the recorded home for `~` in these.
        if account.home != account.recordedHome, !account.recordedHome.isEmpty {
            configuration.userKnownHosts = configuration.userKnownHosts.map { path in
                path.hasPrefix(account.recordedHome + "/.ssh/")
                    ? account.home + path.dropFirst(account.recordedHome.count) : path
            }
        }
        return configuration
    }

    /// The file to name to ssh; nil for its own choice. That is by the recorded home; where HOME is another folder, HOME
    /// decides, as it does for everything else here, and the system's own file counts only where HOME has none.
    private var configurationFile: String? {
        guard account.home != account.recordedHome else { return nil }
        let candidates = ["\(account.home)/.ssh/config", "/etc/ssh/ssh_config"]
        return candidates.first { access($0, R_OK) == 0 } ?? "none"
    }

    private func outputOfSSH(_ arguments: [String], about host: String) async throws -> String {
        let late = SSHError(
            .configurationInvalid,
            "ssh -G \(host) has not said within \(Self.limit.components.seconds) s what the ssh configuration means: does a "
                + "Match block run a command that waits?")
        return try await withTimeout(Self.limit, or: late) { [account, loop] in
            // A session of its own: it has no terminal to ask at, and Ctrl-C is not meant for it.
            try await withChildProcess(
                "ssh", arguments, environment: account.environment, newSession: true, loop: loop
            ) { ssh in
                try await withErrorTail(of: ssh) { errors in
                    try await ssh.finishWriting()
                    let output = try await ssh.readToEnd()
                    guard try await ssh.exitStatus().isSuccess else {
                        try await errors.waitForEnd()
                        throw SSHError(
                            .configurationInvalid, "ssh cannot read its configuration for \(host): \(errors.text)")
                    }
                    return String(decoding: output, as: UTF8.self)
                }
            }
        }
    }

    private func assumption(about host: String, user: String?, port: UInt16?) throws(SSHError) -> HostConfiguration {
        let variables = ["USER", "LOGNAME"].lazy.compactMap { account.environment[$0] }
        let user = user ?? variables.first { !$0.isEmpty } ?? account.name
        guard !user.isEmpty else {
            throw SSHError(.configurationInvalid, "nobody says which user to log in to \(host) as")
        }
        var configuration = HostConfiguration(name: host, user: user, port: port ?? 22)
        configuration.userKnownHosts = configuration.userKnownHosts.map { account.home + $0.dropFirst(1) }
        return configuration
    }
}
