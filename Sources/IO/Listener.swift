#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A port on this machine's loopback addresses that takes connections. Nobody outside can reach it.
public final class Listener: Sendable {
    /// The port, the same for 127.0.0.1 and, where it could be had, ::1.
    public let port: UInt16
    private let loop: PollLoop
    private let sockets: [CInt]

    fileprivate init(preferredPort: UInt16?, loop: PollLoop) throws {
        self.loop = loop
        var first: CInt?
        if let preferredPort, preferredPort != 0 {
            first = try? listenOn(loopback4(port: preferredPort))  // Taken, most likely; any other port will do.
        }
        let ipv4 = try first ?? listenOn(loopback4(port: 0))
        do { port = try boundPort(of: ipv4) } catch {
            _ = close(ipv4)
            throw error
        }
        // "localhost" means ::1 to some browsers first. No IPv6, or the port taken there: then they fall back to IPv4.
        let ipv6 = try? listenOn(loopback6(port: port))
        sockets = [ipv4] + (ipv6.map { [$0] } ?? [])
    }

    deinit {
        for socket in sockets { _ = close(socket) }
    }

    /// The next connection. Throws when cancelled.
    public func accept() async throws -> Descriptor {
        while true {
            for socket in sockets {
                if let connection = try acceptNow(on: socket) { return connection }
            }
            try await anyReadable()
        }
    }

    private func acceptNow(on socket: CInt) throws -> Descriptor? {
        guard let fd = try acceptConnection(on: socket, "on port \(port)") else { return nil }
        setOption(fd, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        return try Descriptor(socket: fd, loop: loop)
    }

    private func anyReadable() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for socket in sockets {
                group.addTask { [loop] in try await loop.readable(socket) }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}

/// Accepts a connection that no child inherits and whose writes raise no signal; nil when none is there now.
///
/// - Parameter place: for the error.
func acceptConnection(on socket: CInt, _ place: @autoclosure () -> String) throws -> CInt? {
    let fd = system.accept(socket, nil, nil)
    guard fd >= 0 else {
        switch errno {
        // The last two: the connection was gone before it could be accepted.
        case EAGAIN, EWOULDBLOCK, EINTR, ECONNABORTED: return nil
        default: throw IOError.last("accepting a connection \(place())")
        }
    }
    closeOnExec(fd)
    #if canImport(Darwin)
        setOption(fd, SOL_SOCKET, SO_NOSIGPIPE, 1)
    #endif
    return fd
}

/// Listens on this machine's loopback addresses while `body` runs: on `preferredPort` when it is free, else on a port
/// that the system chooses.
public func withListener<R>(
    preferredPort: UInt16?, loop: PollLoop, _ body: (Listener) async throws -> R
) async throws -> R {
    try await body(Listener(preferredPort: preferredPort, loop: loop))
}

private func listenOn(_ address: SocketAddress) throws -> CInt {
    let fd = try makeSocket(family: address.family)
    do {
        // A port that was in use a minute ago is free.
        setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
        if address.family == AF_INET6 { setOption(fd, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        let status = address.with { bind(fd, $0, $1) } ?? -1
        guard status == 0, listen(fd, 64) == 0 else {
            throw IOError.last("listening on a loopback port", code: .listenFailed)
        }
        return fd
    } catch {
        _ = close(fd)
        throw error
    }
}

private func loopback4(port: UInt16) -> SocketAddress {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafeBytes(of: &address) { SocketAddress(family: AF_INET, bytes: [UInt8]($0)) }
}

private func loopback6(port: UInt16) -> SocketAddress {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    address.sin6_addr = in6addr_loopback
    return withUnsafeBytes(of: &address) { SocketAddress(family: AF_INET6, bytes: [UInt8]($0)) }
}

private func boundPort(of fd: CInt) throws -> UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &size) }
    }
    guard status == 0 else { throw IOError.last("asking for the port", code: .listenFailed) }
    return UInt16(bigEndian: address.sin_port)
}

/// The C function that shares its name with a method here.
private enum system {
    static func accept(
        _ fd: CInt, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
    ) -> CInt {
        #if canImport(Darwin)
            Darwin.accept(fd, address, length)
        #else
            Glibc.accept(fd, address, length)
        #endif
    }
}
