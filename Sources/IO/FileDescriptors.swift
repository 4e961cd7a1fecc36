internal import CSystem

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A pipe whose ends no child inherits, and which lie above the standard streams.
func makePipe() throws -> (read: CInt, write: CInt) {
    var ends: [CInt] = [-1, -1]
    #if canImport(Darwin)
        guard pipe(&ends) == 0 else { throw IOError.last("making a pipe") }
        for end in ends { closeOnExec(end) }
    #else
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw IOError.last("making a pipe") }
    #endif
    do {
        let read = try aboveStandardStreams(ends[0])
        ends[0] = read
        let write = try aboveStandardStreams(ends[1])
        return (read, write)
    } catch {
        for end in ends { _ = close(end) }
        throw error
    }
}

/// Moves a descriptor out of 0…2, which it gets when the process was started with one of them closed; a child's standard
/// streams could not be set up from it otherwise.
private func aboveStandardStreams(_ fd: CInt) throws -> CInt {
    guard fd <= 2 else { return fd }
    let moved = fcntl(fd, F_DUPFD_CLOEXEC, 3)
    guard moved >= 0 else { throw IOError.last("duplicating a descriptor") }
    _ = close(fd)
    return moved
}

/// Keeps a descriptor from children. A child that other code starts before this call may inherit it; our own never do.
func closeOnExec(_ fd: CInt) {
    _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
}

/// Reads and writes of it say "try again" from now on, where they would wait; also by other numbers of the same open file.
public func setNonBlocking(_ fd: CInt) throws {
    let flags = fcntl(fd, F_GETFL)
    guard flags >= 0, fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0 else {
        throw IOError.last("making a descriptor non-blocking")
    }
}

/// A non-blocking socket that no child inherits and whose writes raise no signal.
func makeSocket(family: CInt) throws -> CInt {
    #if canImport(Darwin)
        let fd = socket(family, SOCK_STREAM, 0)
        guard fd >= 0 else { throw IOError.last("making a socket") }
        closeOnExec(fd)
        setOption(fd, SOL_SOCKET, SO_NOSIGPIPE, 1)
    #else
        let fd = socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw IOError.last("making a socket") }
    #endif
    do { try setNonBlocking(fd) } catch {
        _ = close(fd)
        throw error
    }
    return fd
}

/// Two connected sockets, each as ``makeSocket(family:)`` makes one.
func makeSocketPair() throws -> (CInt, CInt) {
    var ends: [CInt] = [-1, -1]
    #if canImport(Darwin)
        guard socketpair(AF_UNIX, SOCK_STREAM, 0, &ends) == 0 else { throw IOError.last("making two sockets") }
        for end in ends {
            closeOnExec(end)
            setOption(end, SOL_SOCKET, SO_NOSIGPIPE, 1)
        }
    #else
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw IOError.last("making two sockets") }
    #endif
    do {
        for end in ends { try setNonBlocking(end) }
    } catch {
        for end in ends { _ = close(end) }
        throw error
    }
    return (ends[0], ends[1])
}

/// Sets a socket option that only makes things better, so that a refusal is no failure.
func setOption(_ fd: CInt, _ level: CInt, _ name: CInt, _ value: CInt) {
    var value = value
    _ = setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
}
