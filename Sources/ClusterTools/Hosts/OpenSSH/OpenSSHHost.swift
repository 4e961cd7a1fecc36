import IO
import SSH

/// A machine at the other end of the user's own ssh, for what libssh cannot: security keys, Kerberos, certificates.
struct OpenSSHHost: Host {
    let name: String
    private let master: OpenSSHMaster
    private let login: OpenSSHLogin
    private let passphrases: Passphrases
    private let environment: [String: String]
    private let loop: PollLoop

    /// Logs in and lends the machine to `body`; the login ends with it.
    static func with<R: Sendable>(
        _ login: OpenSSHLogin, prompter: any LoginPrompter, passphrases: Passphrases, environment: [String: String],
        loop: PollLoop, _ body: (any Host) async throws -> R
    ) async throws -> R {
        try await OpenSSHMaster.with(login, prompter: prompter, environment: environment, loop: loop) { master in
            try await body(
                OpenSSHHost(
                    name: login.hop?.worker.host ?? login.destination, master: master, login: login,
                    passphrases: passphrases, environment: environment, loop: loop))
        }
    }

    func withProcess<R: Sendable>(
        _ command: String, _ body: (any RunningProcess) async throws -> R
    ) async throws -> R {
        try await explainingLoss { try await master.control.withProcess(command, body) }
    }

    func withTerminal<R: Sendable>(
        _ terminal: TerminalRequest, running command: String, _ body: (any TerminalProcess) async throws -> R
    ) async throws -> R {
        try await explainingLoss { try await master.control.withTerminal(terminal, running: command, body) }
    }

    func withStream<R: Sendable>(
        toPort port: UInt16, _ body: (any ByteStream) async throws -> R
    ) async throws -> R {
        try await explainingLoss { try await master.control.withStream(toHost: "127.0.0.1", port: port, body) }
    }

    func loss() async throws -> any Error { try await master.loss() }

    /// What breaks when ssh ends does not know why it has.
    private func explainingLoss<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as SSHError where error.code == .linkLost {
            do {
                throw try await withTimeout(.seconds(1), or: error) { try await master.loss() }
            } catch is CancellationError {
                throw error
            }
        }
    }

    func withHop<R: Sendable>(to worker: Worker, _ body: (any Host) async throws -> R) async throws -> R {
        let reported = worker.hostKeys.compactMap(HostKey.init(line:))
        if !reported.isEmpty {
            do {
                return try await hop(to: worker, hostKeys: reported, body)
            } catch let error as SSHError where [.hostKeyUnknown, .hostKeyChanged].contains(error.code) {
                // Its ssh server uses other keys than the usual ones, which the job could read: perhaps they are recorded.
            }
        }
        return try await hop(to: worker, hostKeys: [], body)
    }

    private func hop<R: Sendable>(
        to worker: Worker, hostKeys: [HostKey], _ body: (any Host) async throws -> R
    ) async throws -> R {
        var login = login
        login.hop = OpenSSHLogin.Hop(worker: worker, control: master.socket, hostKeys: hostKeys)
        var environment = environment
        // ssh gives its ProxyCommand to the user's shell; ours is written for a plain one.
        environment["SHELL"] = "/bin/sh"
        do {
            return try await Self.with(
                login, prompter: WorkerPrompter(host: worker.host, passphrases: passphrases), passphrases: passphrases,
                environment: environment, loop: loop, body)
        } catch  where isLinkLoss(error) {
            // The link to the worker is not the link to the access node, whose loss others notice by themselves.
            throw NoWayThrough(description: "\(worker.host) hung up: \(error)")
        }
    }
}
