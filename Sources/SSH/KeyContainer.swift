internal import CCrypto

/// A private key in OpenSSH's own format ("BEGIN OPENSSH PRIVATE KEY"), as PROTOCOL.key in its sources describes it.
struct KeyContainer: Sendable {
    /// The public part, which is never encrypted.
    let publicKey: HostKey
    private let cipher: String
    private let derivation: String
    private let derivationOptions: [UInt8]
    private let secret: [UInt8]
    /// What an authenticating cipher appends.
    private let tag: [UInt8]

    private static let begin = "-----BEGIN OPENSSH PRIVATE KEY-----"
    private static let end = "-----END OPENSSH PRIVATE KEY-----"
    private static let magic = Array("openssh-key-v1\0".utf8)

    /// Nil when the text is something else. Throws when it is a broken container.
    init?(pem text: String) throws {
        guard let begin = text.firstRange(of: KeyContainer.begin) else { return nil }
        guard let end = text.firstRange(of: KeyContainer.end), begin.upperBound <= end.lowerBound,
            let bytes = Base64.decode(text[begin.upperBound..<end.lowerBound].utf8)
        else { throw SSHError(.keyUnusable, "it is damaged") }
        guard bytes.starts(with: KeyContainer.magic) else {
            throw SSHError(.keyUnusable, "it is of an unknown version")
        }
        var reader = PacketReader(Array(bytes.dropFirst(KeyContainer.magic.count)))
        cipher = try reader.text()
        derivation = try reader.text()
        derivationOptions = try reader.string()
        let count = try reader.uint32()
        guard count == 1, let key = HostKey(blob: try reader.string()) else {
            throw SSHError(.keyUnusable, "it holds \(count) keys instead of one")
        }
        publicKey = key
        secret = try reader.string()
        tag = reader.remaining
    }

    var isEncrypted: Bool { cipher != "none" }

    /// The private key; nil when the passphrase is wrong.
    func unlock(passphrase: String?) throws -> LibraryKey? {
        var plain = secret
        if isEncrypted {
            guard let passphrase, let decrypted = try decrypt(passphrase: passphrase) else { return nil }
            plain = decrypted
        }
        var reader = PacketReader(plain)
        // The same number twice, if the decryption was right.
        guard try reader.uint32() == reader.uint32() else { return nil }
        return try LibraryKey(text: unencrypted(plain), passphrase: "")
    }

    /// The same container without encryption, as text: libssh knows neither all ciphers, nor a wrong passphrase from damage.
    private func unencrypted(_ plain: [UInt8]) -> String {
        var writer = PacketWriter()
        for text in ["none", "none", ""] { writer.string(text) }
        writer.uint32(1)
        writer.string(publicKey.blob)
        writer.string(plain)
        return KeyContainer.begin + "\n" + Base64.encode(KeyContainer.magic + writer.bytes) + "\n" + KeyContainer.end
            + "\n"
    }

    /// Nil when an authenticating cipher says that the passphrase is wrong.
    private func decrypt(passphrase: String) throws -> [UInt8]? {
        guard let method = CipherMethod(cipher), derivation == "bcrypt" else {
            throw SSHError(
                .keyUnusable,
                "it is encrypted with \(cipher), which cannot be read here; add it to the ssh-agent, or encrypt it anew: "
                    + "ssh-keygen -p -Z aes256-ctr -f FILE")
        }
        var options = PacketReader(derivationOptions)
        let (salt, rounds) = (try options.string(), try options.uint32())
        let derived = bcryptPBKDF(
            passphrase: Array(passphrase.utf8), salt: salt, rounds: Int(rounds),
            count: method.keyLength + method.ivLength)
        return method.decrypt(
            secret, key: Array(derived.prefix(method.keyLength)), iv: Array(derived.dropFirst(method.keyLength)),
            tag: tag)
    }
}

/// A cipher that ssh-keygen encrypts keys with.
private struct CipherMethod {
    private let cipher: OpaquePointer
    private let isAuthenticated: Bool
    let keyLength: Int
    let ivLength: Int

    /// Nil for ciphers that libcrypto does not have in ssh's form.
    init?(_ name: String) {
        let cipher =
            switch name {
            case "aes256-ctr": EVP_aes_256_ctr()
            case "aes192-ctr": EVP_aes_192_ctr()
            case "aes128-ctr": EVP_aes_128_ctr()
            case "aes256-cbc": EVP_aes_256_cbc()
            case "aes192-cbc": EVP_aes_192_cbc()
            case "aes128-cbc": EVP_aes_128_cbc()
            case "aes256-gcm@openssh.com": EVP_aes_256_gcm()
            case "aes128-gcm@openssh.com": EVP_aes_128_gcm()
            default: OpaquePointer?.none
            }
        guard let cipher else { return nil }
        self.cipher = cipher
        isAuthenticated = name.contains("-gcm@")
        keyLength = Int(EVP_CIPHER_get_key_length(cipher))
        ivLength = Int(EVP_CIPHER_get_iv_length(cipher))
    }

    /// Nil when the tag does not fit.
    func decrypt(_ bytes: [UInt8], key: [UInt8], iv: [UInt8], tag: [UInt8]) -> [UInt8]? {
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        var tag = tag
        var plain = [UInt8](repeating: 0, count: bytes.count + 32)
        var count: CInt = 0
        var last: CInt = 0
        guard EVP_DecryptInit_ex(context, cipher, nil, key, iv) == 1,
            EVP_CIPHER_CTX_set_padding(context, 0) == 1,
            !isAuthenticated
                || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CInt(tag.count), &tag) == 1,
            EVP_DecryptUpdate(context, &plain, &count, bytes, CInt(bytes.count)) == 1,
            plain.withUnsafeMutableBufferPointer({ buffer in
                EVP_DecryptFinal_ex(context, buffer.baseAddress.map { $0 + Int(count) }, &last)
            }) == 1
        else { return nil }
        return Array(plain.prefix(Int(count + last)))
    }
}
