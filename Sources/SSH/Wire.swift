internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// The bytes that libssh2 has produced and nobody has sent yet, and those received that it has not parsed yet.
///
/// libssh2 never touches a socket. What it sends is always accepted in full, so it never holds half a packet; when it
/// finds nothing to receive, everything received has been parsed. Both directions are bounded by others: `outbound` by
/// writers that wait while it is long, `inbound` by the windows of the channels.
///
/// Locked, because libssh2 runs on another thread while the user answers the server's questions.
final class Wire: Sendable {
    private struct State {
        var inbound: [UInt8] = []
        /// How much of `inbound` has been taken already.
        var taken = 0
        var outbound: [UInt8] = []
        /// Whether the message that ends the first key exchange has been sent: it is the last one that is not encrypted.
        var isEncrypting = false
        /// How many messages have been sent since.
        var encrypted = 0
        /// Whether libssh2 has asked for more than there was.
        var ranDry = false
        var hasEnded = false
        var isAbandoned = false
    }

    private let state = Mutex(State())

    /// Bytes have come in.
    func receive(_ bytes: [UInt8]) {
        state.withLock { state in
            if state.taken == state.inbound.count {
                state.inbound = bytes
                state.taken = 0
            } else {
                state.inbound += bytes
            }
        }
    }

    /// Before a call of libssh2: forgets whether an earlier one ran dry.
    func beginCall() { state.withLock { $0.ranDry = false } }

    /// Whether libssh2 has said "try again" without having taken all that there is: version 1.11 does, in the middle of
    /// a packet of an authenticating cipher. It means then what it says.
    var hasMore: Bool { state.withLock { !$0.ranDry && $0.taken < $0.inbound.count } }

    /// No more bytes will come in.
    func end() { state.withLock { $0.hasEnded = true } }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// From now on libssh2 gets errors instead of "try again": it is to release its memory, and must not wait.
    func abandon() {
        state.withLock { state in
            state.isAbandoned = true
            state.outbound = []
        }
    }

    /// Takes what libssh2 has produced.
    func takeOutbound() -> [UInt8] {
        state.withLock { state in
            defer { state.outbound = [] }
            return state.outbound
        }
    }

    var outboundCount: Int { state.withLock { $0.outbound.count } }

    /// Whether the first message after the key exchange has been sent: the request to be logged in.
    var hasSentEncrypted: Bool { state.withLock { $0.encrypted > 0 } }

    /// SSH_MSG_NEWKEYS (RFC 4253, section 7.3), which stands after the lengths of a packet and of its padding.
    private static let newKeys = (message: UInt8(21), offset: 5)

    // MARK: For libssh2

    /// libssh2 sends: always successful, so that it gives every packet in one piece.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        state.withLock { state in
            if !state.isAbandoned { state.outbound.append(contentsOf: bytes) }
            if state.isEncrypting {
                state.encrypted += 1
            } else if bytes.count > Self.newKeys.offset, !bytes.starts(with: "SSH-".utf8) {
                state.isEncrypting = bytes[Self.newKeys.offset] == Self.newKeys.message
            }
        }
        return bytes.count
    }

    /// libssh2 receives: a count of bytes, or a negative error number.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        state.withLock { state in
            let count = min(buffer.count, state.inbound.count - state.taken)
            guard count > 0 else {
                state.ranDry = true
                // At the end too it is "try again": the channels may still have data, which an error would hide.
                // The session looks at `hasEnded` itself.
                return state.isAbandoned ? -Int(ECONNRESET) : -Int(EAGAIN)
            }
            state.inbound.withUnsafeBytes {
                buffer.copyMemory(from: .init(rebasing: $0[state.taken..<state.taken + count]))
            }
            state.taken += count
            return count
        }
    }
}
