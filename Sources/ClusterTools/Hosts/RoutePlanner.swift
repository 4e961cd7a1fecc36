import IO
import SSH

/// Finds the way to the machine of a profile: what the profile says, over what the user's ssh configuration says.
struct RoutePlanner {
    let profile: Profile
    let account: LocalAccount
    let loop: PollLoop
    let memory: LoginMemory
    /// Who asks the user for a host; the second word says whether the user has to be told which host it is.
    let prompter: (_ host: String, _ isOnTheWay: Bool) -> TerminalPrompter

    /// More than anybody needs; a configuration in which hosts are each other's jump hosts would go on for ever.
    private static let mostJumpHosts = 16

    /// Throws unless the key that the profile names is there.
    static func checkKey(of profile: Profile) throws(Failure) {
        guard let key = profile.sshKey, !LocalFile.isFile(key) else { return }
        throw Failure(
            Exit.noInput, "the private key \(key) does not exist",
            remedy: "correct \"ssh_key\" in \(profile.path ?? "the profile")")
    }

    func route(to hostname: String) async throws -> Route {
        try Self.checkKey(of: profile)
        let lookup = ConfigurationLookup(account: account, loop: loop)
        let destination = try await lookup.configuration(
            of: hostname, user: profile.user, port: profile.port.map(UInt16.init))
        let (jumpHosts, proxyCommand) = try await way(to: destination, lookup)
        let stops = jumpHosts.map { configuration in
            var login = configuration.login(for: account, prompter: prompter(configuration.name, true))
            memory.apply(to: &login, at: configuration.endpoint)
            return Route.Stop(endpoint: configuration.endpoint, login: login)
        }
        var login = destination.login(for: account, prompter: prompter(hostname, !stops.isEmpty))
        if let key = profile.sshKey {
            login.identityFiles = [key]
            login.prefersIdentityFiles = true
        }
        if let file = profile.knownHosts, case .knownHosts(var policy) = login.hostKeys {
            policy.userFiles = [file]
            policy.globalFiles = []
            login.hostKeys = .knownHosts(policy)
        }
        memory.apply(to: &login, at: destination.endpoint)
        return Route(
            proxyCommand: proxyCommand, jumpHosts: stops, to: .init(endpoint: destination.endpoint, login: login))
    }

    /// The jump hosts, the nearest first, and the command that connects to the nearest, or else to the destination.
    ///
    /// As with ssh, the jump hosts that a jump host itself is configured to have count for the first one only: the list says
    /// how to get from there to the next.
    private func way(
        to destination: HostConfiguration, _ lookup: ConfigurationLookup
    ) async throws -> ([HostConfiguration], ProxyCommand?) {
        var jumpHosts: [HostConfiguration] = []
        var nearest = destination
        while !nearest.jumpHosts.isEmpty {
            var before: [HostConfiguration] = []
            for jump in nearest.jumpHosts {
                before.append(try await lookup.configuration(of: jump.host, user: jump.user, port: jump.port))
            }
            jumpHosts = before + jumpHosts
            guard jumpHosts.count <= Self.mostJumpHosts else {
                throw Failure(
                    Exit.configuration,
                    "the ssh configuration of \(destination.name) leads over more than \(Self.mostJumpHosts) jump hosts",
                    why: jumpHosts.prefix(4).map(\.name).joined(separator: ", ") + ", …",
                    remedy: "look at ProxyJump: does it lead in a circle?")
            }
            nearest = before[0]
        }
        guard let text = nearest.proxyCommand else { return (jumpHosts, nil) }
        guard !nearest.passesDescriptor else {
            throw Failure(
                Exit.configuration,
                "ProxyUseFdpass, which the ssh configuration has for \(nearest.name), is not supported",
                remedy: "let your own ssh connect: add \"transport\": \"openssh\" to the profile")
        }
        let shell = account.environment["SHELL"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/bin/sh"
        let command = try nearest.expandedProxyCommand(text, for: account)
        return (jumpHosts, ProxyCommand(command, shell: shell, environment: account.environment))
    }
}
