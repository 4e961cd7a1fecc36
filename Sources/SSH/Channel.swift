internal import CSSH2
public import IO

/// Names a channel of a session. Not used twice.
typealias ChannelID = UInt64

/// A channel, as the session keeps it.
struct Channel {
    let pointer: OpaquePointer
    /// A write was left half-way, by its cancellation: libssh2 has to finish that one, which nobody can do any more.
    var isWriteBroken = false
    /// What was read and was more than somebody wanted, by the number of its stream.
    var surplus: [CInt: [UInt8]] = [:]
}

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
            try await start(command, on: id)
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

    private func start(_ command: String, on id: ChannelID) async throws {
        try await request("start a command", on: id) {
            libssh2_channel_process_startup($0, "exec", 4, command, UInt32(command.utf8.count))
        }
    }

    private func request(_ terminal: TerminalRequest, on id: ChannelID) async throws {
        let modes = TerminalModes.encoded(terminal.modes)
        try await request("give a terminal", on: id) { channel in
            modes.withUnsafeBytes { modes in
                libssh2_channel_request_pty_ex(
                    channel, terminal.type, UInt32(terminal.type.utf8.count),
                    modes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(modes.count),
                    CInt(clamping: terminal.size.columns), CInt(clamping: terminal.size.rows), 0, 0)
            }
        }
    }

    /// Asks for something on a channel, which the server answers.
    private func request(_ what: String, on id: ChannelID, _ call: (OpaquePointer) -> CInt) async throws {
        let answer = try await perform { _ in
            let channel = try channel(id).pointer
            // Takes in all that has been received, and nothing more: libssh2 fails when it comes upon the reply to
            // another channel's request while it looks for this one's, but not when it has both.
            repeat { wire.beginCall() } while libssh2_channel_wait_eof(channel) == LIBSSH2_ERROR_EAGAIN && wire.hasMore
            return Answer(Int(call(channel))) { _ in () }
        }
        guard case .done = answer else {
            throw SSHError(.channelRefused, "\(endpoint.name) would not \(what): \(libraryMessage())")
        }
    }

    /// Nobody answers that.
    func resize(_ id: ChannelID, _ size: TerminalSize) async throws {
        let answer = try await perform { _ in
            Answer(
                Int(
                    libssh2_channel_request_pty_size_ex(
                        try channel(id).pointer, CInt(clamping: size.columns), CInt(clamping: size.rows), 0, 0))
            ) { _ in () }
        }
        try value(of: answer, "resizing a terminal")
    }

    func read(_ id: ChannelID, stream: CInt, upTo limit: Int) async throws -> [UInt8] {
        precondition(limit > 0, "a read of no bytes would look like the end")
        var bytes: [UInt8]
        if let surplus = try channel(id).surplus[stream] {
            bytes = surplus
            channels[id]?.surplus[stream] = nil
        } else {
            bytes = try await read(id, stream: stream)
        }
        if bytes.count > limit {
            channels[id]?.surplus[stream] = Array(bytes[limit...])
            bytes.removeSubrange(limit...)
        }
        return bytes
    }

    /// Always reads into a buffer of the same size. libssh2 widens a channel's window by an amount that depends on it; when it must
    /// wait with that, for new keys, and a read of the channel's other stream carries it out, it asks for the first one's amount and
    /// counts the second's. In the end it believes in a window that the server does not know of, and the two wait for each other.
    private func read(_ id: ChannelID, stream: CInt) async throws -> [UInt8] {
        let answer = try await perform { _ in
            let channel = try channel(id).pointer
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Session.piece) { buffer, initialized in
                buffer.withMemoryRebound(to: CChar.self) {
                    count = libssh2_channel_read_ex(channel, stream, $0.baseAddress, $0.count)
                }
                initialized = max(0, count)
            }
            return Answer(count) { _ in bytes }
        }
        return try value(of: answer, "reading")
    }

    func write(_ id: ChannelID, _ bytes: [UInt8]) async throws {
        guard try !channel(id).isWriteBroken else {
            throw SSHError(.closed, "a write to this channel was cancelled half-way")
        }
        var sent = 0
        while sent < bytes.count {
            try await waitForRoom()
            channels[id]?.isWriteBroken = true
            let answer = try await perform { _ in
                let channel = try channel(id).pointer
                // Together with its header it has to fit in one packet of libssh2's.
                let end = min(sent + 32_000, bytes.count)
                return bytes[sent..<end].withUnsafeBytes {
                    let start = $0.baseAddress?.assumingMemoryBound(to: CChar.self)
                    return Answer(libssh2_channel_write_ex(channel, 0, start, $0.count)) { $0 }
                }
            }
            sent += try value(of: answer, "writing")
            channels[id]?.isWriteBroken = false
            // Others who write get their turn after every packet.
            await loop.turn()
        }
    }

    func finishWriting(_ id: ChannelID) async throws {
        let answer = try await perform { _ in
            Answer(Int(libssh2_channel_send_eof(try channel(id).pointer))) { _ in () }
        }
        try value(of: answer, "ending the input")
    }

    /// Waits for the end of a process. It has ended its output before.
    func exitStatus(_ id: ChannelID) async throws -> ExitStatus {
        let ended = try await perform { _ in Answer(Int(libssh2_channel_wait_eof(try channel(id).pointer))) { _ in () }
        }
        try value(of: ended, "waiting for the command's end")
        // The status comes after the end of the output, and before the channel's closing.
        let closed = try await perform { _ in
            Answer(Int(libssh2_channel_wait_closed(try channel(id).pointer))) { _ in () }
        }
        try value(of: closed, "waiting for the command's end")
        let pointer = try channel(id).pointer
        var name: UnsafeMutablePointer<CChar>?
        var length = 0
        libssh2_channel_get_exit_signal(pointer, &name, &length, nil, nil, nil, nil)
        if let name {
            defer { libssh2_free(library.pointer, name) }
            return .signaled(String(cString: name))
        }
        return .exited(libssh2_channel_get_exit_status(pointer))
    }

    /// Closes a channel: tells the server, and does not wait for it to agree, which it does when the command has ended.
    func close(_ id: ChannelID) {
        guard let channel = channels.removeValue(forKey: id), failure == nil else { return }
        closing.append(channel.pointer)
        lastClose = .now
        releaseClosedChannels()
        // Whoever still waits on it finds it gone.
        arrivals.signal()
    }

    /// Releases the channels that both sides have closed. What is left at the end goes with the session.
    func releaseClosedChannels() {
        guard !closing.isEmpty else { return }
        closing.removeAll { libssh2_channel_free($0) != LIBSSH2_ERROR_EAGAIN }
        announceDeparture()
    }

    private func channel(_ id: ChannelID) throws -> Channel {
        if let failure { throw failure }
        guard let channel = channels[id] else { throw SSHError(.closed, "the channel's scope has ended") }
        return channel
    }

    @discardableResult
    private func value<Value>(of answer: Answer<Value>, _ doing: String) throws -> Value {
        switch answer {
        case .done(let value): return value
        case .failed: throw SSHError(.protocolFailure, "\(doing) failed on \(endpoint.name): \(libraryMessage())")
        }
    }
}

/// A connection that the server has made, as a byte stream.
private struct RemoteStream: ByteStream {
    let session: Session
    let id: ChannelID

    func read(upTo limit: Int) async throws -> [UInt8] { try await session.read(id, stream: 0, upTo: limit) }
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

    func read(upTo limit: Int) async throws -> [UInt8] { try await session.read(id, stream: 0, upTo: limit) }
    func readError(upTo limit: Int) async throws -> [UInt8] {
        try await session.read(id, stream: SSH_EXTENDED_DATA_STDERR, upTo: limit)
    }
    func write(_ bytes: [UInt8]) async throws { try await session.write(id, bytes) }
    func finishWriting() async throws { try await session.finishWriting(id) }
    func exitStatus() async throws -> ExitStatus { try await session.exitStatus(id) }
}
