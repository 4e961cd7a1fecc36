internal import CCrypto

/// A digest of bytes that come in pieces, by libcrypto.
struct Digest: ~Copyable {
    enum Algorithm {
        /// What git names objects by.
        case sha1
        /// What git-lfs names files by.
        case sha256
    }

    private let context: OpaquePointer

    init(_ algorithm: Algorithm) throws(GitError) {
        let kind =
            switch algorithm {
            case .sha1: EVP_sha1()
            case .sha256: EVP_sha256()
            }
        guard let context = EVP_MD_CTX_new() else { throw Self.failure() }
        guard EVP_DigestInit_ex(context, kind, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw Self.failure()
        }
        self.context = context
    }

    /// For the name of a blob of `size` bytes, which are still to be added.
    static func ofBlob(size: Int) throws -> Digest {
        let digest = try Digest(.sha1)
        try Array("blob \(size)\0".utf8).withUnsafeBytes { try digest.update($0) }
        return digest
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) throws(GitError) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw Self.failure() }
    }

    /// The digest. Nothing can be added afterwards.
    func finish() throws(GitError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &digest, &length) == 1 else { throw Self.failure() }
        return Array(digest.prefix(Int(length)))
    }

    private static func failure() -> GitError { GitError(.library(0), "libcrypto cannot compute a digest.") }
}
