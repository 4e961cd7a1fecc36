internal import CSSH2
internal import IO

/// What kind of channel to open.
enum ChannelKind: Sendable {
    /// For a command.
    case session
    /// A connection from the server to a host and port.
    case forward(host: String, port: UInt16)
    /// A type that does not exist, for the sake of the refusal.
    case probe

    fileprivate var name: String {
        switch self {
        case .session: "session"
        case .forward: "direct-tcpip"
        case .probe: "keepalive@openssh.com"
        }
    }

    /// Where it leads, for messages.
    fileprivate var destination: String {
        guard case .forward(let host, let port) = self else { return "itself" }
        return "\(host) port \(port)"
    }

    /// What follows in the open request (RFC 4254, section 7.2).
    fileprivate var details: [UInt8] {
        guard case .forward(let host, let port) = self else { return [] }
        var writer = PacketWriter()
        writer.string(host)
        writer.uint32(UInt32(port))
        // Whom the connection comes from: nobody uses it.
        writer.string("127.0.0.1")
        writer.uint32(0)
        return writer.bytes
    }
}

/// A channel that somebody wants.
struct OpenRequest: Sendable {
    var kind: ChannelKind
    var outcome: OneShot<ChannelID>
}

/// How a request for a session channel fares that went with the login, before anybody asked for a channel.
enum EarlyOpening: Equatable {
    case none
    /// libssh2 is in the middle of it.
    case sent
    /// Here it is, for the next one who asks.
    case open(OpaquePointer)
}

/// Opening one channel at a time: libssh2 keeps the state of an open request in the session.
///
/// A task of the session does it, so that whoever asked can be cancelled at any moment; the channel that nobody waits for
/// any more is closed as soon as it is open.
extension Session {
    /// Opens a channel. The caller has to close it.
    func open(_ kind: ChannelKind) async throws -> ChannelID {
        if let failure { throw failure }
        let outcome = OneShot<ChannelID>()
        requestOpen(kind, delivering: outcome)
        return try await outcome.value()
    }

    nonisolated func open(_ kind: ChannelKind, within limit: Duration?) async throws -> ChannelID {
        guard let limit else { return try await open(kind) }
        let late = SSHError(
            .forwardRefused,
            "\(endpoint.name) has not connected to \(kind.destination) within \(limit.components.seconds) s")
        return try await withTimeout(limit, or: late) { try await self.open(kind) }
    }

    func requestOpen(_ kind: ChannelKind, delivering outcome: OneShot<ChannelID>) {
        openRequests.append(OpenRequest(kind: kind, outcome: outcome))
        openRequested.signal()
    }

    /// Serves the requests until the session ends or fails.
    func serveOpenRequests() async {
        while !Task.isCancelled {
            let generation = openRequested.generation
            guard !openRequests.isEmpty else {
                if failure != nil { return }
                do { try await openRequested.wait(after: generation) } catch { return }
                continue
            }
            let request = openRequests.removeFirst()
            if !request.outcome.isSettled { await serve(request) }
        }
    }

    private func serve(_ request: OpenRequest) async {
        do {
            let id = try await openPatiently(request.kind)
            if case .probe = request.kind { return close(id) }
            if !request.outcome.deliver(.success(id)) { close(id) }
        } catch {
            request.outcome.deliver(.failure(error))
        }
    }

    /// Opens a channel, and tries again for a while when the server has too many, some of which we have just closed: a
    /// command's place is free when the command has noticed that it should end.
    private func openPatiently(_ kind: ChannelKind) async throws -> ChannelID {
        let clock = ContinuousClock()
        while true {
            do {
                return try await openNow(kind)
            } catch let error as SSHError where error.code == .channelRefused {
                guard case .session = kind, let lastClose, clock.now - lastClose < .seconds(2) else { throw error }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func openNow(_ kind: ChannelKind) async throws -> ChannelID {
        isOpening = true
        defer { isOpening = false }
        try await finishEarlyOpening()
        if case .session = kind, case .open(let channel) = earlyOpening {
            earlyOpening = .none
            return admit(channel)
        }
        let start = ContinuousClock.now
        let answer = try await perform { open(kind, in: $0) }
        // The quickest tells how far away the server is; others had to wait for something.
        roundTrip = min(roundTrip, .now - start)
        switch answer {
        case .done(let channel): return admit(channel)
        case .failed(let code): throw refusal(of: kind, code: code)
        }
    }

    /// Asks for a channel, or goes on with the request that is under way: libssh2 does not look at the kind then.
    private func open(_ kind: ChannelKind, in session: OpaquePointer) -> Answer<OpaquePointer> {
        let window = ReceiveWindow.size(roundTrip: roundTrip, channels: channels.count + 1)
        let channel = kind.details.withUnsafeBytes { bytes in
            libssh2_channel_open_ex(
                session, kind.name, UInt32(kind.name.utf8.count), UInt32(window), 1 << 15,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
        }
        if let channel { return .done(channel) }
        return .failed(libssh2_session_last_errno(session))
    }

    private func admit(_ channel: OpaquePointer) -> ChannelID {
        lastChannelID += 1
        channels[lastChannelID] = Channel(pointer: channel)
        return lastChannelID
    }

    /// Whether the request that went with the login has not been answered.
    var awaitsEarlyOpening: Bool { earlyOpening == .sent }

    /// Sends a request for a session channel while the login is under way: see ``LoginGuess``.
    func requestOpeningEarly() {
        guard earlyOpening == .none else { return }
        earlyOpening = .sent
        // The answer comes after that to the login, which nobody has taken yet.
        _ = open(.session, in: library.pointer)
    }

    /// Waits for the answer to that request. A refusal is nobody's: whoever wants a channel asks again.
    private func finishEarlyOpening() async throws {
        guard earlyOpening == .sent else { return }
        let answer = try await perform { open(.session, in: $0) }
        earlyOpening = if case .done(let channel) = answer { .open(channel) } else { .none }
    }

    private func refusal(of kind: ChannelKind, code: CInt) -> SSHError {
        // libssh2 keeps the server's reason in this text only.
        let reason = libraryMessage()
        switch kind {
        case .forward(let host, let port):
            return SSHError(.forwardRefused, "\(endpoint.name) did not connect to \(host) port \(port): \(reason)")
        case .session where code == LIBSSH2_ERROR_CHANNEL_FAILURE:
            return SSHError(
                .channelRefused,
                "\(endpoint.name) does not run another command in this session: \(reason). Most servers allow ten at a "
                    + "time (MaxSessions); \(channels.count) channels are open")
        case .session, .probe:
            return SSHError(.channelRefused, "\(endpoint.name) did not open a channel: \(reason)")
        }
    }
}
