internal import CSSH
internal import IO

/// What kind of channel to open.
enum ChannelKind: Sendable {
    /// For a command.
    case session
    /// A connection from the server to a host and port.
    case forward(host: String, port: UInt16)

    /// Where it leads, for messages.
    fileprivate var destination: String {
        guard case .forward(let host, let port) = self else { return "itself" }
        return "\(host) port \(port)"
    }

    /// Asks for one, or goes on with that.
    fileprivate func open(_ channel: Channel) -> CInt {
        switch self {
        case .session: ssh_channel_open_session(channel.pointer)
        case .forward(let host, let port):
            // Whom the connection comes from: nobody uses it.
            ssh_channel_open_forward(channel.pointer, host, CInt(port), "127.0.0.1", 0)
        }
    }
}

/// A channel that somebody wants.
struct OpenRequest: Sendable {
    var kind: ChannelKind
    var outcome: OneShot<ChannelID>
}

/// Opening channels.
///
/// Tasks of the session do it, so that whoever asked can be cancelled at any moment; the channel that nobody waits for any more is
/// closed as soon as it is open.
extension Session {
    /// Opens a channel. The caller has to close it.
    func open(_ kind: ChannelKind) async throws -> ChannelID {
        if let failure { throw failure }
        let outcome = OneShot<ChannelID>()
        openRequests.append(OpenRequest(kind: kind, outcome: outcome))
        openRequested.signal()
        return try await outcome.value()
    }

    nonisolated func open(_ kind: ChannelKind, within limit: Duration?) async throws -> ChannelID {
        guard let limit else { return try await open(kind) }
        let late = SSHError(
            .forwardRefused,
            "\(endpoint.name) has not connected to \(kind.destination) within \(limit.components.seconds) s")
        return try await withTimeout(limit, or: late) { try await self.open(kind) }
    }

    /// Serves the requests until the session ends or fails: all at once, since one may take the server long.
    func serveOpenRequests() async {
        await withDiscardingTaskGroup { group in
            defer {
                let ending: any Error = failure ?? CancellationError()
                for request in openRequests { request.outcome.deliver(.failure(ending)) }
                openRequests = []
            }
            while !Task.isCancelled {
                let generation = openRequested.generation
                guard !openRequests.isEmpty else {
                    if failure != nil { return }
                    do { try await openRequested.wait(after: generation) } catch { return }
                    continue
                }
                let request = openRequests.removeFirst()
                if !request.outcome.isSettled { group.addTask { await self.serve(request) } }
            }
        }
    }

    private func serve(_ request: OpenRequest) async {
        do {
            let id = try await openPatiently(request.kind)
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
        guard let channel = library.makeChannel() else {
            throw SSHError(.protocolFailure, "no memory for a channel")
        }
        let start = ContinuousClock.now
        guard try await perform({ kind.open(channel) }) == SSH_OK else {
            let reason = library.message
            library.release(channel, wasOpen: false)
            throw refusal(of: kind, reason: reason)
        }
        // The quickest tells how far away the server is; others had to wait for something.
        roundTrip = min(roundTrip, .now - start)
        if case .forward = kind { channel.isInteractive = true }
        return admit(channel)
    }

    private func admit(_ channel: Channel) -> ChannelID {
        lastChannelID += 1
        channels[lastChannelID] = channel
        // Before the first bytes: libssh lets the server send very few of them at first.
        widen(channel)
        return lastChannelID
    }

    private func refusal(of kind: ChannelKind, reason: String) -> SSHError {
        switch kind {
        case .forward(let host, let port):
            // The number of RFC 4254, section 5.1, says more than the server's words.
            let hint =
                reason.contains("error (1)") ? " (the server forbids forwards: AllowTcpForwarding, PermitOpen)" : ""
            return SSHError(
                .forwardRefused, "\(endpoint.name) did not connect to \(host) port \(port): \(reason)\(hint)")
        case .session:
            return SSHError(
                .channelRefused,
                "\(endpoint.name) does not run another command in this session: \(reason). Most servers allow ten at a "
                    + "time (MaxSessions); \(channels.count) channels are open")
        }
    }
}
