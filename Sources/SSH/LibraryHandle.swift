internal import CSSH
internal import IO

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A session of libssh's, and the socket that it talks through.
///
/// libssh allows one thread at a time, which is the business of whoever owns this. Nothing here waits: libssh takes what has come
/// in, sends what can leave, and says "again" where it would have to wait for more.
final class LibraryHandle {
    let session: ssh_session
    /// To wait on, and for nothing else. A duplicate: libssh closes its own when it likes.
    let socket: CInt
    /// Where libssh puts what it has kept for a reader, of the largest window's size: memory is taken where it is touched.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: ReceiveWindow.largest, alignment: 16)
    let courtesy = Courtesy()
    private let event: ssh_event
    private let counter: UnsafeMutablePointer<ssh_counter_struct>
    /// For libssh, which closes it, once it has got it.
    private let ownSocket: CInt
    private var hasStarted = false
    /// Those that libssh may call back: until they are released, or this is.
    private var channels: [ObjectIdentifier: Channel] = [:]

    /// Takes over a connected, non-blocking stream socket.
    init(socket: CInt) throws {
        let watched = fcntl(socket, F_DUPFD_CLOEXEC, 3)
        guard watched >= 0, let session = ssh_new(), let event = ssh_event_new() else {
            _ = close(socket)
            throw SSHError(.protocolFailure, "libssh could not be initialised")
        }
        self.session = session
        self.event = event
        self.socket = watched
        ownSocket = socket
        counter = .allocate(capacity: 1)
        counter.initialize(to: ssh_counter_struct())
        ssh_set_blocking(session, 0)
        ssh_set_counters(session, counter, nil)
        // What the server asks for and nobody has heard of is refused at once. libssh would collect it.
        ssh_set_message_callback(session, { _, _, _ in 1 }, nil)
    }

    deinit {
        ssh_event_free(event)
        if !hasStarted { _ = close(ownSocket) }
        // It closes its socket and sends nothing.
        ssh_free(session)
        counter.deallocate()
        scratch.deallocate()
        _ = close(socket)
    }

    // MARK: Settings

    func set(_ option: ssh_options_e, _ value: String) throws {
        try check(ssh_options_set(session, option, value), option)
    }

    func set(_ option: ssh_options_e, _ value: CInt) throws {
        try check(withUnsafePointer(to: value) { ssh_options_set(session, option, $0) }, option)
    }

    private func check(_ status: CInt, _ option: ssh_options_e) throws {
        guard status == SSH_OK else {
            throw SSHError(.protocolFailure, "libssh does not take option \(option.rawValue): \(message)")
        }
    }

    // MARK: Calls that do not wait

    /// Begins the handshake, or goes on with it.
    func connect() throws -> CInt {
        if !hasStarted { try set(SSH_OPTIONS_FD, ownSocket) }
        hasStarted = true
        let status = ssh_connect(session)
        // libssh makes it a blocking one as soon as it is connected, and would then stand still in a write.
        try setNonBlocking(socket)
        // Only now is there something to wait for.
        ssh_event_add_session(event, session)
        return status
    }

    /// Takes in a few kilobytes of what has come, and sends what can leave.
    ///
    /// - Returns: whether there was anything to do.
    func step() -> Bool { hasStarted && ssh_event_dopoll(event, 0) == SSH_OK }

    /// Says good-bye to the server, as far as it takes that at once. Afterwards the session is of no more use, and its channels are
    /// gone.
    func disconnect() {
        // Only after a look at the socket does libssh know that it may write.
        _ = step()
        guard hasStarted, !hasFailed else { return }
        // It forgets a socket that is not its own, and closes one that it takes for its own. It says that this number is none.
        _ = withUnsafePointer(to: SSH_INVALID_SOCKET) { ssh_options_set(session, SSH_OPTIONS_FD, $0) }
        ssh_disconnect(session)
    }

    // MARK: Channels

    /// A channel to open. Nil when there is no memory for it.
    func makeChannel() -> Channel? {
        guard let channel = Channel(in: session, courtesy: courtesy) else { return nil }
        channels[ObjectIdentifier(channel)] = channel
        return channel
    }

    /// Closes a channel, or forgets one that the server has refused to open.
    func release(_ channel: Channel, wasOpen: Bool = true) {
        if wasOpen { channel.close() } else { channel.discard() }
        channels[ObjectIdentifier(channel)] = nil
    }

    // MARK: How it is

    /// How many bytes have come in.
    var received: UInt64 { counter.pointee.in_bytes }

    /// Whether anything waits to be sent.
    var hasOutput: Bool { ssh_get_status(session) & SSH_WRITE_PENDING != 0 }

    /// Whether the connection is of no more use.
    var hasFailed: Bool { ssh_get_status(session) & (SSH_CLOSED | SSH_CLOSED_ERROR) != 0 }

    /// Whether the server has ended the connection.
    var hasEnded: Bool {
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) == 0
    }

    /// libssh's words for what failed last.
    var message: String {
        ssh_get_error(UnsafeMutableRawPointer(session)).map { String(cString: $0) } ?? "unknown error"
    }
}
