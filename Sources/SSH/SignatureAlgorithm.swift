/// How a key signs.
enum SignatureAlgorithm: String, Sendable {
    case ed25519 = "ssh-ed25519"
    case ecdsa256 = "ecdsa-sha2-nistp256"
    case ecdsa384 = "ecdsa-sha2-nistp384"
    case ecdsa521 = "ecdsa-sha2-nistp521"
    /// RSA with SHA-2: servers of today refuse SHA-1.
    case rsaSHA256 = "rsa-sha2-256"

    /// Nil for types of keys that cannot be used here.
    init?(keyType: String) {
        if keyType == "ssh-rsa" { self = .rsaSHA256 } else { self.init(rawValue: keyType) }
    }

    /// What makes an agent sign by this algorithm instead of the one that is named like the key's type.
    var agentFlags: UInt32 { self == .rsaSHA256 ? 2 : 0 }

    /// The public key as libssh2 must get it. It takes the algorithm's name from the blob's first string, which is how
    /// version 1.10 is brought to RSA with SHA-2; servers know the key all the same.
    func blob(for key: HostKey) -> [UInt8] {
        guard self == .rsaSHA256 else { return key.blob }
        var writer = PacketWriter()
        writer.string(rawValue)
        return writer.bytes + key.blob.dropFirst(4 + key.type.utf8.count)
    }
}
