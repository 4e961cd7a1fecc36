public import IO
import SSH

/// How to reach the machine of a profile: one login each time it is asked to.
public struct Connector: Sendable {
    public let profile: Profile
    private let console: Console
    private let keyboard: Keyboard
    private let environment: [String: String]
    private let passphrases = Passphrases()
    /// Whether the last login needed a person, which one that happens by itself must not.
    private let history = LoginHistory()
    private let loop: PollLoop

    /// - Parameter environment: this process's, for HOME, USER and SSH_AUTH_SOCK.
    public init(
        profile: Profile, console: Console, keyboard: Keyboard, environment: [String: String], loop: PollLoop
    ) {
        self.profile = profile
        self.console = console
        self.keyboard = keyboard
        self.environment = environment
        self.loop = loop
    }

    /// What the user calls the machine.
    var name: String { profile.hostname ?? "this machine" }

    /// Whether the last login needed a person.
    var neededAPerson: Bool { history.neededAPerson }

    /// Whether there is a person to ask.
    var canAsk: Bool { keyboard.isPresent }

    /// Logs in and lends the machine to `body`; the login ends with it.
    func withHost<R: Sendable>(_ body: (any Host) async throws -> R) async throws -> R {
        guard let hostname = profile.hostname else { return try await body(LocalHost(loop: loop)) }
        if let key = profile.sshKey, !LocalFile.isFile(key) {
            throw Failure(
                Exit.noInput, "the private key \(key) does not exist",
                remedy: "correct \"ssh_key\" in \(profile.path ?? "the profile")")
        }
        console.report(.connecting(hostname))
        history.begin()
        switch profile.transport {
        case .libssh2: return try await withSession(to: hostname, body)
        case .openssh:
            return try await OpenSSHHost.with(
                OpenSSHLogin(profile: profile, destination: hostname, home: environment["HOME"] ?? "/"),
                prompter: prompter(for: hostname), passphrases: passphrases, environment: environment, loop: loop, body)
        }
    }

    private func withSession<R: Sendable>(
        to hostname: String, _ body: (any Host) async throws -> R
    ) async throws -> R {
        guard let user = profile.user ?? environment["USER"] ?? environment["LOGNAME"] else {
            throw Failure(Exit.configuration, "\(hostname): no user", remedy: "add \"user\" to the profile")
        }
        let endpoint = Endpoint(host: hostname, port: UInt16(profile.port ?? 22), user: user)
        let login = login(to: hostname)
        return try await Session.withSession(to: endpoint, login: login, loop: loop) { session in
            try await body(
                SSHHost(
                    name: hostname, session: session, login: login, user: user, passphrases: passphrases, loop: loop))
        }
    }

    private func prompter(for hostname: String) -> TerminalPrompter {
        TerminalPrompter(
            console: console, keyboard: keyboard, host: hostname, passphrases: passphrases, history: history)
    }

    private func login(to hostname: String) -> Login {
        let home = environment["HOME"] ?? "/"
        let folder = home + "/.ssh"
        // The order in which ssh tries them.
        let usual = ["id_rsa", "id_ecdsa", "id_ed25519"].map { "\(folder)/\($0)" }
        return Login(
            identityFiles: profile.sshKey.map { [$0] } ?? usual, usesAgent: true,
            agentSocket: environment["SSH_AUTH_SOCK"].flatMap { $0.isEmpty ? nil : $0 }, allowsPassword: true,
            hostKeys: .knownHosts(
                files: profile.knownHosts.map { [$0] }
                    ?? ["\(folder)/known_hosts", "\(folder)/known_hosts2", "/etc/ssh/ssh_known_hosts"],
                hostKeyAlias: nil),
            prompter: prompter(for: hostname),
            connectTimeout: .seconds(15), silenceLimit: .seconds(15))
    }
}

extension Failure {
    /// The failure that an error of a login or a link means for the user.
    static func connecting(to host: String, _ error: any Error) -> any Error {
        guard let error = error as? SSHError else { return error }
        let status =
            switch error.code {
            case .authenticationFailed: Exit.noPermission
            case .hostKeyUnknown, .hostKeyChanged, .hostKeyRevoked: Exit.noHost
            default: Exit.unavailable
            }
        return Failure(status, "cannot connect to \(host)", cause: error)
    }
}
