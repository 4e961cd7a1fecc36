#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A socket in the file system that takes connections, of this user alone.
public final class SocketListener: Sendable {
    private let path: String
    private let loop: PollLoop
    private let socket: CInt

    fileprivate init(path: String, loop: PollLoop) throws {
        let address = try SocketAddress.path(path, code: .listenFailed)
        let socket = try makeSocket(family: AF_UNIX)
        guard address.with({ bind(socket, $0, $1) }) == 0, chmod(path, 0o600) == 0, listen(socket, 16) == 0 else {
            let error = IOError.last("listening on \(path)", code: .listenFailed)
            _ = close(socket)
            throw error
        }
        self.path = path
        self.loop = loop
        self.socket = socket
    }

    deinit {
        _ = close(socket)
        _ = unlink(path)
    }

    /// The next connection. Throws when cancelled.
    public func accept() async throws -> Descriptor {
        while true {
            if let fd = try acceptConnection(on: socket, "on \(path)") { return try Descriptor(socket: fd, loop: loop) }
            try await loop.readable(socket)
        }
    }
}

/// Listens on a socket at `path`, which must not exist, while `body` runs. Only this user can connect to it.
///
/// The folder has to be the user's own: between its making and its first moment nothing else guards the socket.
public func withSocketListener<R>(
    at path: String, loop: PollLoop, _ body: (SocketListener) async throws -> R
) async throws -> R {
    try await body(SocketListener(path: path, loop: loop))
}
