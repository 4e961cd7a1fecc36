internal import CSystem

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Calls `changed` whenever an address, a route or an interface of this machine comes or goes, until it is cancelled.
///
/// A machine that wakes up, or finds its network again, notices so at once: what failed a moment ago may work now. One event
/// of the network is usually several changes; `changed` may be called for each.
///
/// - Throws: ``IOError`` when the system does not report such changes; `CancellationError`.
public func watchNetwork(loop: PollLoop, _ changed: () -> Void) async throws {
    let socket = try openRoutingSocket()
    defer { _ = close(socket) }
    try setNonBlocking(socket)
    while true {
        try await loop.readable(socket)
        try drain(socket)
        changed()
    }
}

/// Takes in all that is reported. What exactly has changed does not matter.
private func drain(_ socket: CInt) throws {
    var sink = [UInt8](repeating: 0, count: 1 << 14)
    // More changes than the system keeps are an error here, and changes.
    while recv(socket, &sink, sink.count, 0) > 0 || errno == EINTR || errno == ENOBUFS {}
    guard errno == EAGAIN || errno == EWOULDBLOCK else { throw IOError.last("watching the network") }
}

/// A socket on which the kernel reports changes of the network.
private func openRoutingSocket() throws -> CInt {
    #if canImport(Darwin)
        let fd = socket(PF_ROUTE, SOCK_RAW, 0)
        guard fd >= 0 else { throw IOError.last("watching the network") }
        closeOnExec(fd)
        return fd
    #else
        let fd = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_ROUTE)
        guard fd >= 0 else { throw IOError.last("watching the network") }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = UInt32(
            RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE)
        let status = withUnsafeBytes(of: &address) { bytes in
            bytes.baseAddress.map { bind(fd, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) } ?? -1
        }
        guard status == 0 else {
            let error = IOError.last("watching the network")
            _ = close(fd)
            throw error
        }
        return fd
    #endif
}
