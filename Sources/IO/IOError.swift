#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A failure of a socket, a pipe or a child process.
public struct IOError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing failed, for code that decides.
    public enum Code: Sendable, Equatable {
        /// The host's name has no address.
        case hostNotFound
        /// No address of the host took the connection.
        case connectFailed
        /// The time for it ran out.
        case timedOut
        /// The loopback port could not be listened on.
        case listenFailed
        /// The other end has gone: nobody reads what is written.
        case brokenPipe
        /// The program could not be started.
        case spawnFailed
        /// The loop was stopped, or the descriptor closed, while somebody waited.
        case closed
        /// Another system call failed.
        case systemCall
    }

    public var code: Code
    /// What failed, where and why, as a sentence for a person.
    public var message: String
    /// The system's error number, 0 where there is none.
    public var systemError: Int32

    public init(_ code: Code, _ message: String, systemError: Int32 = 0) {
        self.code = code
        self.message = message
        self.systemError = systemError
    }

    public var description: String { message }

    /// The error of the system call that just failed on this thread.
    public init(lastSystemErrorDoing doing: String) { self = .last(doing) }

    /// The error of the system call that just failed on this thread.
    static func last(_ doing: String, code: Code = .systemCall) -> IOError {
        of(errno, doing, code: code)
    }

    static func of(_ number: Int32, _ doing: String, code: Code = .systemCall) -> IOError {
        IOError(code, "\(doing): \(describe(number))", systemError: number)
    }

    /// The system's words for an error number.
    static func describe(_ number: Int32) -> String {
        // Not strerror(3): it may share one buffer between threads.
        var text = [CChar](repeating: 0, count: 256)
        _ = strerror_r(number, &text, text.count)
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }
}
