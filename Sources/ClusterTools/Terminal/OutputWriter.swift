import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Writes to a descriptor that this process shares with others (standard output, standard error): never more than it accepts
/// at once, so that a slow reader delays only its writer. The descriptor stays as it is; `O_NONBLOCK` would change it for
/// everyone who shares it.
struct OutputWriter: Sendable {
    let descriptor: CInt
    let loop: PollLoop

    /// Whether a person may read along.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// What a pipe that polls as writable accepts without blocking; a terminal may take a moment longer.
    private static let portion = Int(PIPE_BUF)

    /// Nobody reads any more.
    struct Closed: Error {}

    /// Writes as much as is accepted at once, as soon as anything is.
    ///
    /// - Returns: how many bytes were written.
    /// - Throws: ``Closed``, or `CancellationError`: then nothing was written.
    func write(_ bytes: ArraySlice<UInt8>) async throws -> Int {
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        if !isFile { try await loop.writable(descriptor) }
        while true {
            let count = put(bytes.prefix(isFile ? 1 << 18 : Self.portion))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            // A terminal that is gone says EIO.
            case EPIPE: throw Closed()
            case EIO where !isFile: throw Closed()
            case let code:
                throw Failure(
                    Exit.ioError, "the job's output cannot be written here", why: String(cString: strerror(code)),
                    remedy: "all of it is in the run folder on the cluster")
            }
        }
    }

    private func put(_ bytes: ArraySlice<UInt8>) -> Int {
        #if canImport(Darwin)
            bytes.withUnsafeBytes { Darwin.write(descriptor, $0.baseAddress, $0.count) }
        #else
            bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        #endif
    }
}
