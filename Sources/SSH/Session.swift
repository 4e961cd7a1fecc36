internal import CSSH2
public import IO
internal import Synchronization

/// A logged-in ssh session: any number of commands and forwards over one connection, at the same time.
///
/// The actor owns the libssh2 session, which takes one caller at a time, and all channels. It runs on the loop's thread.
/// Three tasks live as long as the session: one takes bytes from the stream to the wire, one takes them from the wire to
/// the stream, one watches for silence; a fourth opens channels, one after the other, since libssh2 keeps that state in
/// the session. Whoever waits for the server parks in `arrivals` and tries again whenever bytes have come in.
public actor Session {
    nonisolated let loop: PollLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    public nonisolated let endpoint: Endpoint
    /// When the server was last heard of.
    public internal(set) var lastReceived = ContinuousClock.now

    let library: LibraryHandle
    nonisolated let wire: Wire
    /// Signalled when bytes have come in, or the session has failed or ended.
    nonisolated let arrivals = Condition()
    /// Signalled when there may be bytes to send.
    private nonisolated let departures = Condition()
    /// Signalled when bytes have gone out.
    private nonisolated let drained = Condition()
    /// Why nothing can be done any more. Set once.
    private(set) var failure: SSHError?

    var channels: [ChannelID: Channel] = [:]
    var lastChannelID: ChannelID = 0
    /// The shortest time that the server has taken to open a channel: it is as far away as that, at most. Its system's answer to the
    /// connection says nothing, where something stands between. Until there was one, as far as one can be away.
    var roundTrip = Duration.seconds(1)
    /// Channels that are closed on our side, and not yet on the server's.
    var closing: [OpaquePointer] = []
    var lastClose: ContinuousClock.Instant?
    var openRequests: [OpenRequest] = []
    nonisolated let openRequested = Condition()
    /// Whether libssh2 waits for the server to answer an open request.
    var isOpening = false
    /// Whether the server has still to agree to log anybody in, while that goes on already.
    var isServicePending = false
    /// The request for a channel that went with the login.
    var earlyOpening = EarlyOpening.none

    private init(to endpoint: Endpoint, loop: PollLoop) throws {
        self.endpoint = endpoint
        self.loop = loop
        library = try LibraryHandle()
        wire = library.context.wire
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
        let session = try Session(to: endpoint, loop: loop)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await session.receive(from: stream) }
            group.addTask { await session.send(to: stream) }
            do {
                try await session.logIn(login)
                group.addTask { await session.watchForSilence(limit: login.silenceLimit) }
                group.addTask { await session.serveOpenRequests() }
                let result = try await body(session)
                await shielded { await session.disconnect() }
                group.cancelAll()
                return result
            } catch {
                if (error as? SSHError)?.code == .linkLost, await session.awaitsEarlyOpening {
                    // Whatever happened to it: the server may be one that does not answer it.
                    login.learn(.guessFailed)
                }
                await shielded { await session.disconnect() }
                group.cancelAll()
                throw error
            }
        }
    }

    // MARK: The wire

    /// How many bytes are taken at once, from the server and by whoever reads a channel. If those took less, what has come in would
    /// pile up here, and the server learned late that it may send more.
    static let piece = 1 << 17

    /// Takes bytes from the stream to the wire until it ends.
    private func receive(from stream: any ByteStream) async {
        do {
            while case let bytes = try await stream.read(upTo: Session.piece), !bytes.isEmpty {
                lastReceived = .now
                wire.receive(bytes)
                releaseClosedChannels()
                arrivals.signal()
                // Whoever waited for them takes them before more come in.
                await loop.turn()
            }
            // What has come in before can still be used; then whoever wants more learns that there is none.
            wire.end()
            arrivals.signal()
            drained.signal()
        } catch is CancellationError {
            // The session ends.
        } catch {
            fail(lost("\(error)", cause: error))
        }
    }

    /// Takes bytes from the wire to the stream.
    private func send(to stream: any ByteStream) async {
        do {
            while true {
                let generation = departures.generation
                let bytes = wire.takeOutbound()
                if bytes.isEmpty {
                    try await departures.wait(after: generation)
                } else {
                    try await stream.write(bytes)
                    drained.signal()
                }
            }
        } catch is CancellationError {
            // The session ends.
        } catch {
            fail(lost("\(error)", cause: error))
        }
    }

    /// What a call of libssh2 said.
    enum Answer<Value> {
        case done(Value)
        case failed(CInt)

        /// From a count, or a negative error number.
        init(_ count: Int, _ value: (Int) -> Value) {
            self = count < 0 ? .failed(CInt(count)) : .done(value(count))
        }
    }

    /// Calls libssh2 now, and again whenever bytes have come in, for as long as it says "try again".
    ///
    /// - Parameter answerLimit: How long to wait for more bytes; nil where the watch for silence does that.
    func perform<Value>(
        answerLimit: Duration? = nil, _ call: (OpaquePointer) throws -> Answer<Value>
    ) async throws -> Answer<Value> {
        while true {
            if let failure { throw failure }
            let generation = arrivals.generation
            wire.beginCall()
            let answer = try call(library.pointer)
            if try await isFinal(answer, generation: generation, answerLimit: answerLimit) { return answer }
        }
    }

    /// What follows on a call of libssh2: whether its answer counts, or bytes have come in and it has to be made again.
    ///
    /// - Parameter generation: Of `arrivals`, from before the call.
    func isFinal<Value>(_ answer: Answer<Value>, generation: UInt64, answerLimit: Duration?) async throws -> Bool {
        announceDeparture()
        guard case .failed(LIBSSH2_ERROR_EAGAIN) = answer else {
            try checkLink(answer)
            return true
        }
        if wire.hasMore { return false }
        if wire.hasEnded { throw fail(lost("the server closed the connection")) }
        if let answerLimit {
            let late = lost("no answer within \(answerLimit.components.seconds) s")
            try await withTimeout(answerLimit, or: late) { [arrivals] in try await arrivals.wait(after: generation) }
        } else {
            try await arrivals.wait(after: generation)
        }
        return false
    }

    /// After every call of libssh2: it may have produced something to send.
    func announceDeparture() {
        if wire.outboundCount > 0 { departures.signal() }
    }

    /// Throws when an error means that the connection itself is of no more use.
    private func checkLink<Value>(_ answer: Answer<Value>) throws {
        guard case .failed(let code) = answer else { return }
        // Some calls of libssh2 turn this into another error.
        if let reason = library.context.disconnection.withLock({ $0 }) {
            throw fail(lost("the server disconnected: \(reason)"))
        }
        switch code {
        case LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND,
            LIBSSH2_ERROR_DECRYPT, LIBSSH2_ERROR_INVALID_MAC, LIBSSH2_ERROR_OUT_OF_BOUNDARY:
            throw fail(lost(libraryMessage()))
        default: break
        }
    }

    /// Waits while so much waits to be sent that more would only use memory.
    func waitForRoom() async throws {
        while true {
            let generation = drained.generation
            if let failure { throw failure }
            if wire.hasEnded { throw fail(lost("the server closed the connection")) }
            guard wire.outboundCount > 1 << 18 else { return }
            try await drained.wait(after: generation)
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
        openRequested.signal()
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
            if wire.hasEnded { return fail(lost("the server closed the connection")) }
            try await arrivals.wait(after: generation)
        }
    }

    /// Tells the server that we leave, as far as it still listens, and ends the session for whoever still uses it.
    private func disconnect() async {
        if failure == nil, !wire.hasEnded {
            libssh2_session_disconnect_ex(library.pointer, SSH_DISCONNECT_BY_APPLICATION, "done", "")
            announceDeparture()
            do {
                try await withTimeout(.seconds(1), or: CancellationError()) { try await self.waitUntilSent() }
            } catch {
                // It was a courtesy.
            }
        }
        fail(SSHError(.closed, "the session with \(endpoint.description) has ended"))
        channels.removeAll()
    }

    private func waitUntilSent() async throws {
        while true {
            let generation = drained.generation
            guard wire.outboundCount > 0 else { return }
            try await drained.wait(after: generation)
        }
    }

    /// libssh2's words for what failed last.
    func libraryMessage() -> String {
        var text: UnsafeMutablePointer<CChar>?
        let code = libssh2_session_last_error(library.pointer, &text, nil, 0)
        let words = text.map { String(cString: $0) } ?? ""
        return words.isEmpty ? "libssh2 error \(code)" : "\(words) (libssh2 error \(code))"
    }
}
