/// Turns the bytes that arrive from the relay, however they were cut, into frames.
///
/// A value without I/O: `append` what arrived, then call `next` until it has no more.
struct RelayDecoder {
    /// Noise before the greeting is skipped up to so many bytes.
    static let maximumNoise = 1 << 20

    /// True once the greeting was found: frames follow.
    private(set) var isGreeted = false

    /// The end of what preceded the greeting, as text: the words of whoever answered instead of the relay.
    var noise: String {
        String(decoding: lastNoise + (isGreeted ? [] : buffer), as: UTF8.self)
    }

    private var buffer: [UInt8] = []
    /// Bytes of `buffer` that are decoded already.
    private var position = 0
    private var noiseCount = 0
    private var lastNoise: [UInt8] = []

    mutating func append(_ bytes: [UInt8]) {
        if position > 0 {
            buffer.removeFirst(position)
            position = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole frame; nil when more bytes are needed.
    ///
    /// - Throws: `notStarted` when too much noise arrived without a greeting; `protocolViolation`.
    mutating func next() throws(RelayError) -> RelayFrame? {
        if !isGreeted {
            guard try findGreeting() else { return nil }
        }
        let rest = buffer[position...]
        guard rest.count >= RelayFrame.headerSize else { return nil }
        let word = UInt32(bigEndian: rest.prefix(4))
        let length = Int(word & 0xff_ffff)
        guard length <= RelayFrame.maximumPayload else {
            throw RelayError(.protocolViolation, "The relay announced a frame of \(length) bytes")
        }
        guard rest.count > RelayFrame.headerSize + length else { return nil }
        let connection = UInt32(bigEndian: rest.dropFirst(4).prefix(4))
        let payload = rest.dropFirst(RelayFrame.headerSize).prefix(length)
        guard buffer[payload.endIndex] == RelayFrame.end else {
            throw RelayError(.protocolViolation, "The relay sent a frame that does not end where it should")
        }
        position = payload.endIndex + 1
        return try RelayFrame(kind: UInt8(word >> 24), connection: connection, payload: payload)
    }

    private mutating func findGreeting() throws(RelayError) -> Bool {
        let magic = RelayFrame.magic
        let candidates = buffer.indices.dropLast(magic.count - 1)
        if let start = candidates.first(where: { buffer[$0...].starts(with: magic) }) {
            skipNoise(start)
            buffer.removeFirst(magic.count)
            isGreeted = true
            return true
        }
        skipNoise(candidates.count)  // the rest may be the greeting's beginning
        guard noiseCount <= Self.maximumNoise else {
            throw RelayError(.notStarted, "The relay did not start on the worker; it was heard instead: \(noise)")
        }
        return false
    }

    private mutating func skipNoise(_ count: Int) {
        lastNoise = (lastNoise + buffer.prefix(count)).suffix(1024)
        noiseCount += count
        buffer.removeFirst(count)
    }
}
