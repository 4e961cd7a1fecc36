/// Why the relay, or one of its connections, does not work.
public struct RelayError: Error, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The far program never greeted: it did not start, or something else runs there.
        case notStarted
        /// The process that carries the relay ended, or its pipe broke.
        case ended
        /// The far side says nothing any more.
        case unresponsive
        /// The far side sent what the protocol does not allow.
        case protocolViolation
        /// The worker's port takes no connection. Only this connection is concerned.
        case refused
        /// The worker's side broke the connection. Only this connection is concerned.
        case reset
        /// The connection, or the relay, is used after the end of its scope.
        case closed
    }

    public let code: Code
    /// What failed, and what to do about it where that is known.
    public let message: String
    /// The error underneath, when there is one.
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }
}
