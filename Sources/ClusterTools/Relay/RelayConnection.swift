/// Where one connection through the relay stands: its phase, its windows, and the bytes that wait to be read.
///
/// A value without I/O. Its methods say what is to be sent, or that there is nothing to do yet; `RelayClient` sends and
/// waits.
struct RelayConnection {
    enum Phase {
        /// The port has not answered yet.
        case opening
        case open
        /// Nothing can be sent any more, for this reason.
        case over(RelayError)
    }

    /// What a reader gets.
    enum Reading {
        /// Bytes; with a `credit`, a window frame of that size is due.
        case bytes([UInt8], credit: UInt32?)
        case end
        case nothingYet
    }

    private(set) var phase = Phase.opening

    // From the worker.
    private let window: Int
    private var inbound = ByteQueue()
    /// What the worker may still send.
    private var granted: Int
    /// Read since the last window frame.
    private var owed = 0
    private var remoteFinished = false

    // To the worker.
    private var sendWindow = 0
    private var localFinished = false

    /// - Parameter window: The most that is stored for a reader, in bytes; granted to the worker by the `open` frame.
    init(window: Int) {
        self.window = window
        granted = window
    }

    /// Takes in a frame of this connection.
    ///
    /// - Throws: `protocolViolation`, which concerns the whole relay.
    mutating func receive(_ body: RelayFrame.Body) throws(RelayError) {
        switch (phase, body) {
        case (.over, _):
            return  // it was on its way when the connection ended
        case (.opening, .opened(let window)):
            phase = .open
            sendWindow = Int(window)
        case (.opening, .refused(let reason)):
            phase = .over(RelayError(.refused, "The worker's port takes no connection: \(reason)"))
        case (.open, .data(let bytes)):
            guard !remoteFinished, !bytes.isEmpty, bytes.count <= granted else { throw Self.unexpected(body) }
            granted -= bytes.count
            inbound.append(bytes)
        case (.open, .window(let increment)):
            sendWindow += Int(increment)
        case (.open, .eof):
            guard !remoteFinished else { throw Self.unexpected(body) }
            remoteFinished = true
        case (.open, .reset):
            fail(RelayError(.reset, "The connection was broken on the worker"))
        default:
            throw Self.unexpected(body)
        }
    }

    /// Ends the connection for a reason of ours. What has arrived can still be read.
    mutating func fail(_ error: RelayError) {
        if case .over = phase { return }
        phase = .over(error)
    }

    /// The next bytes that have arrived, at most `limit`; also those that came before the connection broke.
    ///
    /// - Throws: Why the connection is over.
    mutating func read(upTo limit: Int) throws(RelayError) -> Reading {
        guard inbound.isEmpty else {
            let bytes = inbound.removeFirst(upTo: limit)
            return .bytes(bytes, credit: credit(for: bytes.count))
        }
        if remoteFinished { return .end }
        if case .over(let error) = phase { throw error }
        return .nothingYet
    }

    /// The room to grant again after `count` bytes were read: in quarters of the window, to send few frames for it.
    private mutating func credit(for count: Int) -> UInt32? {
        owed += count
        guard case .open = phase, !remoteFinished, owed * 4 >= window else { return nil }
        defer { owed = 0 }
        granted += owed
        return UInt32(owed)
    }

    /// How many of `wanted` bytes may be sent now, possibly none. They are counted as sent.
    ///
    /// - Throws: Why the connection is over; `closed` after ``finishWriting()``.
    mutating func reserve(_ wanted: Int) throws(RelayError) -> Int {
        if case .over(let error) = phase { throw error }
        guard !localFinished else { throw RelayError(.closed, "Writing after the end of one's own stream") }
        let count = min(wanted, sendWindow)
        sendWindow -= count
        return count
    }

    /// Notes that nothing more will be written. Returns the frame that says so, the first time.
    ///
    /// - Throws: Why the connection is over.
    mutating func finishWriting() throws(RelayError) -> RelayFrame.Body? {
        if case .over(let error) = phase { throw error }
        guard !localFinished else { return nil }
        localFinished = true
        return .eof
    }

    /// Ends the connection for good. Returns the frame that tells the worker, where it does not know.
    ///
    /// - Parameter isOrderly: Whether what was written is complete. Otherwise the worker must not take it for complete.
    mutating func close(isOrderly: Bool) -> RelayFrame.Body? {
        defer { fail(RelayError(.closed, "The connection is used after the end of its scope")) }
        if case .over = phase { return nil }
        switch (localFinished, remoteFinished) {
        case (true, true): return nil
        case (false, true) where isOrderly: return .eof
        default: return .reset
        }
    }

    private static func unexpected(_ body: RelayFrame.Body) -> RelayError {
        RelayError(.protocolViolation, "The relay sent a frame that does not fit its connection: \(body.name)")
    }
}

extension RelayFrame.Body {
    /// The kind alone, for messages: data is not for the eyes.
    fileprivate var name: String {
        switch self {
        case .open: "open"
        case .opened: "opened"
        case .refused: "refused"
        case .data(let bytes): "data of \(bytes.count) bytes"
        case .window: "window"
        case .eof: "eof"
        case .reset: "reset"
        case .ping: "ping"
        case .pong: "pong"
        }
    }
}
