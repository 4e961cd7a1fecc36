/// A failure of an ssh session or of something done over it.
public struct SSHError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing failed, for code that decides.
    public enum Code: Sendable, Equatable {
        /// The user's ssh configuration has a mistake.
        case configurationInvalid
        /// The host could not be reached.
        case connectFailed
        /// No common algorithm, or whatever answered does not speak ssh.
        case handshakeFailed
        /// The host's key is recorded nowhere, and the user did not accept it.
        case hostKeyUnknown
        /// The host has another key than the recorded one.
        case hostKeyChanged
        /// The host's key is marked as revoked.
        case hostKeyRevoked
        /// The user could not be logged in.
        case authenticationFailed
        /// The connection is gone, or silent for too long. Nothing more can be done in the session.
        case linkLost
        /// The server would not, or could not, connect onwards.
        case forwardRefused
        /// The server would not open another channel, or start the command.
        case channelRefused
        /// A channel or a session was used after its scope.
        case closed
        /// A peer broke its protocol, or libssh failed in a way that says no more.
        case protocolFailure
        /// A private key could not be used.
        case keyUnusable
        /// The ssh-agent could not be reached, or would not sign.
        case agentFailed
    }

    public var code: Code
    /// What failed, where and why, and what to do about it where that is known.
    public var message: String
    public var cause: (any Error)?
    /// Whether it is a limit of this module, which OpenSSH's own client does not have.
    public var isLimitOfLibrary = false

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message }
}
