/// What a user's ssh configuration says about one host.
///
/// Pure data: ``init(output:name:)`` makes it from what `ssh -G` prints, ``ConfigurationLookup`` runs that.
public struct HostConfiguration: Sendable, Equatable {
    /// What the user calls the host: an alias, or its name.
    public var name: String
    /// Where it is: HostName.
    public var hostName: String
    public var user: String
    public var port: UInt16

    /// IdentityFile, as it is written: `~` and tokens such as `%h` still have to be expanded.
    public var identityFiles: [String] = HostConfiguration.usualIdentityFiles
    /// CertificateFile, as it is written.
    public var certificateFiles: [String] = []
    public var identitiesOnly = false
    /// IdentityAgent, as it is written; nil for what SSH_AUTH_SOCK says.
    public var identityAgent: String?
    /// The methods that may be tried, in this order: PreferredAuthentications without those that are turned off.
    public var methods: [AuthenticationMethod] = AuthenticationMethod.allCases
    /// Methods that the user wants and only OpenSSH's client has, such as `gssapi-with-mic`.
    public var foreignMethods: [String] = []
    /// BatchMode: nobody is to be asked for anything.
    public var isBatchMode = false
    public var pkcs11Provider: String?

    /// ProxyJump: the hosts on the way, the nearest first.
    public var jumpHosts: [JumpHost] = []
    /// ProxyCommand, as it is written.
    public var proxyCommand: String?
    /// ProxyUseFdpass: the command hands over a connection instead of being one.
    public var passesDescriptor = false

    public var hostKeyAlias: String?
    /// UserKnownHostsFile, expanded.
    public var userKnownHosts = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
    public var globalKnownHosts = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
    public var strictHostKeyChecking = StrictHostKeyChecking.ask
    public var hashesKnownHosts = false

    /// ServerAliveInterval times ServerAliveCountMax; nil when it is not set.
    public var silenceLimit: Duration?
    public var connectTimeout: Duration?

    /// What to do with a host key that does not agree with what is recorded (ssh_config(5)).
    public enum StrictHostKeyChecking: Sendable, Equatable {
        /// Unknown hosts are refused.
        case yes
        /// The user decides on unknown hosts.
        case ask
        /// Unknown hosts are recorded without a question.
        case acceptNew
        /// So they are, and hosts whose key has changed are not refused.
        case no
    }

    /// With ssh's defaults for everything else: what holds where there is no ssh to ask.
    public init(name: String, user: String, port: UInt16 = 22) {
        self.name = name
        hostName = name
        self.user = user
        self.port = port
    }

    /// The keys that ssh tries when none is configured, in its order.
    static let usualIdentityFiles = [
        "id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa",
    ].map { "~/.ssh/" + $0 }

    /// Whether the user has named keys for this host. `ssh -G` lists the usual ones when not, and which those are depends
    /// on its version.
    var namesIdentities: Bool {
        let always = ["~/.ssh/id_rsa", "~/.ssh/id_ed25519"]
        let isUsual =
            always.allSatisfy(identityFiles.contains) && identityFiles.allSatisfy(Self.usualIdentityFiles.contains)
        return !isUsual && !identityFiles.isEmpty
    }
}

/// A way to log in that this module has, by its name in the protocol.
public enum AuthenticationMethod: String, Sendable, CaseIterable {
    case publicKey = "publickey"
    case keyboardInteractive = "keyboard-interactive"
    case password
}
