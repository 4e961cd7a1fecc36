internal import CGit2

/// The SHA-1 name of an object, as a value.
struct ObjectID: Sendable, Hashable, CustomStringConvertible {
    // Five words and not an array: a snapshot has one for each of a hundred thousand files.
    private let words: (UInt32, UInt32, UInt32, UInt32, UInt32)

    init(_ id: git_oid) { self = withUnsafeBytes(of: id) { ObjectID(bytes: $0) } }

    /// From the twenty bytes of a digest.
    init(_ digest: [UInt8]) { self = digest.withUnsafeBytes { ObjectID(bytes: $0) } }

    private init(bytes: UnsafeRawBufferPointer) {
        words =
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self),
                bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
                bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
            )
    }

    /// The same, as libgit2 wants it.
    var raw: git_oid {
        withUnsafeBytes(of: words) { words in
            var id = git_oid()
            withUnsafeMutableBytes(of: &id) {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: words.prefix($0.count)))
            }
            return id
        }
    }

    /// Forty hexadecimal digits.
    var hex: String { withUnsafeBytes(of: words) { hexadecimal($0) } }

    var description: String { hex }

    static func == (left: ObjectID, right: ObjectID) -> Bool { left.words == right.words }

    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

/// Two lower-case digits for each byte.
func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
    func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
    return String(unsafeUninitializedCapacity: bytes.count * 2) { text in
        var count = 0
        for byte in bytes {
            text[count] = digit(byte >> 4)
            text[count + 1] = digit(byte & 15)
            count += 2
        }
        return count
    }
}
