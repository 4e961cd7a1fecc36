internal import CCrypto

/// A private key.
final class SigningKey {
    let publicKey: HostKey
    private let key: OpaquePointer

    /// Takes over a key of libcrypto's.
    init(_ key: OpaquePointer) throws {
        self.key = key
        publicKey = try SigningKey.publicKey(of: key)
    }

    deinit { EVP_PKEY_free(key) }

    /// Hands it on as text, unencrypted (PKCS #8), which is wiped from memory afterwards.
    func withPEM<R>(_ body: (UnsafePointer<CChar>) -> R) throws -> R {
        guard let text = BIO_new(BIO_s_secmem()) else {
            throw SSHError(.keyUnusable, "libcrypto: \(cryptoFailure())")
        }
        defer { BIO_free(text) }
        var start: UnsafeMutablePointer<CChar>?
        guard PEM_write_bio_PrivateKey(text, key, nil, nil, 0, nil, nil) == 1, BIO_write(text, "", 1) == 1,
            BIO_ctrl(text, BIO_CTRL_INFO, 0, &start) > 0, let start
        else { throw SSHError(.keyUnusable, "the key cannot be used: \(cryptoFailure())") }
        return body(start)
    }

    private static func publicKey(of key: OpaquePointer) throws -> HostKey {
        var writer = PacketWriter()
        let type: String
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_ED25519:
            type = "ssh-ed25519"
            var raw = [UInt8](repeating: 0, count: 32)
            var count = raw.count
            guard EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1 else { throw noPublicPart() }
            writer.string(type)
            writer.string(raw)
        case EVP_PKEY_EC:
            let curve = "nistp\(EVP_PKEY_get_bits(key))"
            type = "ecdsa-sha2-\(curve)"
            writer.string(type)
            writer.string(curve)
            writer.string(try encodedPublicPart(of: key))
        case EVP_PKEY_RSA:
            type = "ssh-rsa"
            var reader = DERReader(try encodedPublicPart(of: key))
            var numbers = try reader.sequence()
            let modulus = try numbers.integer()
            writer.string(type)
            writer.mpint(try numbers.integer())
            writer.mpint(modulus)
        default:
            throw SSHError(.keyUnusable, "it is neither an Ed25519, nor an ECDSA, nor an RSA key")
        }
        return HostKey(type: type, blob: writer.bytes)
    }

    /// PKCS #1 for RSA, a point for ECDSA.
    private static func encodedPublicPart(of key: OpaquePointer) throws -> [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = i2d_PublicKey(key, &start)
        guard count > 0, let start else { throw noPublicPart() }
        defer { CRYPTO_free(start, #file, CInt(#line)) }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(count)))
    }

    private static func noPublicPart() -> SSHError {
        SSHError(.keyUnusable, "the key has no public part: \(cryptoFailure())")
    }
}

extension SigningKey {
    /// From the numbers of an RSA key, each with the highest byte first.
    static func rsa(
        n: [UInt8], e: [UInt8], d: [UInt8], inverse: [UInt8], p: [UInt8], q: [UInt8]
    ) throws -> SigningKey {
        var numbers = DERWriter()
        for number in [[0], n, e, d, p, q, remainder(d, byOneLessThan: p), remainder(d, byOneLessThan: q), inverse] {
            numbers.integer(number)
        }
        return try decode(EVP_PKEY_RSA, numbers.sequence)
    }

    /// From the secret number and the public point of an ECDSA key.
    static func ecdsa(curve: String, secret: [UInt8], point: [UInt8]) throws -> SigningKey {
        let identifiers: [String: [UInt8]] = [
            "nistp256": [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            "nistp384": [0x2b, 0x81, 0x04, 0x00, 0x22],
            "nistp521": [0x2b, 0x81, 0x04, 0x00, 0x23],
        ]
        guard let identifier = identifiers[curve] else { throw SSHError(.keyUnusable, "its curve is \(curve)") }
        var curveIdentifier = DERWriter()
        curveIdentifier.value(0x06, identifier)
        var publicPoint = DERWriter()
        publicPoint.value(0x03, [0] + point)
        var fields = DERWriter()
        fields.integer([1])
        fields.value(0x04, secret)
        fields.value(0xa0, curveIdentifier.bytes)
        fields.value(0xa1, publicPoint.bytes)
        return try decode(EVP_PKEY_EC, fields.sequence)
    }

    static func ed25519(secret: [UInt8]) throws -> SigningKey {
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, secret, secret.count) else {
            throw SSHError(.keyUnusable, "it is no Ed25519 key: \(cryptoFailure())")
        }
        return try SigningKey(key)
    }

    private static func decode(_ type: CInt, _ encoded: [UInt8]) throws -> SigningKey {
        let key = encoded.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_PrivateKey(type, nil, &start, buffer.count)
        }
        guard let key else { throw SSHError(.keyUnusable, "its numbers make no key: \(cryptoFailure())") }
        return try SigningKey(key)
    }

    /// `a` modulo `b` − 1.
    private static func remainder(_ a: [UInt8], byOneLessThan b: [UInt8]) -> [UInt8] {
        let context = BN_CTX_new()
        let divisor = BN_bin2bn(b, CInt(b.count), nil)
        let number = BN_bin2bn(a, CInt(a.count), nil)
        let result = BN_new()
        defer {
            BN_CTX_free(context)
            for number in [divisor, number, result] { BN_clear_free(number) }
        }
        BN_sub_word(divisor, 1)
        BN_div(nil, result, number, divisor, context)
        var bytes = [UInt8](repeating: 0, count: b.count)
        BN_bn2binpad(result, &bytes, CInt(bytes.count))
        return bytes
    }
}
