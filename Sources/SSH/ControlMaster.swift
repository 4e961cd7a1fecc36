public import IO
internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// An ssh of OpenSSH's that runs as a ControlMaster: opens channels of its one session, asked over its control socket.
///
/// This is what `ssh -S SOCKET host command` does, without a process for each channel: a connection to the socket carries
/// one request, and with it the ends of pipes that the master reads and writes. When the connection ends, so does the
/// channel. See OpenSSH's PROTOCOL.mux, "passenger mode".
public struct ControlMaster: Sendable {
    private let socket: String
    private let host: String
    private let loop: PollLoop

    /// How long a master that serves nothing but its socket may take to say that it is alive.
    private static let patience: Duration = .seconds(5)

    /// - Parameters:
    ///   - socket: the path of its control socket.
    ///   - host: for error messages.
    public init(socket: String, host: String, loop: PollLoop) {
        self.socket = socket
        self.host = host
        self.loop = loop
    }

    /// Runs a command of the user's login shell on the server.
    ///
    /// - Throws: ``SSHError``: `channelRefused` when the server opens no more channels, `linkLost` when the master is gone;
    ///   what `body` throws.
    public func withProcess<R: Sendable>(
        _ command: String, _ body: (any RunningProcess) async throws -> R
    ) async throws -> R {
        try await withControl { control in
            let input = try PipeEnd.toRead(loop: loop)
            let output = try PipeEnd.toWrite(loop: loop)
            let errors = try PipeEnd.toWrite(loop: loop)
            let answer = try await control.request(
                .session(command: command), passing: [input.theirs, output.theirs, errors.theirs])
            if case .refused(let reason) = answer {
                throw SSHError(.channelRefused, "\(host) would not start a command: \(reason)")
            }
            return try await withChannel(
                PassedChannel(input: input.ours, output: output.ours, errors: errors.ours, master: self), control, body)
        }
    }

    /// As ``withProcess(_:_:)``, with a terminal of its own for the command.
    ///
    /// The master gets a pseudo-terminal of this machine for the user's, asks it for its modes and its size, and passes on what
    /// goes through it.
    public func withTerminal<R: Sendable>(
        _ terminal: TerminalRequest, running command: String, _ body: (any TerminalProcess) async throws -> R
    ) async throws -> R {
        try await withControl { control in
            let local = try PseudoTerminal(terminal, loop: loop)
            let ends = [try local.follower(), try local.follower(), try local.follower()]
            var answer = try await control.request(
                .session(command: command, terminal: terminal.type), passing: ends)
            if answer == .terminalRefused { answer = .refused("it gives no terminal") }
            if case .refused(let reason) = answer {
                await local.close()
                throw SSHError(.channelRefused, "\(host) would not give a terminal: \(reason)")
            }
            // The other one does all that terminals do.
            try local.passBytesThrough()
            return try await withChannel(PassedChannel(terminal: local, master: self), control, body)
        }
    }

    /// Lets the server connect to a host and port.
    ///
    /// - Throws: ``SSHError``: `forwardRefused` when it does not, `linkLost` when the master is gone; what `body` throws.
    public func withStream<R: Sendable>(
        toHost target: String, port: UInt16, _ body: (any ByteStream) async throws -> R
    ) async throws -> R {
        try await withControl { control in
            let input = try PipeEnd.toRead(loop: loop)
            let output = try PipeEnd.toWrite(loop: loop)
            let answer = try await control.request(
                .forward(host: target, port: port), passing: [input.theirs, output.theirs])
            if case .refused(let reason) = answer {
                throw SSHError(.forwardRefused, "\(host) cannot connect to \(target) port \(port): \(reason)")
            }
            return try await withChannel(
                PassedChannel(input: input.ours, output: output.ours, errors: nil, master: self), control, body)
        }
    }

    /// Whether the master answers.
    func isAlive() async throws -> Bool { try await process() != nil }

    /// The master's process id; nil when it does not answer.
    private func process() async throws -> pid_t? {
        do {
            return try await withTimeout(Self.patience, or: lost()) {
                try await withControl { control in
                    guard case .alive(let process) = try await control.request(.aliveCheck, passing: []) else {
                        return nil
                    }
                    return pid_t(exactly: process)
                }
            }
        } catch is SSHError {
            return nil
        }
    }

    /// Lets the master look at the sizes of its terminals again, as `ssh -S` does.
    func announceResize() async throws {
        guard let process = try await process(), process > 1 else { throw lost() }
        kill(process, SIGWINCH)
    }

    func lost(_ cause: (any Error)? = nil) -> SSHError {
        SSHError(.linkLost, "the connection to \(host) is lost: ssh has ended", cause: cause)
    }

    // MARK: Scopes

    /// Connects to the socket and greets. Errors of the socket mean that the master is gone.
    private func withControl<R: Sendable>(_ body: (Control) async throws -> R) async throws -> R {
        // The body's errors must not be mistaken for the connection's.
        let outcome: Result<R, any Error>
        do {
            outcome = try await withConnection(toSocketAt: socket, loop: loop) { connection in
                do {
                    let control = Control(connection: connection, master: self)
                    try await control.greet()
                    return .success(try await body(control))
                } catch {
                    return .failure(error)
                }
            }
        } catch let error as IOError {
            throw lost(error)
        }
        return try outcome.get()
    }

    /// Lends an open channel; closes it, and the pipes, afterwards.
    private func withChannel<R: Sendable>(
        _ channel: PassedChannel, _ control: Control, _ body: (PassedChannel) async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await channel.follow(control) }
            let outcome: Result<R, any Error>
            do { outcome = .success(try await body(channel)) } catch { outcome = .failure(error) }
            group.cancelAll()
            await shielded { await channel.close() }
            return try outcome.get()
        }
    }
}

/// One connection to a control socket.
private struct Control: Sendable {
    let connection: Descriptor
    let master: ControlMaster

    /// Larger than anything that a master says.
    private static let limit = 1 << 18

    func greet() async throws {
        try await send(.hello)
        guard case .hello(let version)? = try await next() else { throw master.lost() }
        guard version == MultiplexRequest.version else {
            throw SSHError(
                .protocolFailure,
                "this ssh speaks version \(version) of the protocol of ControlMaster, and not \(MultiplexRequest.version)"
            )
        }
    }

    /// Asks, and waits for the answer.
    func request(_ request: MultiplexRequest, passing ends: [PipeEnd]) async throws -> MultiplexAnswer {
        try await send(request)
        do {
            for end in ends {
                try await connection.pass(end)
                end.close()
            }
        } catch let error as IOError {
            throw master.lost(error)
        }
        guard let answer = try await next() else { throw master.lost() }
        return answer
    }

    private func send(_ request: MultiplexRequest) async throws {
        do { try await connection.write(request.bytes) } catch let error as IOError { throw master.lost(error) }
    }

    /// The next message; nil when the master has closed the connection.
    func next() async throws -> MultiplexAnswer? {
        guard let header = try await read(4) else { return nil }
        var reader = PacketReader(header)
        let length = Int(try reader.uint32())
        guard length <= Self.limit else {
            throw SSHError(.protocolFailure, "what listens at ssh's control socket is no ssh")
        }
        guard let body = try await read(length) else { return nil }
        return try MultiplexAnswer(body)
    }

    private func read(_ count: Int) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        do {
            while bytes.count < count {
                let more = try await connection.read(upTo: count - bytes.count)
                if more.isEmpty { return nil }
                bytes += more
            }
        } catch let error as IOError {
            throw master.lost(error)
        }
        return bytes
    }
}

/// A channel of a master's, at the other end of pipes or of a terminal.
private final class PassedChannel: TerminalProcess {
    private enum End {
        /// Nothing was heard yet.
        case pending
        case ended(ExitStatus)
        case lost
    }

    private let input: Descriptor
    private let output: Descriptor
    private let errors: Descriptor?
    private let terminal: PseudoTerminal?
    private let master: ControlMaster
    private let end = Mutex(End.pending)
    private let ended = Condition()

    init(input: Descriptor, output: Descriptor, errors: Descriptor?, master: ControlMaster) {
        self.input = input
        self.output = output
        self.errors = errors
        terminal = nil
        self.master = master
    }

    init(terminal: PseudoTerminal, master: ControlMaster) {
        input = terminal.stream
        output = terminal.stream
        errors = nil
        self.terminal = terminal
        self.master = master
    }

    func resize(_ size: TerminalSize) async throws {
        try terminal?.resize(size)
        try await master.announceResize()
    }

    func read(upTo limit: Int) async throws -> [UInt8] {
        guard let terminal else { return try await read(output, upTo: limit) }
        let bytes = try await terminal.read(upTo: limit)
        if bytes.isEmpty { try await checkLink() }
        return bytes
    }

    func readError(upTo limit: Int) async throws -> [UInt8] {
        guard let errors else { return [] }
        return try await read(errors, upTo: limit)
    }

    /// The pipes of a lost channel end as those of one that is done.
    private func read(_ pipe: Descriptor, upTo limit: Int) async throws -> [UInt8] {
        let bytes = try await pipe.read(upTo: limit)
        if bytes.isEmpty { try await checkLink() }
        return bytes
    }

    func write(_ bytes: [UInt8]) async throws {
        do {
            try await input.write(bytes)
        } catch let error as IOError where error.code == .brokenPipe {
            try await checkLink()
            throw error
        }
    }

    func finishWriting() async throws {
        // A terminal has a key for that.
        if terminal == nil { await input.finishWriting() }
    }

    func exitStatus() async throws -> ExitStatus {
        while true {
            let generation = ended.generation
            switch end.withLock({ $0 }) {
            case .ended(let status): return status
            case .lost: throw master.lost()
            case .pending: try await ended.wait(after: generation)
            }
        }
    }

    /// Throws when a pipe has ended because the master has.
    private func checkLink() async throws {
        guard try await master.isAlive() else { throw master.lost() }
    }

    /// Hears how the channel ends.
    func follow(_ control: Control) async {
        do {
            while let message = try await control.next() {
                if case .exited(let status) = message {
                    return settle(.ended(.exited(Int32(truncatingIfNeeded: status))))
                }
            }
            // A master says nothing of a command that a signal has ended, and nothing when it ends itself.
            settle(try await master.isAlive() ? .ended(.unknown) : .lost)
        } catch is CancellationError {
            // The channel's scope has ended.
        } catch {
            settle(.lost)
        }
    }

    private func settle(_ value: End) {
        end.withLock { $0 = value }
        ended.signal()
    }

    func close() async {
        await terminal?.close()
        await input.close()
        await output.close()
        await errors?.close()
    }
}
