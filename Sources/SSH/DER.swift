/// Writes the few kinds of DER values (ITU-T X.690) that private keys consist of.
struct DERWriter {
    private(set) var bytes: [UInt8] = []

    mutating func value(_ tag: UInt8, _ content: [UInt8]) {
        bytes.append(tag)
        if content.count < 0x80 {
            bytes.append(UInt8(content.count))
        } else {
            let digits = withUnsafeBytes(of: content.count.bigEndian) { $0.drop { $0 == 0 } }
            bytes.append(0x80 | UInt8(digits.count))
            bytes += digits
        }
        bytes += content
    }

    /// A positive integer, by its bytes, the highest first.
    mutating func integer(_ magnitude: [UInt8]) {
        let digits = Array(magnitude.drop { $0 == 0 })
        let needsZero = digits.first.map { $0 & 0x80 != 0 } ?? true
        value(0x02, (needsZero ? [0] : []) + digits)
    }

    /// All of it, as one sequence.
    var sequence: [UInt8] {
        var writer = DERWriter()
        writer.value(0x30, bytes)
        return writer.bytes
    }
}

/// Reads sequences of integers in DER.
struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func sequence() throws -> DERReader { DERReader(try value(0x30)) }

    /// A positive integer's bytes, the highest first.
    mutating func integer() throws -> [UInt8] { Array(try value(0x02).drop { $0 == 0 }) }

    private mutating func value(_ tag: UInt8) throws -> [UInt8] {
        guard rest.popFirst() == tag, var length = rest.popFirst().map(Int.init) else { throw malformed }
        if length >= 0x80 {
            let count = length & 0x7f
            guard count <= 4, count <= rest.count else { throw malformed }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(count)
        }
        guard length <= rest.count else { throw malformed }
        defer { rest = rest.dropFirst(length) }
        return Array(rest.prefix(length))
    }

    private var malformed: SSHError { SSHError(.protocolFailure, "malformed DER") }
}
