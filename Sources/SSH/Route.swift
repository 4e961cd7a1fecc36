public import IO

/// The way to a host: perhaps a command that connects, then jump hosts, then the host itself.
public struct Route: Sendable {
    /// A host that is logged in to.
    public struct Stop: Sendable {
        public var endpoint: Endpoint
        public var login: Login

        public init(endpoint: Endpoint, login: Login) {
            self.endpoint = endpoint
            self.login = login
        }
    }

    /// A shell command whose standard input and output are the connection to the first stop, in place of one over TCP.
    public var proxyCommand: ProxyCommand?
    /// The hosts on the way, the nearest first.
    public var jumpHosts: [Stop]
    public var destination: Stop

    public init(proxyCommand: ProxyCommand? = nil, jumpHosts: [Stop] = [], to destination: Stop) {
        self.proxyCommand = proxyCommand
        self.jumpHosts = jumpHosts
        self.destination = destination
    }
}

extension Session {
    /// Logs in to one stop after the other, each over a connection that the one before makes, and hands the last session to
    /// `body`. When any of them is lost, the last one is.
    ///
    /// - Throws: ``SSHError``, which names the stop that it is about; what the prompters throw; what `body` throws.
    public static func withSession<R: Sendable>(
        along route: Route, loop: PollLoop, _ body: (Session) async throws -> R
    ) async throws -> R {
        guard let command = route.proxyCommand else {
            return try await withSession(
                along: route.jumpHosts[...], to: route.destination, over: nil, loop: loop, body)
        }
        let first = route.jumpHosts.first ?? route.destination
        return try await command.withStream(to: first.endpoint, loop: loop) { stream in
            try await withSession(along: route.jumpHosts[...], to: route.destination, over: stream, loop: loop, body)
        }
    }

    private static func withSession<R: Sendable>(
        along jumpHosts: ArraySlice<Route.Stop>, to destination: Route.Stop, over stream: (any ByteStream)?,
        loop: PollLoop, _ body: (Session) async throws -> R
    ) async throws -> R {
        guard let jump = jumpHosts.first else {
            return try await withSession(
                to: destination.endpoint, login: destination.login, over: stream, loop: loop, body)
        }
        let rest = jumpHosts.dropFirst()
        let next = rest.first ?? destination
        var isIn = false
        do {
            return try await withSession(to: jump.endpoint, login: jump.login, over: stream, loop: loop) { session in
                isIn = true
                return try await session.withStream(
                    toHost: next.endpoint.host, port: next.endpoint.port, timeout: next.login.connectTimeout
                ) { stream in
                    try await withSession(along: rest, to: destination, over: stream, loop: loop, body)
                }
            }
        } catch var error as SSHError where !isIn {
            error.message = "at the jump host \(jump.endpoint.name): \(error.message)"
            throw error
        }
    }
}
