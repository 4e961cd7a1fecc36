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
        console.report(.connecting(hostname))
        history.begin()
        switch profile.transport {
        case .libssh: return try await withSession(to: hostname, body)
        case .openssh:
            try RoutePlanner.checkKey(of: profile)
            return try await OpenSSHHost.with(
                OpenSSHLogin(profile: profile, destination: hostname, home: environment["HOME"] ?? "/"),
                prompter: prompter(for: hostname), passphrases: passphrases, environment: environment, loop: loop, body)
        }
    }

    private func withSession<R: Sendable>(
        to hostname: String, _ body: (any Host) async throws -> R
    ) async throws -> R {
        let planner = RoutePlanner(
            profile: profile, account: .current(environment: environment), loop: loop,
            memory: LoginMemory(environment: environment, console: console), prompter: prompter)
        let route = try await planner.route(to: hostname)
        for jump in route.jumpHosts { console.report(.debug("by way of \(jump.endpoint.description)")) }
        return try await Session.withSession(along: route, loop: loop) { session in
            try await body(
                SSHHost(
                    name: hostname, session: session, login: route.destination.login,
                    user: route.destination.endpoint.user, passphrases: passphrases, loop: loop))
        }
    }

    private func prompter(for host: String, isOnTheWay: Bool = false) -> TerminalPrompter {
        TerminalPrompter(
            console: console, keyboard: keyboard, host: host, isOnTheWay: isOnTheWay, passphrases: passphrases,
            history: history)
    }
}

extension Failure {
    /// The failure that an error of a login or a link means for the user.
    static func connecting(to host: String, _ error: any Error) -> any Error {
        if let error = error as? NobodyToAsk {
            return Failure(
                Exit.noPermission, "cannot connect to \(host)", why: "\(error)",
                remedy: "use a key in the agent or without a passphrase, or come from a terminal")
        }
        guard let error = error as? SSHError else { return error }
        let status =
            switch error.code {
            case .authenticationFailed: Exit.noPermission
            case .hostKeyUnknown, .hostKeyChanged, .hostKeyRevoked: Exit.noHost
            case .configurationInvalid: Exit.configuration
            default: Exit.unavailable
            }
        let remedy =
            error.isLimitOfLibrary
            ? "let your own ssh do it, if it can: add \"transport\": \"openssh\" to the profile" : nil
        return Failure(status, "cannot connect to \(host)", remedy: remedy, cause: error)
    }
}
