import IO
import SSH

/// A machine at the other end of an ssh session: everything is a channel of that one session.
struct SSHHost: Host {
    let name: String
    private let session: Session
    private let login: Login
    private let user: String
    private let passphrases: Passphrases
    private let loop: PollLoop

    init(name: String, session: Session, login: Login, user: String, passphrases: Passphrases, loop: PollLoop) {
        self.name = name
        self.session = session
        self.login = login
        self.user = user
        self.passphrases = passphrases
        self.loop = loop
    }

    func withProcess<R: Sendable>(
        _ command: String, _ body: (any RunningProcess) async throws -> R
    ) async throws -> R {
        try await session.withProcess(command, body)
    }

    func withTerminal<R: Sendable>(
        _ terminal: TerminalRequest, running command: String, _ body: (any TerminalProcess) async throws -> R
    ) async throws -> R {
        try await session.withTerminal(terminal, running: command, body)
    }

    func withStream<R: Sendable>(
        toPort port: UInt16, _ body: (any ByteStream) async throws -> R
    ) async throws -> R {
        try await session.withStream(toHost: "127.0.0.1", port: port, body)
    }

    func loss() async throws -> any Error { try await session.waitForFailure() }

    func withHop<R: Sendable>(to worker: Worker, _ body: (any Host) async throws -> R) async throws -> R {
        let reported = worker.hostKeys.compactMap(HostKey.init(line:))
        if !reported.isEmpty {
            do {
                return try await hop(to: worker, hostKeys: .exactly(reported), body)
            } catch let error as SSHError where [.hostKeyUnknown, .hostKeyChanged].contains(error.code) {
                // Its ssh server uses other keys than the usual ones, which the job could read: perhaps they are recorded.
            }
        }
        return try await hop(to: worker, hostKeys: recordedKeys, body)
    }

    /// The same files; but what the user has decided about the access node says nothing about the worker.
    private var recordedKeys: HostKeyPolicy {
        guard case .knownHosts(let policy) = login.hostKeys else { return login.hostKeys }
        return .knownHosts(KnownHostsPolicy(userFiles: policy.userFiles, globalFiles: policy.globalFiles))
    }

    private func hop<R: Sendable>(
        to worker: Worker, hostKeys: HostKeyPolicy, _ body: (any Host) async throws -> R
    ) async throws -> R {
        var login = login
        login.hostKeys = hostKeys
        // What is known of the access node says nothing about the worker.
        login.expectedKey = nil
        login.learn = { _ in }
        login.prompter = WorkerPrompter(host: worker.host, passphrases: passphrases)
        let endpoint = Endpoint(host: worker.host, port: worker.port, user: user)
        return try await session.withStream(toHost: worker.host, port: worker.port) { stream in
            do {
                return try await Session.withSession(to: endpoint, login: login, over: stream, loop: loop) { session in
                    try await body(
                        SSHHost(
                            name: worker.host, session: session, login: login, user: user, passphrases: passphrases,
                            loop: loop))
                }
            } catch  where isLinkLoss(error) {
                // The link to the worker is not the link to the access node, whose loss others notice by themselves.
                throw NoWayThrough(description: "\(worker.host) hung up: \(error)")
            }
        }
    }
}
