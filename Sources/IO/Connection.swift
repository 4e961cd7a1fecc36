#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// An address of a host, as the resolver gave it.
struct SocketAddress: Sendable {
    var family: CInt
    var bytes: [UInt8]

    /// Of a socket in the file system.
    ///
    /// - Throws: ``IOError`` with the given code when the path is too long for one: 103 bytes, or 107 on Linux.
    static func path(_ path: String, code: IOError.Code) throws -> SocketAddress {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else {
            throw IOError(code, "the socket's path is longer than \(capacity - 1) bytes: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafeBytes(of: &address) { SocketAddress(family: AF_UNIX, bytes: [UInt8]($0)) }
    }

    func with<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
        bytes.withUnsafeBytes { raw in
            raw.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) }
        }
    }
}

/// Connects to a host over TCP and hands the connection to `body`; closes it afterwards.
///
/// The name is resolved and every address tried in the resolver's order, all within `timeout`. A failure to connect is
/// an ``IOError`` with code `hostNotFound`, `connectFailed` or `timedOut`; what `body` throws passes through.
public func withConnection<R>(
    toHost host: String, port: UInt16, timeout: Duration, loop: PollLoop,
    _ body: (any ByteStream) async throws -> R
) async throws -> R {
    let connection = try await connect(toHost: host, port: port, timeout: timeout, loop: loop)
    do {
        let result = try await body(connection)
        await connection.close()
        return result
    } catch {
        await connection.close()
        throw error
    }
}

private func connect(toHost host: String, port: UInt16, timeout: Duration, loop: PollLoop) async throws -> Descriptor {
    let clock = ContinuousClock()
    let deadline = clock.now + timeout
    let timedOut = IOError(
        .timedOut, "connecting to \(host) port \(port): no answer within \(timeout.components.seconds) s")
    let addresses = try await withTimeout(timeout, or: timedOut) {
        try await onThread { try resolve(host, port: port) }
    }
    var failure = timedOut
    for (index, address) in addresses.enumerated() {
        // A silent address must leave time for the next: the rest is shared out evenly.
        let share = (deadline - clock.now) / (addresses.count - index)
        guard share > .zero else { break }
        do {
            return try await withTimeout(share, or: timedOut) {
                try await connect(to: address, host: host, port: port, loop: loop)
            }
        } catch let error as IOError {
            failure = error
        }
    }
    throw failure
}

private func resolve(_ host: String, port: UInt16) throws -> [SocketAddress] {
    var hints = addrinfo()
    #if canImport(Darwin)
        hints.ai_socktype = SOCK_STREAM
    #else
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    #endif
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &list)
    guard status == 0 else {
        let reason = status == EAI_SYSTEM ? IOError.describe(errno) : String(cString: gai_strerror(status))
        throw IOError(.hostNotFound, "the address of \"\(host)\" could not be found: \(reason)")
    }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next?.pointee {
        if let address = entry.ai_addr {
            let bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
            addresses.append(SocketAddress(family: entry.ai_family, bytes: bytes))
        }
        next = entry.ai_next
    }
    return addresses
}

private func connect(
    to address: SocketAddress, host: String, port: UInt16, loop: PollLoop
) async throws -> Descriptor {
    let fd = try makeSocket(family: address.family)
    // From here on the descriptor closes it.
    let connection = try Descriptor(socket: fd, loop: loop)
    // Interactive: a keystroke or a window adjustment must not wait for more bytes.
    setOption(fd, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    // What cannot leave yet waits here, where everybody has a turn, and not behind megabytes of an upload in the kernel.
    setOption(fd, CInt(IPPROTO_TCP), TCP_NOTSENT_LOWAT, 1 << 17)
    let doing = "connecting to \(host) port \(port)"
    let status = address.with { system.connect(fd, $0, $1) } ?? -1
    if status == 0 { return connection }
    guard errno == EINPROGRESS || errno == EINTR else { throw IOError.last(doing, code: .connectFailed) }
    try await loop.writable(fd)
    var failure: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 else {
        throw IOError.last(doing, code: .connectFailed)
    }
    guard failure == 0 else { throw IOError.of(failure, doing, code: .connectFailed) }
    return connection
}

/// Connects to a socket in the file system, such as an ssh-agent's, and hands the connection to `body`.
public func withConnection<R>(
    toSocketAt path: String, loop: PollLoop, _ body: (Descriptor) async throws -> R
) async throws -> R {
    let socketAddress = try SocketAddress.path(path, code: .connectFailed)
    let fd = try makeSocket(family: AF_UNIX)
    let connection = try Descriptor(socket: fd, loop: loop)
    let status = socketAddress.with { system.connect(fd, $0, $1) } ?? -1
    guard status == 0 else { throw IOError.last("connecting to \(path)", code: .connectFailed) }
    do {
        let result = try await body(connection)
        await connection.close()
        return result
    } catch {
        await connection.close()
        throw error
    }
}

/// The C function that shares its name with one here.
private enum system {
    static func connect(_ fd: CInt, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> CInt {
        #if canImport(Darwin)
            Darwin.connect(fd, address, length)
        #else
            Glibc.connect(fd, address, length)
        #endif
    }
}
