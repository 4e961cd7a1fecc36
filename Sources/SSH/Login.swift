/// How to prove that the host is who it should be, and that the user is.
public struct Login: Sendable {
    /// Private keys to try, explicit ones first; a leading tilde has been expanded. A path to a `.pub` file stands for
    /// the key in the agent. Files that do not exist are passed over.
    public var identityFiles: [String]
    /// Whether keys in the ssh-agent are tried.
    public var usesAgent: Bool
    /// The agent's socket, usually what SSH_AUTH_SOCK says; nil when there is no agent.
    public var agentSocket: String?
    /// Whether the user may be asked for what only they know: by the methods `password` and `keyboard-interactive`.
    public var allowsPassword: Bool
    public var hostKeys: HostKeyPolicy
    public var prompter: any LoginPrompter
    /// For the connection, and for every answer of the server before the login.
    public var connectTimeout: Duration
    /// How long the server may be silent, with a question of ours outstanding, before the link counts as lost.
    public var silenceLimit: Duration

    public init(
        identityFiles: [String] = [], usesAgent: Bool = true, agentSocket: String? = nil, allowsPassword: Bool = true,
        hostKeys: HostKeyPolicy, prompter: any LoginPrompter, connectTimeout: Duration = .seconds(20),
        silenceLimit: Duration = .seconds(15)
    ) {
        self.identityFiles = identityFiles
        self.usesAgent = usesAgent
        self.agentSocket = agentSocket
        self.allowsPassword = allowsPassword
        self.hostKeys = hostKeys
        self.prompter = prompter
        self.connectTimeout = connectTimeout
        self.silenceLimit = silenceLimit
    }
}

/// Which host keys are believed.
public enum HostKeyPolicy: Sendable {
    /// Those recorded in these files, in OpenSSH's format, under the host's name or, when there is one, the alias.
    /// A new host's key goes to the first file, once the user has accepted it. Files need not exist.
    case knownHosts(files: [String], hostKeyAlias: String?)
    /// One of these and no other: for a host that has told its keys in a trusted way.
    case exactly([HostKey])
}

/// Asks the user during a login. What it throws ends the login.
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

    public init(host: String, port: UInt16, keyType: String, fingerprint: String, recordedTypes: [String]) {
        self.host = host
        self.port = port
        self.keyType = keyType
        self.fingerprint = fingerprint
        self.recordedTypes = recordedTypes
    }
}
