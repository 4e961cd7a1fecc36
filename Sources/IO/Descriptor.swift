internal import CSystem

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A socket, or the ends of pipes, as a byte stream.
///
/// It owns its descriptors: they close with ``close()``, or with the last reference. All its system calls are made on the
/// loop's thread, where SIGPIPE is blocked.
public actor Descriptor: ByteStream {
    private let loop: PollLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// -1 when there is no such direction, or no longer.
    private var input: CInt
    private var output: CInt
    private let isSocket: Bool

    /// Takes over a connected stream socket.
    public init(socket: CInt, loop: PollLoop) throws {
        try setNonBlocking(socket)
        self.loop = loop
        input = socket
        output = socket
        isSocket = true
    }

    /// Takes over the ends of pipes: one to read from, one to write to, or only one of them.
    ///
    /// Not for a terminal or whatever this process inherited: non-blocking would be shared with its other users.
    public init(reading input: CInt?, writing output: CInt?, loop: PollLoop) throws {
        if let input { try setNonBlocking(input) }
        if let output { try setNonBlocking(output) }
        self.loop = loop
        self.input = input ?? -1
        self.output = output ?? -1
        isSocket = false
    }

    /// A stream to a socket, which the caller has to close: for a library that does its own input and output.
    public static func toSocket(loop: PollLoop) throws -> (stream: Descriptor, socket: CInt) {
        let (ours, theirs) = try makeSocketPair()
        do {
            return (try Descriptor(socket: ours, loop: loop), theirs)
        } catch {
            for end in [ours, theirs] { _ = system.close(end) }
            throw error
        }
    }

    /// Closes the socket that ``toSocket(loop:)`` has given.
    public static func close(_ socket: CInt) { _ = system.close(socket) }

    /// The same socket by another number, which the caller has to close; nil when this is none.
    public func duplicateSocket() throws -> CInt? {
        guard isSocket, input >= 0 else { return nil }
        let copy = fcntl(input, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw IOError.last("duplicating a descriptor") }
        return copy
    }

    deinit {
        if input >= 0 { _ = system.close(input) }
        if output >= 0, output != input { _ = system.close(output) }
    }

    public func read(upTo limit: Int) async throws -> [UInt8] {
        precondition(limit > 0, "a read of no bytes would look like the end")
        while true {
            guard input >= 0 else { throw IOError(.closed, "reading from a closed descriptor") }
            var count = 0
            var failure: CInt = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: min(limit, 1 << 18)) { buffer, initialized in
                repeat {
                    count = system.read(input, buffer.baseAddress, buffer.count)
                } while count < 0 && errno == EINTR
                failure = errno
                initialized = max(0, count)
            }
            if count >= 0 { return bytes }
            guard failure == EAGAIN || failure == EWOULDBLOCK else { throw IOError.of(failure, "reading") }
            try await loop.readable(input)
        }
    }

    public func write(_ bytes: [UInt8]) async throws {
        var sent = 0
        while sent < bytes.count {
            guard output >= 0 else { throw IOError(.closed, "writing to a closed descriptor") }
            let count = bytes.withUnsafeBytes { put(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            if count >= 0 {
                sent += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: try await loop.writable(output)
            case EPIPE, ECONNRESET: throw IOError.last("writing", code: .brokenPipe)
            default: throw IOError.last("writing")
            }
        }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard isSocket else { return system.write(output, bytes.baseAddress, bytes.count) }
        #if canImport(Darwin)
            return send(output, bytes.baseAddress, bytes.count, 0)
        #else
            return send(output, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        #endif
    }

    /// Gives a descriptor to the process at the other end of this Unix socket, together with one byte of data.
    public func pass(_ end: PipeEnd) async throws {
        while true {
            guard output >= 0 else { throw IOError(.closed, "writing to a closed descriptor") }
            let (count, failure) = try end.withDescriptor { (submit_send_descriptor(output, $0), errno) }
            if count == 1 { return }
            switch failure {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: try await loop.writable(output)
            case EPIPE, ECONNRESET: throw IOError.of(failure, "passing a descriptor", code: .brokenPipe)
            default: throw IOError.of(failure, "passing a descriptor")
            }
        }
    }

    public func finishWriting() {
        guard output >= 0 else { return }
        if isSocket {
            // It fails when the other end has gone, and then there is nobody to tell.
            _ = shutdown(output, CInt(SHUT_WR))
        } else {
            let end = output
            output = -1
            if end != input { _ = system.close(end) }
        }
    }

    /// Closes both directions. A task that still waits on them is woken by its cancellation only: let it end first.
    public func close() {
        let ends = Set([input, output]).subtracting([-1])
        input = -1
        output = -1
        for end in ends { _ = system.close(end) }
    }
}

/// The C functions that share a name with a method here.
private enum system {
    static func read(_ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Darwin)
            Darwin.read(fd, buffer, count)
        #else
            Glibc.read(fd, buffer, count)
        #endif
    }

    static func write(_ fd: CInt, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Darwin)
            Darwin.write(fd, buffer, count)
        #else
            Glibc.write(fd, buffer, count)
        #endif
    }

    static func close(_ fd: CInt) -> CInt {
        #if canImport(Darwin)
            Darwin.close(fd)
        #else
            Glibc.close(fd)
        #endif
    }
}
