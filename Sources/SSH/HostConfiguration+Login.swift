extension HostConfiguration {
    /// Whom to log in as, and where.
    public var endpoint: Endpoint { Endpoint(host: hostName, port: port, user: user, name: name) }

    /// How to log in there.
    ///
    /// - Parameter account: Whose `~` and variables they are.
    public func login(for account: LocalAccount, prompter: any LoginPrompter) -> Login {
        var policy = KnownHostsPolicy(
            userFiles: userKnownHosts.compactMap { Self.withHome($0, account) },
            globalFiles: globalKnownHosts.compactMap { Self.withHome($0, account) }, alias: hostKeyAlias,
            hashesNames: hashesKnownHosts)
        switch strictHostKeyChecking {
        case .ask: policy.newKeys = isBatchMode ? .refuse : .ask
        case .yes: policy.newKeys = .refuse
        case .acceptNew: policy.newKeys = .accept
        case .no:
            policy.newKeys = .accept
            policy.bearsChangedKeys = true
        }
        var login = Login(
            identityFiles: identityFiles.compactMap { expandedPath($0, for: account) },
            agentSocket: agentSocket(for: account), hostKeys: .knownHosts(policy), prompter: prompter)
        login.prefersIdentityFiles = namesIdentities
        login.usesOnlyIdentityFiles = identitiesOnly
        login.methods = methods
        login.mayAsk = !isBatchMode
        if let connectTimeout { login.connectTimeout = connectTimeout }
        if let silenceLimit { login.silenceLimit = silenceLimit }
        login.limits = limits
        return login
    }

    /// What the configuration has and this module has not. It is only said when the login fails.
    private var limits: [Login.Limit] {
        var limits = foreignMethods.map { Login.Limit(text: "the method \($0)", method: $0) }
        let key = AuthenticationMethod.publicKey.rawValue
        if !certificateFiles.isEmpty { limits.append(.init(text: "a certificate (CertificateFile)", method: key)) }
        if let pkcs11Provider { limits.append(.init(text: "PKCS11Provider \(pkcs11Provider)", method: key)) }
        return limits
    }

    private func agentSocket(for account: LocalAccount) -> String? {
        let usual = account.environment["SSH_AUTH_SOCK"].flatMap { $0.isEmpty ? nil : $0 }
        guard let identityAgent, identityAgent != "SSH_AUTH_SOCK" else { return usual }
        if identityAgent.lowercased() == "none" { return nil }
        // The name of a variable.
        if identityAgent.hasPrefix("$"), !identityAgent.hasPrefix("${") {
            return account.environment[String(identityAgent.dropFirst())]
        }
        return expandedPath(identityAgent, for: account)
    }

    /// ssh has expanded these, but for `~` in the global files.
    private static func withHome(_ path: String, _ account: LocalAccount) -> String? {
        path.hasPrefix("~/") ? account.home + path.dropFirst(1) : path
    }
}
