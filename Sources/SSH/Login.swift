/// How to prove that the host is who it should be, and that the user is.
public struct Login: Sendable {
    /// Private keys to try, explicit ones first; a leading tilde has been expanded. A path to a `.pub` file stands for
    /// the key in the agent. Files that do not exist are passed over.
    public var identityFiles: [String]
    /// Whether they were named for this host: then they come before the agent's other keys, even if a passphrase has to be
    /// asked for. A server that allows few attempts is reached then, however many keys the agent holds.
    public var prefersIdentityFiles = false
    /// Whether the agent's keys are only used for these files.
    public var usesOnlyIdentityFiles = false
    /// The agent's socket, usually what SSH_AUTH_SOCK says; nil when there is no agent.
    public var agentSocket: String?
    /// The methods that may be used, in the order to try them.
    public var methods: [AuthenticationMethod]
    /// Whether the user may be asked for anything: also for the passphrases of keys.
    public var mayAsk = true
    public var hostKeys: HostKeyPolicy
    public var prompter: any LoginPrompter
    /// For the connection, and for every answer of the server before the login.
    public var connectTimeout: Duration
    /// How long the server may be silent, with a question of ours outstanding, before the link counts as lost.
    public var silenceLimit: Duration
    /// What the user has configured and this module cannot do, to be told when the login fails.
    public var limits: [Limit] = []
    /// The fingerprint of the key that sufficed at an earlier login, as in ``HostKey/fingerprint``. It is proved at once, without asking
    /// which methods there are and whether the server knows it: that saves two round trips.
    public var expectedKey: String?
    /// Is told the fingerprint of the key that was all that the server wanted; nil when that took something else, or more. Not called
    /// when the expected key sufficed.
    public var learn: @Sendable (String?) -> Void = { _ in }

    /// Something that OpenSSH's own client can do and this module cannot.
    public struct Limit: Sendable, Equatable {
        public var text: String
        /// The method of the protocol that it is a part of.
        public var method: String
    }

    public init(
        identityFiles: [String] = [], agentSocket: String? = nil,
        methods: [AuthenticationMethod] = AuthenticationMethod.allCases, hostKeys: HostKeyPolicy,
        prompter: any LoginPrompter, connectTimeout: Duration = .seconds(15), silenceLimit: Duration = .seconds(15)
    ) {
        self.identityFiles = identityFiles
        self.agentSocket = agentSocket
        self.methods = methods
        self.hostKeys = hostKeys
        self.prompter = prompter
        self.connectTimeout = connectTimeout
        self.silenceLimit = silenceLimit
    }
}

/// Which host keys are believed.
public enum HostKeyPolicy: Sendable {
    /// Those that are recorded.
    case knownHosts(KnownHostsPolicy)
    /// One of these and no other: for a host that has told its keys in a trusted way.
    case exactly([HostKey])
}

/// Where host keys are recorded, in OpenSSH's format, and what happens to those that are not.
public struct KnownHostsPolicy: Sendable, Equatable {
    public enum NewKeys: Sendable, Equatable {
        case ask
        case accept
        case refuse
    }

    /// The key of a new host goes to the first of these. They need not exist.
    public var userFiles: [String]
    public var globalFiles: [String]
    /// The name that the host is recorded under, in place of its own and its port.
    public var alias: String?
    public var newKeys = NewKeys.ask
    /// Whether a host that shows another key than the recorded one is talked to nevertheless. It gets no password then.
    public var bearsChangedKeys = false
    /// Whether the names of new hosts are written as hashes. They are too when the files have such names already.
    public var hashesNames: Bool

    public init(userFiles: [String], globalFiles: [String] = [], alias: String? = nil, hashesNames: Bool = false) {
        self.userFiles = userFiles
        self.globalFiles = globalFiles
        self.alias = alias
        self.hashesNames = hashesNames
    }
}

/// Asks the user during a login. What it throws ends the login, but for ``NobodyToAsk``: then it goes on without an answer
/// where that is possible.
public protocol LoginPrompter: Sendable {
    /// Whether a host that is not known yet is to be trusted, now and from now on.
    func confirm(_ question: HostKeyQuestion) async throws -> Bool

    /// The answer to a question of the server. Without `echo` it must not show on the screen.
    func answer(_ prompt: String, echo: Bool) async throws -> String

    /// The passphrase of a private key.
    ///
    /// - Parameter attempt: how many passphrases were wrong in this login.
    func passphrase(forKey path: String, attempt: Int) async throws -> String

    /// Shows a text of the server that expects no answer.
    func show(_ notice: String) async
}

extension LoginPrompter {
    public func show(_ notice: String) async {}

    public func passphrase(forKey path: String, attempt: Int) async throws -> String {
        try await answer("\(attempt == 0 ? "" : "That was not it. ")Passphrase for \(path): ", echo: false)
    }
}

/// What there is to know about a host that is not known yet.
public struct HostKeyQuestion: Sendable, Equatable {
    /// The name that the key is looked up by.
    public var host: String
    public var port: UInt16
    /// Such as `ssh-ed25519`.
    public var keyType: String
    /// Such as `SHA256:uNiVztksCsDhcc0u9e8BrYUSICRXi7w5BJRZNzQ9HA0`, as ssh and cluster documentation print it.
    public var fingerprint: String
    /// Types of other keys that are recorded for this host: with some, the host is not new, only this key is.
    public var recordedTypes: [String]
    /// Whether a certificate authority is recorded for this host, whose certificates this module does not check.
    public var hasCertificateAuthority: Bool

    public init(
        host: String, port: UInt16, keyType: String, fingerprint: String, recordedTypes: [String],
        hasCertificateAuthority: Bool = false
    ) {
        self.host = host
        self.port = port
        self.keyType = keyType
        self.fingerprint = fingerprint
        self.recordedTypes = recordedTypes
        self.hasCertificateAuthority = hasCertificateAuthority
    }
}

/// Thrown by a prompter when there is nobody to answer.
public struct NobodyToAsk: Error, CustomStringConvertible {
    /// Why, as in "nobody is at a terminal".
    public var description: String

    public init(_ description: String) { self.description = description }
}
