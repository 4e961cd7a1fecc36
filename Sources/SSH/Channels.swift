internal import CSSH
public import IO

extension Session {
    /// Runs a command, by the user's login shell on the server, and hands the process to `body`.
    ///
    /// The channel closes with the scope. The server does not end a process for that; one that reads or writes its
    /// streams notices.
    ///
    /// - Throws: ``SSHError`` with code `channelRefused` or `linkLost`; what `body` throws.
    public nonisolated func withProcess<R>(
        _ command: String, _ body: (any RunningProcess) async throws -> R
    ) async throws -> R {
        try await withChannel(.session) { id in
            try await start(command, on: id)
            return try await body(RemoteProcess(session: self, id: id))
        }
    }

    /// As ``withProcess(_:_:)``, with a terminal of its own for the command. The server ends what runs on it, by SIGHUP, when the
    /// channel closes.
    public nonisolated func withTerminal<R>(
        _ terminal: TerminalRequest, running command: String, _ body: (any TerminalProcess) async throws -> R
    ) async throws -> R {
        try await withChannel(.session) { id in
            try await request(terminal, on: id)
            try await start("\(TerminalModes.command(terminal.modes)); \(command)", on: id)
            return try await body(RemoteTerminal(session: self, id: id))
        }
    }

    /// Connects to a host and port as seen from the server, and hands the connection to `body`.
    ///
    /// - Parameter timeout: How long the server may take to connect; nil for as long as it likes.
    /// - Throws: ``SSHError`` with code `forwardRefused`, with the server's reason, or `linkLost`; what `body` throws.
    public nonisolated func withStream<R>(
        toHost host: String, port: UInt16, timeout: Duration? = nil, _ body: (any ByteStream) async throws -> R
    ) async throws -> R {
        try await withChannel(.forward(host: host, port: port), timeout: timeout) { id in
            try await body(RemoteStream(session: self, id: id))
        }
    }

    private nonisolated func withChannel<R>(
        _ kind: ChannelKind, timeout: Duration? = nil, _ body: (ChannelID) async throws -> R
    ) async throws -> R {
        let id = try await open(kind, within: timeout)
        do {
            let result = try await body(id)
            await close(id)
            return result
        } catch {
            await close(id)
            throw error
        }
    }

    // MARK: Requests

    private func start(_ command: String, on id: ChannelID) async throws {
        try await request("start a command", on: id) { ssh_channel_request_exec($0, command) }
    }

    private func request(_ terminal: TerminalRequest, on id: ChannelID) async throws {
        let (columns, rows) = (CInt(clamping: terminal.size.columns), CInt(clamping: terminal.size.rows))
        try await request("give a terminal", on: id) {
            ssh_channel_request_pty_size($0, terminal.type, columns, rows)
        }
        try channel(id).isInteractive = true
    }

    /// Asks for something on a channel, which the server answers.
    private func request(_ what: String, on id: ChannelID, _ call: (ssh_channel) -> CInt) async throws {
        let status = try await perform {
            let channel = try channel(id)
            let status = call(channel.pointer)
            // libssh would wait for the answer for ever.
            return status == SSH_AGAIN && channel.isClosed ? SSH_ERROR : status
        }
        guard status == SSH_OK else {
            throw SSHError(.channelRefused, "\(endpoint.name) would not \(what): \(library.message)")
        }
    }

    /// Nobody answers that.
    func resize(_ id: ChannelID, _ size: TerminalSize) async throws {
        let (columns, rows) = (CInt(clamping: size.columns), CInt(clamping: size.rows))
        let status = try await perform { ssh_channel_change_pty_size(try channel(id).pointer, columns, rows) }
        try check(status, "resizing a terminal")
    }

    // MARK: Bytes

    func read(_ id: ChannelID, _ stream: ChannelStream, upTo limit: Int) async throws -> [UInt8] {
        precondition(limit > 0, "a read of no bytes would look like the end")
        let channel = try channel(id)
        while true {
            let generation = channel.news.generation
            // What has come in can be read when the session has failed, too.
            let bytes = channel.next(of: stream, upTo: limit)
            if !bytes.isEmpty {
                channel.window.note(bytes.count, at: .now, roundTrip: roundTrip)
                widen(channel, stream)
                return bytes
            }
            if failure == nil, channel.isIncomplete(stream) {
                if channel.isBulk, let end = library.courtesy.pause(at: .now) {
                    try await ContinuousClock().sleep(until: end)
                    // Its scope may have ended.
                    _ = try self.channel(id)
                    continue
                }
                // No less than the server may send for it, or libssh would come to hold ever more.
                channel.pull(stream, window: ReceiveWindow.least, scratch: library.scratch)
                noticeEffects()
                continue
            }
            if channel.hasEnded, !channel.isIncomplete(stream) { return [] }
            if let failure { throw failure }
            // Its scope may have ended.
            _ = try self.channel(id)
            try await channel.news.wait(after: generation)
        }
    }

    /// How many bytes are handed to libssh before others get their turn.
    private static let piece = 1 << 16

    /// Lets the server send more than libssh itself does, or sooner, where it is far away.
    func widen(_ channel: Channel, _ stream: ChannelStream = .output) {
        // What lies here counts too, or a slow reader would never hold up the server.
        let window = channel.window.size(roundTrip: roundTrip, channels: channels.count) - channel.backlog
        guard failure == nil, !ReceiveWindow.isLong(roundTrip: roundTrip), window > ReceiveWindow.least / 2,
            channel.readSinceWidening >= max(window / 8, ReceiveWindow.least - window)
        else { return }
        channel.readSinceWidening = 0
        channel.pull(stream, window: window, scratch: library.scratch)
        noticeEffects()
    }

    /// Before something is sent on a channel, or it is closed: its last answer counts.
    private func expectAnswers(to channel: Channel) {
        if channel.hasShortAnswer, ReceiveWindow.isLong(roundTrip: roundTrip) {
            library.courtesy.noteShortAnswer(at: .now)
        }
        channel.noteQuestion()
    }

    func write(_ id: ChannelID, _ bytes: [UInt8]) async throws {
        expectAnswers(to: try channel(id))
        var sent = 0
        while sent < bytes.count {
            try await waitForRoom()
            let generation = arrivals.generation
            let channel = try channel(id)
            if failure == nil, channel.isClosed {
                throw IOError(.brokenPipe, "writing: the other side has closed the channel")
            }
            let count = bytes.withUnsafeBytes { bytes in
                let piece = bytes[sent...].prefix(Session.piece)
                return ssh_channel_write(
                    channel.pointer, UnsafeRawBufferPointer(rebasing: piece).baseAddress, UInt32(piece.count))
            }
            noticeEffects()
            try check(count, "writing")
            sent += Int(count)
            if count > 0 {
                // Others who write get their turn.
                await loop.turn()
            } else {
                // Until the server can take more, or keys have been exchanged.
                try await waitForArrivals(after: generation, limit: nil)
            }
        }
    }

    func finishWriting(_ id: ChannelID) async throws {
        if let failure { throw failure }
        let status = ssh_channel_send_eof(try channel(id).pointer)
        noticeEffects()
        // "Again" says that it is on its way.
        try check(status == SSH_AGAIN ? SSH_OK : status, "ending the input")
    }

    /// Waits for the end of a process. It has ended its output before.
    func exitStatus(_ id: ChannelID) async throws -> ExitStatus {
        let channel = try channel(id)
        while true {
            let generation = channel.news.generation
            if let status = channel.exitStatus { return status }
            if channel.isClosed { return .unknown }
            if let failure { throw failure }
            _ = try self.channel(id)
            try await channel.news.wait(after: generation)
        }
    }

    func close(_ id: ChannelID) {
        guard let channel = channels.removeValue(forKey: id), failure == nil else { return }
        lastClose = .now
        expectAnswers(to: channel)
        library.release(channel)
        noticeEffects()
        // Whoever still waits on it finds it gone.
        arrivals.signal()
    }

    private func channel(_ id: ChannelID) throws -> Channel {
        if let channel = channels[id] { return channel }
        throw failure ?? SSHError(.closed, "the channel's scope has ended")
    }

    /// Throws when a call has failed, for the reason of the whole session's failure if there is one.
    private func check(_ status: CInt, _ doing: String) throws {
        guard status < 0 else { return }
        throw failure ?? SSHError(.protocolFailure, "\(doing) failed on \(endpoint.name): \(library.message)")
    }
}

/// A connection that the server has made, as a byte stream.
private struct RemoteStream: ByteStream {
    let session: Session
    let id: ChannelID

    func read(upTo limit: Int) async throws -> [UInt8] { try await session.read(id, .output, upTo: limit) }
    func write(_ bytes: [UInt8]) async throws { try await session.write(id, bytes) }
    func finishWriting() async throws { try await session.finishWriting(id) }
}

/// A command that runs on the server.
private protocol RemoteCommand: RunningProcess {
    var session: Session { get }
    var id: ChannelID { get }
}

private struct RemoteProcess: RemoteCommand {
    let session: Session
    let id: ChannelID
}

private struct RemoteTerminal: RemoteCommand, TerminalProcess {
    let session: Session
    let id: ChannelID

    func resize(_ size: TerminalSize) async throws { try await session.resize(id, size) }
}

extension RemoteCommand {

    func read(upTo limit: Int) async throws -> [UInt8] { try await session.read(id, .output, upTo: limit) }
    func readError(upTo limit: Int) async throws -> [UInt8] { try await session.read(id, .errors, upTo: limit) }
    func write(_ bytes: [UInt8]) async throws { try await session.write(id, bytes) }
    func finishWriting() async throws { try await session.finishWriting(id) }
    func exitStatus() async throws -> ExitStatus { try await session.exitStatus(id) }
}
