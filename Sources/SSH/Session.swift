internal import CSSH
public import IO
internal import Synchronization

/// A logged-in ssh session: any number of commands and forwards over one connection, at the same time.
///
/// The actor owns the libssh session, which takes one caller at a time, and all channels. It runs on the loop's thread. Tasks that
/// live as long as the session wait for its socket: one until there is something to take in, one until something can leave. Another
/// watches for silence, and one opens channels. Every call of libssh may take in what is meant for others, so all that wait for the
/// server are woken when anything has come in; whoever reads a channel is woken by what came for it.
public actor Session {
    nonisolated let loop: PollLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    public nonisolated let endpoint: Endpoint
    /// When the server was last heard of.
    public private(set) var lastReceived = ContinuousClock.now

    let library: LibraryHandle
    /// How many bytes had come in when ``noticeEffects()`` last looked.
    private var received: UInt64 = 0
    /// Whether a thread of its own is in a call of libssh's, which nobody else may make then.
    private var isLent = false
    private nonisolated let returned = Condition()

    /// Signalled when bytes have come in, or the session has failed or ended.
    nonisolated let arrivals = Condition()
    /// Signalled when there may be bytes to send.
    private nonisolated let departures = Condition()
    /// Signalled when all bytes have gone out.
    private nonisolated let drained = Condition()
    /// Why nothing can be done any more. Set once.
    private(set) var failure: SSHError?

    var channels: [ChannelID: Channel] = [:]
    var lastChannelID: ChannelID = 0
    /// The shortest time that the server has taken to open a channel: it is as far away as that, at most. Its system's answer to the
    /// connection says nothing, where something stands between. Until there was one, as far as one can be away.
    var roundTrip = Duration.seconds(1)
    var lastClose: ContinuousClock.Instant?
    var openRequests: [OpenRequest] = []
    nonisolated let openRequested = Condition()

    private init(to endpoint: Endpoint, socket: CInt, loop: PollLoop) throws {
        self.endpoint = endpoint
        self.loop = loop
        library = try LibraryHandle(socket: socket)
    }

    /// Connects, verifies the host's key, logs in, and hands the session to `body`; disconnects afterwards.
    ///
    /// - Parameters:
    ///   - stream: What to talk through instead of a TCP connection of its own, such as a forward of another session.
    ///     It is left as it is afterwards.
    /// - Throws: ``SSHError``; what the prompter throws; what `body` throws.
    public static func withSession<R: Sendable>(
        to endpoint: Endpoint, login: Login, over stream: (any ByteStream)? = nil, loop: PollLoop,
        _ body: (Session) async throws -> R
    ) async throws -> R {
        if let stream {
            return try await run(to: endpoint, login: login, over: stream, loop: loop, body)
        }
        // The body's errors must not be mistaken for the connection's.
        let outcome: Result<R, any Error>
        do {
            outcome = try await withConnection(
                toHost: endpoint.host, port: endpoint.port, timeout: login.connectTimeout, loop: loop
            ) { stream in
                do {
                    return .success(try await run(to: endpoint, login: login, over: stream, loop: loop, body))
                } catch {
                    return .failure(error)
                }
            }
        } catch let error as IOError {
            throw SSHError(.connectFailed, error.message, cause: error)
        }
        return try outcome.get()
    }

    private static func run<R: Sendable>(
        to endpoint: Endpoint, login: Login, over stream: any ByteStream, loop: PollLoop,
        _ body: (Session) async throws -> R
    ) async throws -> R {
        // libssh wants a socket. Where the stream is none, bytes are carried between the two.
        if let socket = try await (stream as? Descriptor)?.duplicateSocket() {
            let session = try Session(to: endpoint, socket: socket, loop: loop)
            return try await session.run(login, body) {}
        }
        let (carrier, socket) = try Descriptor.toSocket(loop: loop)
        let session = try Session(to: endpoint, socket: socket, loop: loop)
        return try await session.run(login, body) { await session.carry(stream, carrier) }
    }

    private nonisolated func run<R: Sendable>(
        _ login: Login, _ body: (Session) async throws -> R, beside carry: @escaping @Sendable () async -> Void
    ) async throws -> R {
        let trust = HostTrust(endpoint: endpoint, policy: login.hostKeys)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: loop) { await carry() }
            do {
                try await start(trusting: trust.preferredKeyTypes)
                group.addTask(executorPreference: loop) { await self.receive() }
                group.addTask(executorPreference: loop) { await self.send() }
                try await logIn(login, trust)
                group.addTask(executorPreference: loop) { await self.watchForSilence(limit: login.silenceLimit) }
                group.addTask(executorPreference: loop) { await self.serveOpenRequests() }
                let result = try await body(self)
                await shielded { await self.disconnect() }
                group.cancelAll()
                return result
            } catch {
                await shielded { await self.disconnect() }
                group.cancelAll()
                throw error
            }
        }
    }

    // MARK: The socket

    /// Carries bytes between the stream that leads to the server and libssh's socket.
    private func carry(_ stream: any ByteStream, _ carrier: Descriptor) async {
        do {
            try await relay(stream, carrier)
        } catch is CancellationError {
            // The session ends.
        } catch {
            fail(lost("\(error)", cause: error))
        }
        await carrier.close()
    }

    /// How many steps of libssh's, each of which takes in 4 kB at most, are made before others get their turn.
    private static let stepsAtOnce = 32

    /// Has libssh take in what comes, until the session ends.
    private func receive() async {
        do {
            while failure == nil {
                try await loop.readable(library.socket)
                try await waitForReturn()
                for _ in 0..<Session.stepsAtOnce where failure == nil {
                    guard library.step() else { break }
                }
                noticeEffects()
                // Whoever waited for it takes it before more comes in.
                await loop.turn()
            }
        } catch is CancellationError {
            // The session ends.
        } catch {
            fail(lost("\(error)", cause: error))
        }
    }

    /// Has libssh send what could not leave at once.
    private func send() async {
        do {
            while failure == nil {
                let generation = departures.generation
                try await waitForReturn()
                guard library.hasOutput else {
                    drained.signal()
                    try await departures.wait(after: generation)
                    continue
                }
                try await loop.writable(library.socket)
                try await waitForReturn()
                guard failure == nil else { return }
                _ = library.step()
                noticeEffects()
            }
        } catch is CancellationError {
            // The session ends.
        } catch {
            fail(lost("\(error)", cause: error))
        }
    }

    /// After every call of libssh: it may have taken something in, have something left to send, or have lost the connection.
    func noticeEffects() {
        if library.received != received {
            received = library.received
            lastReceived = .now
            arrivals.signal()
        }
        if library.hasOutput { departures.signal() }
        guard library.hasFailed, failure == nil else { return }
        // What the server said last says more than that it has gone.
        let isSilent = library.hasEnded && library.message.hasPrefix("Socket error")
        fail(lost(isSilent ? "the server closed the connection" : library.message))
    }

    /// Calls libssh now, and again whenever bytes have come in, for as long as it says "try again".
    ///
    /// - Parameters:
    ///   - again: How it says so.
    ///   - answerLimit: How long to wait for more bytes; nil where the watch for silence does that.
    /// - Returns: what it says then.
    func perform(
        again: CInt = SSH_AGAIN, answerLimit: Duration? = nil, _ call: () throws -> CInt
    ) async throws -> CInt {
        while true {
            if let failure { throw failure }
            let generation = arrivals.generation
            let status = try call()
            noticeEffects()
            if let failure { throw failure }
            guard status == again else { return status }
            try await waitForArrivals(after: generation, limit: answerLimit)
        }
    }

    func waitForArrivals(after generation: UInt64, limit: Duration?) async throws {
        guard let limit else { return try await arrivals.wait(after: generation) }
        let late = lost("no answer within \(limit.components.seconds) s")
        try await withTimeout(limit, or: late) { [arrivals] in try await arrivals.wait(after: generation) }
    }

    /// Waits while something waits to be sent: more would only use memory.
    func waitForRoom() async throws {
        while true {
            let generation = drained.generation
            if let failure { throw failure }
            guard library.hasOutput else { return }
            try await drained.wait(after: generation)
        }
    }

    // MARK: Calls that block

    /// Makes a call of libssh's on a thread of its own, since it may take its time. Nobody else makes one meanwhile. It is not
    /// cancelled: see to it that it comes to an end.
    func lend(to call: @escaping @Sendable (ssh_session) -> CInt) async -> CInt {
        isLent = true
        let session = SessionPointer(value: library.session)
        let status = await withCheckedContinuation { continuation in
            startThread { continuation.resume(returning: call(session.value)) }
        }
        isLent = false
        returned.signal()
        return status
    }

    private func waitForReturn() async throws {
        while isLent {
            let generation = returned.generation
            try await returned.wait(after: generation)
        }
    }

    // MARK: The end

    /// Ends the session for everybody with an error, unless there was one before. Gives the one that counts.
    @discardableResult
    func fail(_ error: SSHError) -> SSHError {
        let first = failure ?? error
        failure = first
        arrivals.signal()
        drained.signal()
        departures.signal()
        openRequested.signal()
        for channel in channels.values { channel.news.signal() }
        return first
    }

    nonisolated func lost(_ why: String, cause: (any Error)? = nil) -> SSHError {
        SSHError(.linkLost, "the connection to \(endpoint.description) is lost: \(why)", cause: cause)
    }

    /// Waits until the session has failed or ended, and says why. Throws only `CancellationError`.
    public func waitForFailure() async throws -> SSHError {
        while true {
            let generation = arrivals.generation
            if let failure { return failure }
            try await arrivals.wait(after: generation)
        }
    }

    /// Tells the server that we leave, as far as it still listens, and ends the session for whoever still uses it.
    private func disconnect() async {
        if failure == nil {
            do {
                try await withTimeout(.seconds(1), or: CancellationError()) { try await self.waitForRoom() }
            } catch {
                // It was a courtesy.
            }
        }
        let mustSayGoodbye = failure == nil
        fail(SSHError(.closed, "the session with \(endpoint.description) has ended"))
        if mustSayGoodbye { library.disconnect() }
        channels.removeAll()
    }
}

/// A libssh session on its way to the thread that makes one call on it.
///
/// Unchecked: while that call runs, the session's actor waits for it, and its tasks make no other.
private struct SessionPointer: @unchecked Sendable {
    let value: ssh_session
}
