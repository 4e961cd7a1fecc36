internal import CCrypto

func sha256(_ bytes: [UInt8]) -> [UInt8] {
    digest(EVP_sha256(), [bytes])
}

func sha512(_ parts: [UInt8]...) -> [UInt8] {
    digest(EVP_sha512(), parts)
}

private func digest(_ algorithm: OpaquePointer?, _ parts: [[UInt8]]) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    var isDone = EVP_DigestInit_ex(context, algorithm, nil) == 1
    for part in parts { isDone = isDone && EVP_DigestUpdate(context, part, part.count) == 1 }
    isDone = isDone && EVP_DigestFinal_ex(context, &result, &count) == 1
    precondition(isDone, "libcrypto cannot compute a digest")
    return Array(result.prefix(Int(count)))
}

/// What hashed names in known_hosts files are made with.
func hmacSHA1(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    let isDone = HMAC(EVP_sha1(), key, CInt(key.count), message, message.count, &result, &count) != nil
    precondition(isDone, "libcrypto cannot compute a digest")
    return Array(result.prefix(Int(count)))
}

func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let isDone = RAND_bytes(&bytes, CInt(count)) == 1
    precondition(isDone, "libcrypto has no random numbers")
    return bytes
}

/// libcrypto's words for what failed last on this thread.
func cryptoFailure() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0, let reason = ERR_reason_error_string(code) else { return "libcrypto gave no reason" }
    return String(cString: reason)
}
