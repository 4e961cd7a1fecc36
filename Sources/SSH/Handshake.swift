internal import CSSH2
internal import IO

extension Session {
    /// Agrees on keys with the server, makes sure that it is the right one, and logs in.
    func logIn(_ login: Login) async throws {
        let trust = HostTrust(endpoint: endpoint, policy: login.hostKeys)
        // It must not be left to libssh2: it would get a key of a type that is not recorded although there is one of a recorded type.
        try prefer(LIBSSH2_METHOD_HOSTKEY) { hostKeyAlgorithms(recorded: trust.preferredKeyTypes, supported: $0) }
        for method in [LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC] { try prefer(method, authenticationCodes) }
        try await shakeHands(limit: login.connectTimeout, waitsForService: login.guess == nil)
        var login = login
        login.prompter = AttentivePrompter(prompter: login.prompter, session: self)
        if try await !trust.check(try serverKey(), prompter: login.prompter) { login.methods = [.publicKey] }
        try await authenticate(login)
    }

    /// - Parameter waitsForService: whether to wait until the server agrees to log anybody in; ``finishHandshake()`` does it later.
    private func shakeHands(limit: Duration, waitsForService: Bool) async throws {
        let answer: Answer<Void>
        do {
            answer = try await perform(answerLimit: limit) { session in
                let status = libssh2_session_handshake(session, noSocket)
                if status == LIBSSH2_ERROR_EAGAIN, !waitsForService, wire.hasSentEncrypted {
                    isServicePending = true
                    return .done(())
                }
                return Answer(Int(status)) { _ in () }
            }
        } catch let error as SSHError where error.code == .linkLost {
            throw SSHError(
                .connectFailed,
                "\(endpoint.name) port \(endpoint.port) answers, but not as an ssh server: \(error.message)",
                cause: error)
        }
        guard case .failed(let code) = answer else { return }
        if code == LIBSSH2_ERROR_KEX_FAILURE {
            var error = SSHError(
                .handshakeFailed,
                """
                no common algorithm with \(endpoint.name) (\(libraryMessage())). This libssh2 (\(libraryVersion)) is older \
                than what the server insists on: it needs at least an ECDSA or Ed25519 host key, a cipher in CTR mode and \
                a MAC that is not "etm". A newer libssh2, or one of these on the server, helps
                """)
            error.isLimitOfLibrary = true
            throw error
        }
        throw SSHError(.handshakeFailed, "no ssh session with \(endpoint.name): \(libraryMessage())")
    }

    /// Waits until the server has agreed to log anybody in.
    func finishHandshake(limit: Duration) async throws {
        let answer = try await perform(answerLimit: limit) { _ in
            try advanceHandshake()
            return isServicePending ? Answer<Void>.failed(LIBSSH2_ERROR_EAGAIN) : .done(())
        }
        if case .failed = answer { throw SSHError(.protocolFailure, libraryMessage()) }
    }

    /// Takes note of that agreement, if it has come.
    ///
    /// To be called before anything that reads another message: libssh2 that has once waited for this one does not look among
    /// those which somebody else has read.
    func advanceHandshake() throws {
        guard isServicePending else { return }
        let status = libssh2_session_handshake(library.pointer, noSocket)
        guard status != LIBSSH2_ERROR_EAGAIN else { return }
        isServicePending = false
        guard status == 0 else {
            throw SSHError(.handshakeFailed, "no ssh session with \(endpoint.name): \(libraryMessage())")
        }
    }

    private var libraryVersion: String { libssh2_version(0).map { String(cString: $0) } ?? "unknown" }

    private func serverKey() throws -> HostKey {
        var count = 0
        var type: CInt = 0
        guard let start = libssh2_session_hostkey(library.pointer, &count, &type),
            let key = HostKey(blob: [UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        else { throw SSHError(.protocolFailure, "\(endpoint.name) has shown no host key") }
        return key
    }
}

/// libssh2 wants a socket, to ask whether it blocks, and takes an invalid one for one that does not.
/// It must not be a real one: it would be changed. All input and output goes through the wire.
private let noSocket = CInt.max

/// The order to ask for host keys in: recorded types first, then the rest, newest first.
func hostKeyAlgorithms(recorded: [String], supported: [String]) -> [String] {
    // A key of type ssh-rsa signs by any of three algorithms.
    let algorithms = { (type: String) in type == "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [type] }
    let byAge =
        ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"] + algorithms("ssh-rsa")
    var order: [String] = []
    for algorithm in recorded.flatMap(algorithms) + byAge
    where supported.contains(algorithm) && !order.contains(algorithm) {
        order.append(algorithm)
    }
    return order.isEmpty ? supported : order
}
