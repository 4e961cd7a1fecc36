/// Builds data in ssh's encoding (RFC 4251, section 5).
struct PacketWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func uint32(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func string(_ value: some Collection<UInt8>) {
        uint32(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func string(_ value: String) { string(Array(value.utf8)) }
}

/// Reads data in ssh's encoding. Throws when it is too short.
struct PacketReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }
    var remaining: [UInt8] { Array(rest) }

    mutating func byte() throws -> UInt8 {
        try take(1).reduce(0) { $0 | $1 }
    }

    mutating func uint32() throws -> UInt32 {
        try take(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }

    mutating func string() throws -> [UInt8] {
        Array(try take(Int(try uint32())))
    }

    mutating func text() throws -> String {
        String(decoding: try string(), as: UTF8.self)
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw SSHError(.protocolFailure, "data in ssh's encoding ends too early") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
