public import IO
public import SSH

/// A machine at the other end of an ssh session: everything is a channel of that one session.
public struct SSHHost: Host {
    public let name: String
    private let session: Session
    private let login: Login
    private let user: String
    private let loop: PollLoop

    public init(name: String, session: Session, login: Login, user: String, loop: PollLoop) {
        self.name = name
        self.session = session
        self.login = login
        self.user = user
        self.loop = loop
    }

    public func withProcess<R: Sendable>(
        _ command: String, _ body: (any RunningProcess) async throws -> R
    ) async throws -> R {
        try await session.withProcess(command, body)
    }

    public func withStream<R: Sendable>(
        toPort port: UInt16, _ body: (any ByteStream) async throws -> R
    ) async throws -> R {
        try await session.withStream(toHost: "127.0.0.1", port: port, body)
    }

    public func withHop<R: Sendable>(to worker: Worker, _ body: (any Host) async throws -> R) async throws -> R {
        let keys = worker.hostKeys.compactMap(HostKey.init(line:))
        guard !keys.isEmpty else {
            throw NoWayThrough(description: "\(worker.host) has no ssh host keys that its job could report")
        }
        var login = login
        login.hostKeys = .exactly(keys)
        let endpoint = Endpoint(host: worker.host, port: worker.port, user: user)
        return try await session.withStream(toHost: worker.host, port: worker.port) { stream in
            try await Session.withSession(to: endpoint, login: login, over: stream, loop: loop) { hop in
                try await body(SSHHost(name: worker.host, session: hop, login: login, user: user, loop: loop))
            }
        }
    }
}
