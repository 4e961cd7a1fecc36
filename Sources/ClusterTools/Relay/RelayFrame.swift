/// One message of the relay's protocol, which `templates/relay.py` documents.
///
/// A frame is the unit in which connections share the pipe:
/// `kind 1 byte | payload length 3 bytes | connection 4 bytes | payload | newline`, numbers big-endian. The newline is for
/// Slurm, which holds back what a step writes until its line is complete.
struct RelayFrame: Equatable, Sendable {
    /// What the frame says about its connection.
    enum Body: Equatable, Sendable {
        /// A new connection, on which the other side may send so many bytes.
        case open(window: UInt32)
        /// The port accepted it; so many bytes may be sent on it.
        case opened(window: UInt32)
        /// The port did not, for this reason.
        case refused(reason: String)
        case data([UInt8])
        /// So many bytes more may be sent.
        case window(increment: UInt32)
        /// No more data from this side.
        case eof
        /// The connection is over, both ways, at once.
        case reset
        case ping
        case pong
    }

    /// The number that the client gave the connection; 0 for `ping` and `pong`.
    let connection: UInt32
    let body: Body

    /// What each side sends first; anything before it is not of the relay.
    static let magic: [UInt8] = Array("\0relay/1\r\n".utf8) + [0xff, 0xfe, 0x1a, 0x04, 0x00, 0x0a]

    /// The most that one frame carries, in bytes.
    static let maximumPayload = 1 << 16

    static let headerSize = 8

    /// The byte after the payload.
    static let end = UInt8(ascii: "\n")
}

extension RelayFrame {
    /// The kind's number in the protocol.
    private enum Kind: UInt8 {
        case open = 1
        case opened, refused, data, window, eof, reset, ping, pong
    }

    /// Appends the frame to `bytes`, as it travels.
    func encode(into bytes: inout [UInt8]) {
        switch body {
        case .open(let window): encode(.open, number: window, into: &bytes)
        case .opened(let window): encode(.opened, number: window, into: &bytes)
        case .refused(let reason): encode(.refused, payload: reason.utf8, into: &bytes)
        case .data(let data): encode(.data, payload: data, into: &bytes)
        case .window(let increment): encode(.window, number: increment, into: &bytes)
        case .eof: encode(.eof, payload: [], into: &bytes)
        case .reset: encode(.reset, payload: [], into: &bytes)
        case .ping: encode(.ping, payload: [], into: &bytes)
        case .pong: encode(.pong, payload: [], into: &bytes)
        }
    }

    private func encode(_ kind: Kind, payload: some Collection<UInt8>, into bytes: inout [UInt8]) {
        precondition(payload.count <= Self.maximumPayload, "a frame holds at most \(Self.maximumPayload) bytes")
        bytes.append(bigEndian: UInt32(kind.rawValue) << 24 | UInt32(payload.count))
        bytes.append(bigEndian: connection)
        bytes.append(contentsOf: payload)
        bytes.append(Self.end)
    }

    private func encode(_ kind: Kind, number: UInt32, into bytes: inout [UInt8]) {
        var payload: [UInt8] = []
        payload.append(bigEndian: number)
        encode(kind, payload: payload, into: &bytes)
    }

    /// The frame of a header and its whole payload.
    ///
    /// - Throws: `protocolViolation` for an unknown kind, or a payload that does not fit its kind.
    init(kind: UInt8, connection: UInt32, payload: ArraySlice<UInt8>) throws(RelayError) {
        guard let kind = Kind(rawValue: kind) else {
            throw RelayError(.protocolViolation, "The relay sent a frame of the unknown kind \(kind)")
        }
        self.connection = connection
        switch kind {
        case .open: body = .open(window: try Self.number(in: payload, of: kind))
        case .opened: body = .opened(window: try Self.number(in: payload, of: kind))
        case .refused: body = .refused(reason: String(decoding: payload, as: UTF8.self))
        case .data: body = .data(Array(payload))
        case .window: body = .window(increment: try Self.number(in: payload, of: kind))
        case .eof: body = .eof
        case .reset: body = .reset
        case .ping: body = .ping
        case .pong: body = .pong
        }
    }

    private static func number(in payload: ArraySlice<UInt8>, of kind: Kind) throws(RelayError) -> UInt32 {
        guard payload.count == 4 else {
            throw RelayError(
                .protocolViolation, "The relay sent a frame '\(kind)' of \(payload.count) bytes instead of 4")
        }
        return UInt32(bigEndian: payload)
    }
}

extension UInt32 {
    /// The number that `bytes`, four of them, stand for.
    init(bigEndian bytes: ArraySlice<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian number: UInt32) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
