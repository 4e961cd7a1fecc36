/// A stream of bytes in both directions, each of which can end on its own (half-close).
///
/// One task may read while another writes; two readers, or two writers, at once are a programming error.
public protocol ByteStream: Sendable {
    /// The next bytes, as soon as there are any: between 1 and `limit` of them; none at the end of the stream.
    func read(upTo limit: Int) async throws -> [UInt8]

    /// Sends all of `bytes`. Returns when they are accepted for sending, which a slow receiver delays.
    func write(_ bytes: [UInt8]) async throws

    /// Says that nothing more will be written: the other side reads an end of stream.
    func finishWriting() async throws
}

/// A process that runs, here or far away. Reading reads its standard output, writing writes its standard input.
public protocol RunningProcess: ByteStream {
    /// As ``ByteStream/read(upTo:)``, for standard error. A task of its own must drain it, or the process may stall.
    func readError(upTo limit: Int) async throws -> [UInt8]

    /// How the process ended. To be asked for after its output has ended.
    func exitStatus() async throws -> ExitStatus
}

/// How a process ended.
public enum ExitStatus: Sendable, Equatable {
    /// It ended by itself, with this status (0–255).
    case exited(Int32)
    /// A signal ended it; its name without the prefix, such as `TERM`.
    case signaled(String)
    /// Nobody said: the link went first.
    case unknown

    public var isSuccess: Bool { self == .exited(0) }
}

extension ByteStream {
    /// All that is left of the stream, at most `limit` bytes; what is beyond is read and dropped.
    public func readToEnd(limit: Int = 1 << 20) async throws -> [UInt8] {
        var all: [UInt8] = []
        while case let bytes = try await read(upTo: 1 << 16), !bytes.isEmpty {
            all.append(contentsOf: bytes.prefix(limit - all.count))
        }
        return all
    }
}
