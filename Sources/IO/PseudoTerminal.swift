internal import CTerminal
internal import Synchronization

#if canImport(Darwin)
    public import Darwin
#else
    public import Glibc
#endif

/// A pseudo-terminal of this machine: the leading end is ours, as a stream; the following one is for another process.
public final class PseudoTerminal: Sendable {
    /// The path of the following end.
    public let name: String
    /// What appears on it, and what is typed.
    public let stream: Descriptor
    /// The same leading end once more, for what is no reading or writing; nil when it is closed.
    private let control: Mutex<CInt?>

    public init(_ request: TerminalRequest, loop: PollLoop) throws {
        var leader: CInt = -1
        var path = [CChar](repeating: 0, count: 128)
        let failed = terminal_open_pair(
            UInt16(clamping: request.size.rows), UInt16(clamping: request.size.columns), &leader, &path, path.count)
        guard failed == 0 else { throw IOError.of(failed, "opening a pseudo-terminal") }
        name = String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let copy = fcntl(leader, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else {
            let error = IOError.last("duplicating a descriptor")
            _ = system.close(leader)
            throw error
        }
        control = Mutex(copy)
        stream = try Descriptor(reading: leader, writing: leader, loop: loop)
        try set(request.modes)
    }

    deinit { closeControl() }

    /// Gives it these modes.
    public func set(_ modes: termios) throws {
        var modes = modes
        let failed = control.withLock { control -> CInt in
            guard let control else { return 0 }
            return tcsetattr(control, TCSANOW, &modes) == 0 ? 0 : errno
        }
        guard failed == 0 else { throw IOError.of(failed, "setting a terminal's modes") }
    }

    /// Lets every byte through as it is, in both directions.
    public func passBytesThrough() throws {
        var modes = termios()
        let failed = control.withLock { control -> CInt in
            guard let control else { return 0 }
            return tcgetattr(control, &modes) == 0 ? 0 : errno
        }
        guard failed == 0 else { throw IOError.of(failed, "asking for a terminal's modes") }
        cfmakeraw(&modes)
        try set(modes)
    }

    public func resize(_ size: TerminalSize) throws {
        let failed = control.withLock { control in
            control.map { terminal_resize($0, UInt16(clamping: size.rows), UInt16(clamping: size.columns)) } ?? 0
        }
        guard failed == 0 else { throw IOError.of(failed, "telling a terminal its size") }
    }

    /// Opens the following end, for another process to be given it.
    public func follower() throws -> PipeEnd {
        let descriptor = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw IOError.last("opening \(name)") }
        return PipeEnd(descriptor)
    }

    /// The next bytes that appear; none when nobody has the following end open any more, which Linux calls an error.
    public func read(upTo limit: Int) async throws -> [UInt8] {
        do {
            return try await stream.read(upTo: limit)
        } catch let error as IOError where error.systemError == EIO {
            return []
        }
    }

    public func close() async {
        closeControl()
        await stream.close()
    }

    private func closeControl() {
        let descriptor = control.withLock { control in
            defer { control = nil }
            return control
        }
        if let descriptor { _ = system.close(descriptor) }
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
