internal import IO

/// A private key's file: OpenSSH's own format, or PEM.
struct KeyFile: Sendable {
    private enum Content: Sendable {
        case openSSH(KeyContainer)
        /// `isEncrypted` by what its header says.
        case pem(String, isEncrypted: Bool)
        /// A `.pub` file: the key itself is in the agent.
        case publicOnly
    }

    let path: String
    private let content: Content
    /// The public part, where it can be had without the passphrase.
    let publicKey: HostKey?

    /// - Throws: ``SSHError`` with code `keyUnusable` and the reason; ``IOError`` when it cannot be read.
    init(path: String) throws {
        self.path = path
        let bytes = try readFile(path)
        let text = String(decoding: bytes, as: UTF8.self)
        // ssh-keygen writes it beside every key; older ones are the only place to find a PEM key's public part.
        let beside = (try? readFile(path + ".pub")).flatMap { HostKey(line: String(decoding: $0, as: UTF8.self)) }
        if let key = HostKey(line: text) {
            content = .publicOnly
            publicKey = key
        } else if let container = try KeyContainer(pem: text) {
            content = .openSSH(container)
            publicKey = container.publicKey
        } else if text.contains("-----BEGIN "), text.contains("PRIVATE KEY-----") {
            let isEncrypted = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
            content = .pem(text, isEncrypted: isEncrypted)
            publicKey = try isEncrypted ? beside : LibraryKey(text: text, passphrase: "").publicKey
        } else if text.hasPrefix("PuTTY-User-Key-File") {
            throw SSHError(
                .keyUnusable, "it is in PuTTY's format; convert it: puttygen \(path) -O private-openssh -o NEW_FILE")
        } else {
            throw SSHError(.keyUnusable, "it is no private key that ssh knows")
        }
        if let type = publicKey?.type, !HostKey.usableTypes.contains(type) {
            throw SSHError.unsupported(keyType: type)
        }
    }

    var isEncrypted: Bool {
        switch content {
        case .openSSH(let container): container.isEncrypted
        case .pem(_, let isEncrypted): isEncrypted
        case .publicOnly: false
        }
    }

    /// Whether a certificate lies beside it, where ssh would find it.
    var hasCertificate: Bool { fileExists(path + "-cert.pub") }

    /// Whether it holds no private part.
    var isPublicOnly: Bool { if case .publicOnly = content { true } else { false } }

    /// The private key; nil when the passphrase is wrong.
    ///
    /// - Parameter passphrase: Nil when the file is not encrypted.
    func unlock(passphrase: String?) throws -> LibraryKey? {
        switch content {
        case .openSSH(let container): return try container.unlock(passphrase: passphrase)
        case .pem(let text, _):
            do { return try LibraryKey(text: text, passphrase: passphrase ?? "") } catch  where passphrase != nil {
                return nil
            }
        case .publicOnly: throw SSHError(.keyUnusable, "\(path) holds a public key only")
        }
    }
}

extension SSHError {
    /// Why keys of a type cannot be used, and what to do instead.
    static func unsupported(keyType type: String) -> SSHError {
        var error = SSHError(
            .keyUnusable, "keys of type \(type) are not supported; make one: ssh-keygen -t ed25519")
        if type.hasPrefix("sk-") {
            error.message = "it is on a security key (\(type)), which only your own ssh can ask"
            error.isLimitOfLibrary = true
        } else if type.hasSuffix("-cert-v01@openssh.com") {
            error.message = "it is a certificate (\(type)), which only your own ssh can present"
            error.isLimitOfLibrary = true
        }
        return error
    }
}
