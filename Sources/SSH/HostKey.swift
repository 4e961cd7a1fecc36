/// A public key: a host's, or a user's.
public struct HostKey: Sendable, Hashable {
    /// Such as `ssh-ed25519`, `ecdsa-sha2-nistp256` or `ssh-rsa`.
    public var type: String
    /// The key in ssh's encoding, which begins with its type.
    public var blob: [UInt8]

    /// The types of keys that a user can log in with here.
    static let usableTypes: Set = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    ]

    public init(type: String, blob: [UInt8]) {
        self.type = type
        self.blob = blob
    }

    /// From its encoding. Nil when that does not begin with a type.
    init?(blob: [UInt8]) {
        var reader = PacketReader(blob)
        guard let type = try? reader.text(), !type.isEmpty else { return nil }
        self.init(type: type, blob: blob)
    }

    /// From a line such as `ssh-ed25519 AAAA… comment`, as in a `.pub` file. Nil when it is none.
    public init?(line: String) {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count >= 2, let blob = Base64.decode(fields[1].utf8), let key = HostKey(blob: blob),
            key.type == fields[0]
        else { return nil }
        self = key
    }

    /// As in a `.pub` file, without a comment.
    public var line: String { "\(type) \(Base64.encode(blob))" }

    /// Such as `SHA256:uNiVztksCsDhcc0u9e8BrYUSICRXi7w5BJRZNzQ9HA0`.
    public var fingerprint: String { "SHA256:" + Base64.encode(sha256(blob), padded: false) }
}
