internal import CSSH
internal import IO

extension Session {
    /// What libssh encrypts with, the quickest first. With processors of today that is AES in GCM, which OpenSSH's own client takes
    /// only where ChaCha20 is missing: it takes half as long.
    private static let ciphers =
        "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"

    /// Sends the first message.
    ///
    /// - Parameter recorded: the types of the host's keys that would be believed.
    func start(trusting recorded: [String]) throws {
        // First of all: or the user's configuration would count once more, and by libssh's understanding of it.
        try library.set(SSH_OPTIONS_PROCESS_CONFIG, 0)
        // So would the keys that it knows of.
        for option in [SSH_OPTIONS_SSH_DIR, SSH_OPTIONS_KNOWNHOSTS, SSH_OPTIONS_GLOBAL_KNOWNHOSTS] {
            try library.set(option, "/dev/null")
        }
        try library.set(SSH_OPTIONS_USER, endpoint.user)
        for option in [SSH_OPTIONS_CIPHERS_C_S, SSH_OPTIONS_CIPHERS_S_C] { try library.set(option, Session.ciphers) }
        // It must not be left to libssh: it would get a key of a type that is not recorded although there is one of a recorded type.
        try library.set(SSH_OPTIONS_HOSTKEYS, hostKeyAlgorithms(recorded: recorded).joined(separator: ","))
        _ = try library.connect()
        noticeEffects()
    }

    /// Agrees on keys with the server, makes sure that it is the right one, and logs in.
    func logIn(_ login: Login, _ trust: HostTrust) async throws {
        try await shakeHands(limit: login.connectTimeout)
        var login = login
        login.prompter = AttentivePrompter(prompter: login.prompter, session: self)
        if try await !trust.check(try serverKey(), prompter: login.prompter) { login.methods = [.publicKey] }
        try await authenticate(login)
    }

    private func shakeHands(limit: Duration) async throws {
        do {
            let status = try await perform(answerLimit: limit) { try library.connect() }
            guard status == SSH_OK else { throw lost(library.message) }
        } catch let error as SSHError where error.code == .linkLost {
            guard ssh_get_serverbanner(library.session) != nil else {
                throw SSHError(
                    .connectFailed,
                    "\(endpoint.name) port \(endpoint.port) answers, but not as an ssh server: \(error.message)",
                    cause: error)
            }
            guard library.message.hasPrefix("kex error") else {
                throw SSHError(.handshakeFailed, "no ssh session with \(endpoint.name): \(error.message)", cause: error)
            }
            // It names what both sides know.
            var failure = SSHError(
                .handshakeFailed, "no common algorithm with \(endpoint.name) (\(library.message))", cause: error)
            failure.isLimitOfLibrary = true
            throw failure
        }
    }

    private func serverKey() throws -> HostKey {
        var pointer: ssh_key?
        guard ssh_get_server_publickey(library.session, &pointer) == SSH_OK, let pointer,
            let key = LibraryKey(pointer).publicKey
        else { throw SSHError(.protocolFailure, "\(endpoint.name) has shown no host key") }
        return key
    }
}

/// The order to ask for host keys in: recorded types first, then the rest, newest first.
func hostKeyAlgorithms(recorded: [String]) -> [String] {
    // A key of type ssh-rsa signs by any of three algorithms.
    let algorithms = { (type: String) in type == "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [type] }
    let byAge =
        ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"] + algorithms("ssh-rsa")
    var order: [String] = []
    for algorithm in recorded.flatMap(algorithms) + byAge
    where byAge.contains(algorithm) && !order.contains(algorithm) {
        order.append(algorithm)
    }
    return order
}
