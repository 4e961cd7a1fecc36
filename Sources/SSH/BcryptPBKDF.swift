internal import CCrypto

/// The key derivation of encrypted OpenSSH private keys: bcrypt_pbkdf, as OpenBSD's bcrypt_pbkdf(3) defines it.
///
/// libcrypto has the cipher it is made of, Blowfish; libssh has all of it, but keeps it to itself.
///
/// - Parameters:
///   - rounds: How often to hash: what makes it slow for whoever guesses.
///   - count: How many bytes of key to derive.
func bcryptPBKDF(passphrase: [UInt8], salt: [UInt8], rounds: Int, count: Int) -> [UInt8] {
    let hashedPassphrase = sha512(passphrase)
    let initial = initialBlowfishState()
    let blocks = (count + 31) / 32
    var key = [UInt8](repeating: 0, count: count)
    for block in 0..<blocks {
        let number = withUnsafeBytes(of: UInt32(block + 1).bigEndian) { Array($0) }
        var last = bcryptHash(hashedPassphrase, sha512(salt, number), initial)
        var sum = last
        for _ in 1..<max(rounds, 1) {
            last = bcryptHash(hashedPassphrase, sha512(last), initial)
            for index in sum.indices { sum[index] ^= last[index] }
        }
        // The blocks' bytes are interleaved, so that no part of the key can be had without all of the work.
        for (index, byte) in sum.enumerated() where index * blocks + block < count {
            key[index * blocks + block] = byte
        }
    }
    return key
}

private func bcryptHash(_ passphrase: [UInt8], _ salt: [UInt8], _ initial: BF_KEY) -> [UInt8] {
    var state = initial
    let key = words(passphrase)
    let salt = words(salt)
    expand(&state, key: key, data: salt)
    for _ in 0..<64 {
        expand(&state, key: salt, data: nil)
        expand(&state, key: key, data: nil)
    }
    var text = words(Array("OxychromaticBlowfishSwatDynamite".utf8))
    for start in stride(from: 0, to: text.count, by: 2) {
        for _ in 0..<64 {
            text[start...].withUnsafeMutableBufferPointer { BF_encrypt($0.baseAddress, &state) }
        }
    }
    // Each word with its lowest byte first.
    return text.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
}

/// Mixes a key, and data where there is some, into the state: bcrypt's "expensive key schedule".
private func expand(_ state: inout BF_KEY, key: [UInt32], data: [UInt32]?) {
    withUnsafeMutableBytes(of: &state) { raw in
        // 18 words of subkeys, and 4 boxes of 256 words after them.
        let words = raw.assumingMemoryBound(to: UInt32.self)
        guard let start = words.baseAddress, let cipher = raw.assumingMemoryBound(to: BF_KEY.self).baseAddress else {
            return
        }
        for index in 0..<18 { start[index] ^= key[index % key.count] }
        var left: UInt32 = 0
        var right: UInt32 = 0
        var next = 0
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2) { pair in
            for index in stride(from: 0, to: words.count, by: 2) {
                if let data {
                    left ^= data[next % data.count]
                    right ^= data[(next + 1) % data.count]
                    next += 2
                }
                pair[0] = left
                pair[1] = right
                BF_encrypt(pair.baseAddress, cipher)
                left = pair[0]
                right = pair[1]
                start[index] = left
                start[index + 1] = right
            }
        }
    }
}

/// The bytes as words, the highest byte first.
private func words(_ bytes: [UInt8]) -> [UInt32] {
    stride(from: 0, to: bytes.count, by: 4).map { bytes[$0..<$0 + 4].reduce(0) { $0 << 8 | UInt32($1) } }
}

/// Blowfish before any key: the first 33,344 bits of π after the point, which libcrypto has but does not show.
private func initialBlowfishState() -> BF_KEY {
    let bytes = fractionOfPi(bytes: MemoryLayout<BF_KEY>.size)
    var state = BF_KEY()
    withUnsafeMutableBytes(of: &state) { raw in
        for (index, word) in words(bytes).enumerated() {
            raw.storeBytes(of: word, toByteOffset: 4 * index, as: UInt32.self)
        }
    }
    return state
}

/// The first bytes of π after the point, by Machin's formula, π = 16 arctan 1/5 − 4 arctan 1/239.
private func fractionOfPi(bytes count: Int) -> [UInt8] {
    // The series' rounding errors stay far below these.
    let guardBytes = 8
    let bits = CInt(8 * (count + guardBytes))
    let pi = BN_new()
    let small = BN_new()
    defer {
        BN_free(pi)
        BN_free(small)
    }
    addArctangent(ofOneOver: 5, bits: bits, to: pi)
    addArctangent(ofOneOver: 239, bits: bits, to: small)
    BN_mul_word(pi, 16)
    BN_mul_word(small, 4)
    BN_sub(pi, pi, small)
    // Without the 3 before the point.
    BN_mask_bits(pi, bits)
    var digits = [UInt8](repeating: 0, count: count + guardBytes)
    BN_bn2binpad(pi, &digits, CInt(digits.count))
    return Array(digits.prefix(count))
}

/// Adds arctan(1/x) · 2^bits: 1/x − 1/3x³ + 1/5x⁵ − …
private func addArctangent(ofOneOver x: UInt, bits: CInt, to sum: OpaquePointer?) {
    let power = BN_new()
    let term = BN_new()
    defer {
        BN_free(power)
        BN_free(term)
    }
    BN_set_bit(power, bits)
    BN_div_word(power, x)
    var divisor: UInt = 1
    while BN_is_zero(power) == 0 {
        BN_copy(term, power)
        BN_div_word(term, divisor)
        if divisor % 4 == 1 { BN_add(sum, sum, term) } else { BN_sub(sum, sum, term) }
        BN_div_word(power, x * x)
        divisor += 2
    }
}
