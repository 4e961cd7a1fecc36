internal import IO

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Whether a host is the one it should be.
struct HostTrust {
    private let endpoint: Endpoint
    private let policy: HostKeyPolicy
    private let known: KnownHosts
    /// What the user should hear of before being asked.
    private var notices: [String] = []

    init(endpoint: Endpoint, policy: HostKeyPolicy) {
        self.endpoint = endpoint
        self.policy = policy
        var known = KnownHosts()
        if case .knownHosts(let policy) = policy {
            for file in policy.userFiles + policy.globalFiles {
                // A file that is not there, or not ours to read, knows nobody: then the user is asked.
                guard fileExists(file) else { continue }
                do {
                    known.add(file: file, text: String(decoding: try readFile(file), as: UTF8.self))
                } catch {
                    notices.append("known hosts are missing: \(error)")
                }
            }
        }
        self.known = known
    }

    /// The key types that would be believed.
    var preferredKeyTypes: [String] {
        switch policy {
        case .exactly(let keys): keys.map(\.type)
        case .knownHosts(let policy):
            known.keyTypes(host: endpoint.host, port: endpoint.port, alias: policy.alias)
        }
    }

    /// Throws unless the key is the host's, by what is recorded or by the user's word. Records a new one.
    ///
    /// - Returns: Whether the host may be trusted with a secret; false when its key is not the recorded one, and the user
    ///   has chosen to bear that.
    func check(_ key: HostKey, prompter: any LoginPrompter) async throws -> Bool {
        switch policy {
        case .exactly(let keys):
            guard keys.contains(key) else {
                throw SSHError(
                    .hostKeyChanged,
                    """
                    \(endpoint.name) has shown the host key \(key.fingerprint) (\(key.type)), which is not one that it told \
                    beforehand. The connection may lead to another machine; nothing was sent
                    """)
            }
            return true
        case .knownHosts(let policy): return try await check(key, policy, prompter)
        }
    }

    private func check(
        _ key: HostKey, _ policy: KnownHostsPolicy, _ prompter: any LoginPrompter
    ) async throws -> Bool {
        let recordName = KnownHosts.lookupName(host: endpoint.host, port: endpoint.port, alias: policy.alias)
        // What the user typed, and what the files have, where that is something else.
        let name =
            endpoint.name == endpoint.host && policy.alias == nil
            ? recordName : "\(endpoint.name), recorded as \(recordName),"
        let shown = "\(key.fingerprint) (\(key.type))"
        switch known.verdict(on: key, host: endpoint.host, port: endpoint.port, alias: policy.alias) {
        case .known: return true
        case .changed(let place):
            guard !policy.bearsChangedKeys else {
                await prompter.show(
                    """
                    WARNING: the host key of \(name) has changed: it shows \(shown), but \(place) has another. Going on \
                    without passwords, since StrictHostKeyChecking is off
                    """)
                return false
            }
            throw SSHError(
                .hostKeyChanged,
                """
                the host key of \(name) has changed: it shows \(shown), but \(place) has another. \
                Somebody may be listening in, or the machine was set up anew. Ask its administrators; if they confirm the \
                new key, forget the old one: ssh-keygen -f \(shellQuoted(place.file)) -R \(shellQuoted(recordName))
                """)
        case .revoked(let place):
            throw SSHError(
                .hostKeyRevoked, "the host key of \(name) is marked as revoked at \(place): \(shown). Do not use it")
        case .unknown(let recordedTypes):
            for notice in notices { await prompter.show(notice) }
            let question = HostKeyQuestion(
                host: recordName, port: endpoint.port, keyType: key.type, fingerprint: key.fingerprint,
                recordedTypes: recordedTypes,
                hasCertificateAuthority: known.hasCertificateAuthority(
                    host: endpoint.host, port: endpoint.port, alias: policy.alias))
            try await decide(on: question, name: name, policy, prompter)
            await record(key, as: recordName, policy, prompter)
            return true
        }
    }

    /// Throws unless a key that is not known is accepted.
    private func decide(
        on question: HostKeyQuestion, name: String, _ policy: KnownHostsPolicy, _ prompter: any LoginPrompter
    ) async throws {
        let reason: String
        switch policy.newKeys {
        case .accept: return
        case .ask where try await prompter.confirm(question): return
        case .ask: reason = "and was not accepted"
        case .refuse: reason = "and the ssh configuration does not allow to ask (StrictHostKeyChecking or BatchMode)"
        }
        var error = SSHError(
            .hostKeyUnknown,
            "the host key of \(name) is not known \(reason): \(question.fingerprint) (\(question.keyType))")
        if question.hasCertificateAuthority {
            error.message += "; a certificate authority is recorded for it, but host certificates are not supported"
            error.isLimitOfLibrary = true
        }
        throw error
    }

    /// Adds a key to the user's known hosts.
    private func record(
        _ key: HostKey, as name: String, _ policy: KnownHostsPolicy, _ prompter: any LoginPrompter
    ) async {
        guard let file = policy.userFiles.first else { return }
        let salt = policy.hashesNames || known.hashesNames ? randomBytes(20) : nil
        let line = KnownHosts.line(
            for: key, host: endpoint.host, port: endpoint.port, alias: policy.alias, salt: salt)
        do {
            try appendLine(line, toPrivateFile: file)
            if policy.newKeys == .accept {
                await prompter.show("the host key of \(name), \(key.fingerprint) (\(key.type)), is now in \(file)")
            }
        } catch {
            // The user has decided; being asked again next time is no reason to stay outside.
            await prompter.show("the host key of \(name) could not be recorded: \(error)")
        }
    }
}

/// A word as a shell takes it for itself.
private func shellQuoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "/._-".utf8.contains(byte)
    }
    if plain, !word.isEmpty { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
}
