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
        if case .knownHosts(let files, _) = policy {
            for file in files {
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
        case .knownHosts(_, let alias): known.keyTypes(host: endpoint.host, port: endpoint.port, alias: alias)
        }
    }

    /// Throws unless the key is the host's, by what is recorded or by the user's word. Records a new one.
    func check(_ key: HostKey, prompter: any LoginPrompter) async throws {
        switch policy {
        case .exactly(let keys):
            guard keys.contains(key) else {
                throw SSHError(
                    .hostKeyChanged,
                    """
                    \(endpoint.host) has shown the host key \(key.fingerprint) (\(key.type)), which is not one that it told \
                    beforehand. The connection may lead to another machine; nothing was sent
                    """)
            }
        case .knownHosts(let files, let alias):
            try await check(key, files: files, alias: alias, prompter: prompter)
        }
    }

    private func check(
        _ key: HostKey, files: [String], alias: String?, prompter: any LoginPrompter
    ) async throws {
        let name = KnownHosts.lookupName(host: endpoint.host, port: endpoint.port, alias: alias)
        switch known.verdict(on: key, host: endpoint.host, port: endpoint.port, alias: alias) {
        case .known: return
        case .changed(let place):
            throw SSHError(
                .hostKeyChanged,
                """
                the host key of \(name) has changed: it shows \(key.fingerprint) (\(key.type)), but \(place) has another. \
                Somebody may be listening in, or the machine was set up anew. Ask its administrators; if they confirm the \
                new key, forget the old one: ssh-keygen -f \(shellQuoted(place.file)) -R \(shellQuoted(name))
                """)
        case .revoked(let place):
            throw SSHError(
                .hostKeyRevoked,
                "the host key of \(name), \(key.fingerprint) (\(key.type)), is marked as revoked at \(place): do not use it"
            )
        case .unknown(let recordedTypes):
            for notice in notices { await prompter.show(notice) }
            let question = HostKeyQuestion(
                host: name, port: endpoint.port, keyType: key.type, fingerprint: key.fingerprint,
                recordedTypes: recordedTypes)
            guard try await prompter.confirm(question) else {
                throw SSHError(.hostKeyUnknown, refusal(name: name, key: key, alias: alias))
            }
            do {
                try record(key, in: files.first, alias: alias)
            } catch {
                // The user has decided; being asked again next time is no reason to stay outside.
                await prompter.show("the host key of \(name) could not be recorded: \(error)")
            }
        }
    }

    private func refusal(name: String, key: HostKey, alias: String?) -> String {
        let authority =
            known.hasCertificateAuthority(host: endpoint.host, port: endpoint.port, alias: alias)
            ? "; a certificate authority is recorded for it, but host certificates are not supported" : ""
        return
            "the host key of \(name), \(key.fingerprint) (\(key.type)), is not known and was not accepted\(authority)"
    }

    /// Adds a key to a known_hosts file, which is made when it is missing.
    private func record(_ key: HostKey, in file: String?, alias: String?) throws {
        guard let file else { return }
        let salt = known.hashesNames ? randomBytes(20) : nil
        let line = KnownHosts.line(for: key, host: endpoint.host, port: endpoint.port, alias: alias, salt: salt)
        try appendLine(line, toPrivateFile: file)
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
