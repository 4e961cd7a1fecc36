internal import CCrypto

/// AES in counter mode, quick in small steps: a provider for libcrypto (see provider(7)), for all of this process.
///
/// libssh2 has each block of 16 bytes encrypted by a call of its own, and what libcrypto does around a block takes several times
/// as long as the block: most of the time of a transfer. In counter mode a message is combined with a stream that depends on
/// nothing but the key and how far it has got. So libcrypto's own cipher makes that stream some kilobytes ahead, and a call
/// only combines the two.
enum CounterMode {
    /// Has libcrypto prefer it, when first read; that must be before the first session. False where libcrypto does not take it, or
    /// must use nothing but what is certified (FIPS): then its own is used.
    static let isInstalled: Bool = {
        guard EVP_default_properties_is_fips_enabled(nil) == 0,
            OSSL_PROVIDER_add_builtin(nil, name, startProvider) == 1,
            // Once one is loaded by name, this one is not loaded by itself any more.
            OSSL_PROVIDER_load(nil, "default") != nil, OSSL_PROVIDER_load(nil, name) != nil
        else { return false }
        // The question mark: a preference, and no condition.
        return EVP_set_default_properties(nil, "?provider=\(name)") == 1
    }()

    private static let name = "cluster-tools"

    // MARK: The tables that libcrypto reads

    // The tables are nonisolated(unsafe) because they are pointers: each is filled here, once, and only read from then on. They are
    // never released: libcrypto reads them as long as the process lives.

    fileprivate nonisolated(unsafe) static let functions = permanent([
        OSSL_DISPATCH(OSSL_FUNC_PROVIDER_QUERY_OPERATION, unsafeBitCast(queryProvider as Query, to: Function.self)),
        OSSL_DISPATCH(),
    ])

    // One function for each size: they capture nothing.
    fileprivate nonisolated(unsafe) static let ciphers = permanent([
        cipher("AES-128-CTR", { _ in KeyStream.make("AES-128-CTR") }, { describe($0, keyLength: 16) }),
        cipher("AES-192-CTR", { _ in KeyStream.make("AES-192-CTR") }, { describe($0, keyLength: 24) }),
        cipher("AES-256-CTR", { _ in KeyStream.make("AES-256-CTR") }, { describe($0, keyLength: 32) }),
        OSSL_ALGORITHM(),
    ])

    private static func cipher(_ name: String, _ open: Open, _ describe: Describe) -> OSSL_ALGORITHM {
        let begin = unsafeBitCast(begin as Begin, to: Function.self)
        let combine = unsafeBitCast(combine as Combine, to: Function.self)
        let functions = permanent([
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_NEWCTX, unsafeBitCast(open, to: Function.self)),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_FREECTX, unsafeBitCast(close as Close, to: Function.self)),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_GET_PARAMS, unsafeBitCast(describe, to: Function.self)),
            OSSL_DISPATCH(
                OSSL_FUNC_CIPHER_GET_CTX_PARAMS, unsafeBitCast(describeOpen as DescribeOpen, to: Function.self)),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_SET_CTX_PARAMS, unsafeBitCast(adjust as Adjust, to: Function.self)),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_ENCRYPT_INIT, begin),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_DECRYPT_INIT, begin),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_UPDATE, combine),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_CIPHER, combine),
            OSSL_DISPATCH(OSSL_FUNC_CIPHER_FINAL, unsafeBitCast(end as End, to: Function.self)),
            OSSL_DISPATCH(),
        ])
        return OSSL_ALGORITHM(
            algorithm_names: permanent(name.utf8CString),
            property_definition: permanent("provider=\(CounterMode.name)".utf8CString), implementation: functions,
            algorithm_description: nil)
    }

    private static func permanent<Element>(_ elements: some Collection<Element>) -> UnsafeMutablePointer<Element> {
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        _ = UnsafeMutableBufferPointer(start: pointer, count: elements.count).initialize(fromContentsOf: elements)
        return pointer
    }
}

extension OSSL_DISPATCH {
    fileprivate init(_ id: CInt, _ function: @escaping @convention(c) () -> Void) {
        self.init(function_id: id, function: function)
    }
}

// MARK: What libcrypto calls

// C's functions: they are members of nothing, and capture nothing.

private typealias Raw = UnsafeMutableRawPointer
private typealias Parameters = UnsafeMutablePointer<OSSL_PARAM>

private typealias Function = @convention(c) () -> Void
private typealias Query = @convention(c) (Raw?, CInt, UnsafeMutablePointer<CInt>?) -> UnsafePointer<OSSL_ALGORITHM>?
private typealias Open = @convention(c) (Raw?) -> Raw?
private typealias Close = @convention(c) (Raw?) -> Void
private typealias Describe = @convention(c) (Parameters?) -> CInt
private typealias DescribeOpen = @convention(c) (Raw?, Parameters?) -> CInt
private typealias Adjust = @convention(c) (Raw?, UnsafePointer<OSSL_PARAM>?) -> CInt
private typealias Begin =
    @convention(c) (
        Raw?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int, UnsafePointer<OSSL_PARAM>?
    ) -> CInt
private typealias Combine =
    @convention(c) (
        Raw?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, Int, UnsafePointer<UInt8>?, Int
    ) -> CInt
private typealias End =
    @convention(c) (
        Raw?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, Int
    ) -> CInt

private func startProvider(
    _: OpaquePointer?, _: UnsafePointer<OSSL_DISPATCH>?,
    functions: UnsafeMutablePointer<UnsafePointer<OSSL_DISPATCH>?>?,
    context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> CInt {
    functions?.pointee = UnsafePointer(CounterMode.functions)
    context?.pointee = nil
    return 1
}

private func queryProvider(
    _: Raw?, operation: CInt, mustNotBeKept: UnsafeMutablePointer<CInt>?
) -> UnsafePointer<OSSL_ALGORITHM>? {
    mustNotBeKept?.pointee = 0
    return operation == OSSL_OP_CIPHER ? UnsafePointer(CounterMode.ciphers) : nil
}

private func close(_ context: Raw?) { KeyStream.destroy(context) }

private func describeOpen(_ context: Raw?, _ wanted: Parameters?) -> CInt {
    guard let stream = KeyStream.at(context) else { return 0 }
    return describe(wanted, keyLength: stream.pointee.keyLength)
}

private func describe(_ wanted: Parameters?, keyLength: Int) -> CInt {
    let sizes = [
        (OSSL_CIPHER_PARAM_KEYLEN, keyLength), (OSSL_CIPHER_PARAM_IVLEN, KeyStream.blockSize),
        (OSSL_CIPHER_PARAM_BLOCK_SIZE, 1),
    ]
    for (name, size) in sizes {
        if let parameter = OSSL_PARAM_locate(wanted, name), OSSL_PARAM_set_size_t(parameter, size) != 1 { return 0 }
    }
    guard let mode = OSSL_PARAM_locate(wanted, OSSL_CIPHER_PARAM_MODE) else { return 1 }
    return OSSL_PARAM_set_uint(mode, UInt32(EVP_CIPH_CTR_MODE))
}

/// There is nothing to adjust. Callers turn off padding, which a stream has none of.
private func adjust(_: Raw?, _: UnsafePointer<OSSL_PARAM>?) -> CInt { 1 }

/// To encrypt and to decrypt are the same.
private func begin(
    _ context: Raw?, key: UnsafePointer<UInt8>?, keyLength: Int, start: UnsafePointer<UInt8>?, startLength: Int,
    _: UnsafePointer<OSSL_PARAM>?
) -> CInt {
    guard let stream = KeyStream.at(context), key == nil || keyLength == stream.pointee.keyLength,
        start == nil || startLength == KeyStream.blockSize
    else { return 0 }
    return stream.pointee.begin(key: key, start: start) ? 1 : 0
}

private func combine(
    _ context: Raw?, output: UnsafeMutablePointer<UInt8>?, outputCount: UnsafeMutablePointer<Int>?, capacity: Int,
    input: UnsafePointer<UInt8>?, count: Int
) -> CInt {
    outputCount?.pointee = 0
    guard count > 0 else { return 1 }
    guard let stream = KeyStream.at(context), let output, let input, capacity >= count,
        stream.pointee.combine(input, into: output, count)
    else { return 0 }
    outputCount?.pointee = count
    return 1
}

private func end(
    _: Raw?, _: UnsafeMutablePointer<UInt8>?, outputCount: UnsafeMutablePointer<Int>?, _: Int
) -> CInt {
    outputCount?.pointee = 0
    return 1
}

/// What one direction of a session is combined with, in memory that libcrypto holds the address of.
///
/// A structure behind a pointer, and no class: counting references would take longer than a block.
private struct KeyStream {
    static let blockSize = 16
    /// Bytes made at a time.
    private static let size = 4096

    let keyLength: Int
    private let cipher: OpaquePointer
    private let bytes: UnsafeMutablePointer<UInt8>
    private var used = KeyStream.size

    // MARK: Memory

    static func make(_ name: String) -> UnsafeMutableRawPointer? {
        guard let algorithm = EVP_CIPHER_fetch(nil, name, "provider=default") else { return nil }
        defer { EVP_CIPHER_free(algorithm) }
        guard let cipher = EVP_CIPHER_CTX_new() else { return nil }
        guard EVP_EncryptInit_ex2(cipher, algorithm, nil, nil, nil) == 1 else {
            EVP_CIPHER_CTX_free(cipher)
            return nil
        }
        let stream = UnsafeMutablePointer<KeyStream>.allocate(capacity: 1)
        stream.initialize(
            to: KeyStream(
                keyLength: Int(EVP_CIPHER_get_key_length(algorithm)), cipher: cipher, bytes: .allocate(capacity: size)))
        return UnsafeMutableRawPointer(stream)
    }

    @inline(__always)
    static func at(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<KeyStream>? {
        context?.assumingMemoryBound(to: KeyStream.self)
    }

    static func destroy(_ context: UnsafeMutableRawPointer?) {
        guard let stream = at(context) else { return }
        EVP_CIPHER_CTX_free(stream.pointee.cipher)
        // It would decrypt what somebody has recorded.
        OPENSSL_cleanse(stream.pointee.bytes, size)
        stream.pointee.bytes.deallocate()
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    // MARK: The stream

    /// Starts it anew. What is not given stays.
    mutating func begin(key: UnsafePointer<UInt8>?, start: UnsafePointer<UInt8>?) -> Bool {
        if key != nil || start != nil { used = KeyStream.size }
        return EVP_EncryptInit_ex2(cipher, nil, key, start, nil) == 1
    }

    /// Combines `count` bytes with the next ones of the stream. Both places may be the same.
    @inline(__always)
    mutating func combine(_ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>, _ count: Int) -> Bool
    {
        if count == KeyStream.blockSize, used <= KeyStream.size - KeyStream.blockSize {
            typealias Block = SIMD16<UInt8>
            let block = UnsafeRawPointer(input).loadUnaligned(as: Block.self)
            let key = UnsafeRawPointer(bytes + used).loadUnaligned(as: Block.self)
            UnsafeMutableRawPointer(output).storeBytes(of: block ^ key, as: Block.self)
            used += count
            return true
        }
        return combineAny(input, into: output, count)
    }

    @inline(never)
    private mutating func combineAny(
        _ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>, _ count: Int
    ) -> Bool {
        var done = 0
        while done < count {
            if used == KeyStream.size, !refill() { return false }
            let part = min(count - done, KeyStream.size - used)
            for index in 0..<part { output[done + index] = input[done + index] ^ bytes[used + index] }
            done += part
            used += part
        }
        return true
    }

    private mutating func refill() -> Bool {
        var made: CInt = 0
        // Of zeros combined with the stream, the stream is what is left.
        bytes.update(repeating: 0, count: KeyStream.size)
        guard EVP_EncryptUpdate(cipher, bytes, &made, bytes, CInt(KeyStream.size)) == 1, made == KeyStream.size else {
            return false
        }
        used = 0
        return true
    }
}
