internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// The end of a pipe that is meant for another process; see ``Descriptor/pass(_:)``.
public final class PipeEnd: Sendable {
    /// Nil when it is closed.
    private let descriptor: Mutex<CInt?>

    init(_ descriptor: CInt) { self.descriptor = Mutex(descriptor) }

    deinit { close() }

    /// Closes our copy. Until then the pipe does not end when the other process closes its own.
    public func close() {
        let descriptor = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        if let descriptor { _ = system.close(descriptor) }
    }

    func withDescriptor<R>(_ body: (CInt) throws -> R) throws -> R {
        try descriptor.withLock { descriptor in
            guard let descriptor else { throw IOError(.closed, "this end of a pipe is closed") }
            return try body(descriptor)
        }
    }

    /// A pipe that another process writes to and we read from.
    public static func toWrite(loop: PollLoop) throws -> (ours: Descriptor, theirs: PipeEnd) {
        let pipe = try makePipe()
        let theirs = PipeEnd(pipe.write)
        do {
            return (try Descriptor(reading: pipe.read, writing: nil, loop: loop), theirs)
        } catch {
            _ = system.close(pipe.read)
            throw error
        }
    }

    /// A pipe that another process reads from and we write to.
    public static func toRead(loop: PollLoop) throws -> (ours: Descriptor, theirs: PipeEnd) {
        let pipe = try makePipe()
        let theirs = PipeEnd(pipe.read)
        do {
            return (try Descriptor(reading: nil, writing: pipe.write, loop: loop), theirs)
        } catch {
            _ = system.close(pipe.write)
            throw error
        }
    }
}

/// The C function that shares its name with a method here.
private enum system {
    static func close(_ fd: CInt) -> CInt {
        #if canImport(Darwin)
            Darwin.close(fd)
        #else
            Glibc.close(fd)
        #endif
    }
}
