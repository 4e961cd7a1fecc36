import CCrypto
import Testing

@testable import SSH

/// The cipher that libssh2 gets from libcrypto, against libcrypto's own.
@Suite(.timeLimit(.minutes(1)))
struct CounterModeTests {
    @Test(
        "gives the same bytes as libcrypto's own, in pieces of any size, for every key size",
        arguments: [128, 192, 256])
    func sameBytes(bits: Int) throws {
        #expect(CounterMode.isInstalled)
        let key = randomBytes(bits / 8)
        // The counter overflows into its upper half at once.
        let start = randomBytes(8) + [UInt8](repeating: 0xff, count: 8)
        let message = randomBytes(100_000)
        let expected = try encrypt(message, bits, "provider=default", key, start, pieces: [message.count])
        for pieces in [[16], [1, 15, 16, 33], [4096], [5000, 3]] {
            let ours = try encrypt(message, bits, nil, key, start, pieces: pieces)
            #expect(ours == expected, "in pieces of \(pieces)")
            #expect(try encrypt(ours, bits, nil, key, start, pieces: pieces.reversed()) == message)
        }
    }

    @Test("is what libcrypto takes for a counter-mode cipher that is asked for without a word about providers")
    func preferred() throws {
        #expect(CounterMode.isInstalled)
        let cipher = try #require(EVP_CIPHER_fetch(nil, "AES-128-CTR", nil))
        defer { EVP_CIPHER_free(cipher) }
        let provider = EVP_CIPHER_get0_provider(cipher).flatMap { OSSL_PROVIDER_get0_name($0) }
        #expect(provider.map { String(cString: $0) } == "cluster-tools")
        // Everything else stays libcrypto's.
        let other = try #require(EVP_CIPHER_fetch(nil, "AES-128-GCM", nil))
        defer { EVP_CIPHER_free(other) }
        let others = EVP_CIPHER_get0_provider(other).flatMap { OSSL_PROVIDER_get0_name($0) }
        #expect(others.map { String(cString: $0) } == "default")
    }

    @Test("starts anew with another key")
    func startsAnew() throws {
        let (first, second) = (randomBytes(16), randomBytes(16))
        let start = randomBytes(16)
        let cipher = try #require(EVP_CIPHER_CTX_new())
        defer { EVP_CIPHER_CTX_free(cipher) }
        var bytes = [UInt8](repeating: 0, count: 100)
        #expect(EVP_CipherInit(cipher, EVP_aes_128_ctr(), first, start, 1) == 1)
        #expect(EVP_Cipher(cipher, &bytes, bytes, 100) == 100)
        bytes = [UInt8](repeating: 0, count: 100)
        #expect(EVP_CipherInit(cipher, nil, second, start, 1) == 1)
        #expect(EVP_Cipher(cipher, &bytes, bytes, 100) == 100)
        let zeros = [UInt8](repeating: 0, count: 100)
        #expect(try bytes == encrypt(zeros, 128, "provider=default", second, start, pieces: [100]))
    }

    /// - Parameter pieces: the sizes of the calls, again and again.
    private func encrypt(
        _ message: [UInt8], _ bits: Int, _ properties: String?, _ key: [UInt8], _ start: [UInt8], pieces: [Int]
    ) throws -> [UInt8] {
        let algorithm = try #require(EVP_CIPHER_fetch(nil, "AES-\(bits)-CTR", properties))
        defer { EVP_CIPHER_free(algorithm) }
        let cipher = try #require(EVP_CIPHER_CTX_new())
        defer { EVP_CIPHER_CTX_free(cipher) }
        try #require(EVP_EncryptInit_ex2(cipher, algorithm, key, start, nil) == 1)
        var result: [UInt8] = []
        var turn = 0
        while result.count < message.count {
            let part = Array(message[result.count..<min(result.count + pieces[turn % pieces.count], message.count)])
            var output = [UInt8](repeating: 0, count: part.count)
            try #require(EVP_Cipher(cipher, &output, part, UInt32(part.count)) == part.count)
            result += output
            turn += 1
        }
        return result
    }
}
