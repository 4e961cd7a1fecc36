internal import CSSH
internal import IO

extension Session {
    /// How long the server may take for one answer: it may ask a directory, or another server.
    private static var answerLimit: Duration { .seconds(60) }

    /// Logs the user in, by whatever works.
    func authenticate(_ login: Login) async throws {
        var (plan, agent) = await makePlan(login)
        let prompter: any LoginPrompter = login.mayAsk ? login.prompter : SilentPrompter(prompter: login.prompter)
        do {
            if let key = login.expectedKey, let step = plan.takeKey(key) {
                // libssh signs by RSA only once the server has said that it knows SHA-2, which its first answer follows.
                if step.isRSA, try await needsNothing() { return login.learn(nil) }
                switch try await take(step, agent: agent, prompter: prompter, isExpected: true) {
                case .success: return
                // It is as if the server had been asked whether it knows it.
                case .refused: plan.note(step, .unknown)
                case let other: note(other, of: step, in: &plan)
                }
            }
            if acceptedMethods.isEmpty, try await needsNothing() { return login.learn(nil) }
            while let step = plan.next(accepted: acceptedMethods) {
                switch try await take(step, agent: agent, prompter: prompter) {
                case .success:
                    // A key that was not even asked for a proof is as if it had not been tried.
                    if !plan.hasProvedAnything, case .key(let key) = step {
                        return login.learn(key.publicKey?.fingerprint)
                    }
                    return login.learn(nil)
                case let other: note(other, of: step, in: &plan)
                }
            }
        } catch let error as SSHError where error.code == .linkLost && plan.hasBeenJudged {
            // Servers hang up after too many attempts, or when the user takes too long.
            throw SSHError(
                .authenticationFailed,
                "\(plan.failureMessage(endpoint: endpoint, accepted: acceptedMethods)). Then \(error.message)",
                cause: error)
        }
        throw failure(of: plan, accepted: acceptedMethods, login)
    }

    private func note(_ result: StepResult, of step: AuthenticationPlan.Step, in plan: inout AuthenticationPlan) {
        switch result {
        case .success: break
        case .notEnough: plan.note(step, .partialSuccess)
        case .refused(let wasComplete): plan.note(step, wasComplete ? .refused : .unknown)
        case .unusable(let obstacle): plan.note(step, .unusable(obstacle))
        }
    }

    private func failure(of plan: AuthenticationPlan, accepted: Set<String>, _ login: Login) -> SSHError {
        var error = SSHError(.authenticationFailed, plan.failureMessage(endpoint: endpoint, accepted: accepted))
        error.isLimitOfLibrary = plan.metLimitOfLibrary
        // What could not have helped is not worth a word.
        let limits = login.limits.filter { accepted.contains($0.method) }
        if !limits.isEmpty {
            error.isLimitOfLibrary = true
            error.message +=
                ". The ssh configuration has more for this host that cannot be done without your own ssh: "
                + limits.map(\.text).joined(separator: ", ")
        }
        return error
    }

    private enum StepResult {
        case success
        /// It was right, and the server wants something more.
        case notEnough
        /// `wasComplete`: all that the method needs was sent.
        case refused(wasComplete: Bool)
        case unusable(AuthenticationPlan.Obstacle)
    }

    private func take(
        _ step: AuthenticationPlan.Step, agent: Agent?, prompter: any LoginPrompter, isExpected: Bool = false
    ) async throws -> StepResult {
        switch step {
        case .key(let candidate): try await tryKey(candidate, agent: agent, prompter: prompter, isExpected: isExpected)
        case .keyboardInteractive: try await tryKeyboardInteractive(prompter)
        case .password: try await tryPassword(prompter)
        }
    }

    private func makePlan(_ login: Login) async -> (AuthenticationPlan, Agent?) {
        guard login.methods.contains(.publicKey) else {
            return (AuthenticationPlan(keys: [], methods: login.methods), nil)
        }
        var unusable: [(name: String, obstacle: AuthenticationPlan.Obstacle)] = []
        var files: [KeyFile] = []
        for path in login.identityFiles {
            // The key itself may be in the agent only, and here no more than its public part.
            guard let present = [path, path + ".pub"].first(where: fileExists) else {
                if login.prefersIdentityFiles { unusable.append(("key \(path)", .init("there is no such file"))) }
                continue
            }
            do { files.append(try KeyFile(path: present)) } catch {
                unusable.append(("key \(path)", .init(error)))
            }
        }
        let agent = login.agentSocket.map { Agent(socket: $0, loop: loop) }
        var identities: [Agent.Identity] = []
        do { identities = try await agent?.identities() ?? [] } catch { unusable.append(("ssh-agent", .init(error))) }
        for identity in identities where !HostKey.usableTypes.contains(identity.key.type) {
            let name = "key \"\(identity.comment)\" of the ssh-agent"
            unusable.append((name, .init(SSHError.unsupported(keyType: identity.key.type))))
        }
        let keys = keyCandidates(
            files: files, identities: identities, prefersFiles: login.prefersIdentityFiles,
            usesOnlyFiles: login.usesOnlyIdentityFiles)
        return (AuthenticationPlan(keys: keys, methods: login.methods, unusable: unusable), agent)
    }

    /// Asks for the methods that the server would accept.
    ///
    /// - Returns: whether it lets the user in without any.
    private func needsNothing() async throws -> Bool {
        try await isSuccess(authenticate { ssh_userauth_none($0, nil) })
    }

    /// The methods that the server would accept next, by what it said last. None when it needs no more.
    private var acceptedMethods: Set<String> {
        let methods = ssh_userauth_list(library.session, nil)
        let names = [
            SSH_AUTH_METHOD_PUBLICKEY: "publickey", SSH_AUTH_METHOD_PASSWORD: "password",
            SSH_AUTH_METHOD_INTERACTIVE: "keyboard-interactive", SSH_AUTH_METHOD_HOSTBASED: "hostbased",
            SSH_AUTH_METHOD_GSSAPI_MIC: "gssapi-with-mic",
        ]
        return Set(names.filter { methods & CInt($0.key) != 0 }.values)
    }

    /// Makes a call of libssh's until the server has judged.
    private func authenticate(_ call: (ssh_session) -> CInt) async throws -> ssh_auth_e {
        let status = try await perform(again: SSH_AUTH_AGAIN.rawValue, answerLimit: Session.answerLimit) {
            call(library.session)
        }
        return ssh_auth_e(status)
    }

    private func isSuccess(_ verdict: ssh_auth_e) throws -> Bool {
        guard verdict != SSH_AUTH_ERROR else {
            throw SSHError(.protocolFailure, "\(endpoint.name) does not say how to log in: \(library.message)")
        }
        return verdict == SSH_AUTH_SUCCESS
    }

    /// What the server's verdict on all that a method needs comes to.
    private func result(_ verdict: ssh_auth_e) -> StepResult {
        switch verdict {
        case SSH_AUTH_SUCCESS: .success
        case SSH_AUTH_PARTIAL: .notEnough
        case SSH_AUTH_DENIED: .refused(wasComplete: true)
        default: .unusable(.init(library.message))
        }
    }

    // MARK: Public key

    /// - Parameter isExpected: whether the server will know this key: then it is proved without an offer.
    private func tryKey(
        _ candidate: KeyCandidate, agent: Agent?, prompter: any LoginPrompter, isExpected: Bool
    ) async throws -> StepResult {
        do {
            switch candidate.source {
            case .agent(let comment):
                guard let agent, let key = candidate.publicKey else {
                    throw SSHError(.agentFailed, "the ssh-agent has gone")
                }
                return try await tryKey(.init(key: key, comment: comment), of: agent)
            case .file(let file): return try await tryKey(file, candidate.publicKey, prompter, isExpected: isExpected)
            }
        } catch {
            return .unusable(try obstacle(error))
        }
    }

    private func tryKey(
        _ file: KeyFile, _ publicKey: HostKey?, _ prompter: any LoginPrompter, isExpected: Bool
    ) async throws -> StepResult {
        // First the offer, so that no passphrase is asked for a key that the server does not know.
        if let publicKey, !isExpected || file.isEncrypted {
            guard let offered = LibraryKey(publicKey) else { throw SSHError.unsupported(keyType: publicKey.type) }
            switch try await authenticate({ ssh_userauth_try_publickey($0, nil, offered.pointer) }) {
            case SSH_AUTH_SUCCESS: break
            case SSH_AUTH_DENIED where file.hasCertificate:
                var obstacle = AuthenticationPlan.Obstacle(
                    "refused, and the certificate beside it is not presented here")
                obstacle.isLimitOfLibrary = true
                return .unusable(obstacle)
            case SSH_AUTH_DENIED: return .refused(wasComplete: false)
            case let verdict: return result(verdict)
            }
        }
        let key = try await unlock(file, prompter)
        return result(try await authenticate { ssh_userauth_publickey($0, nil, key.pointer) })
    }

    private func tryKey(_ identity: Agent.Identity, of agent: Agent) async throws -> StepResult {
        let (stream, socket) = try Descriptor.toSocket(loop: loop)
        // libssh waits for each answer of the agent's, in which the user may have a part.
        guard ssh_set_agent_socket(library.session, socket) == SSH_OK else {
            throw SSHError(.agentFailed, "libssh does not take an ssh-agent: \(library.message)")
        }
        defer {
            // libssh only forgets it.
            ssh_set_agent_socket(library.session, SSH_INVALID_SOCKET)
            Descriptor.close(socket)
        }
        let front = AgentFront(agent: agent, identity: identity)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // It ends when this is cancelled, and libssh's calls with it.
            group.addTask { await front.serve(on: stream) }
            defer { group.cancelAll() }
            while true {
                if let failure { throw failure }
                let generation = arrivals.generation
                let status = await lend { ssh_userauth_agent($0, nil) }
                noticeEffects()
                try Task.checkCancellation()
                if let failure { throw failure }
                if let error = front.failure { throw error }
                guard status == SSH_AUTH_AGAIN.rawValue else {
                    if !front.hasSigned, status == SSH_AUTH_DENIED.rawValue { return .refused(wasComplete: false) }
                    return result(ssh_auth_e(status))
                }
                try await waitForArrivals(after: generation, limit: Session.answerLimit)
            }
        }
    }

    /// What an error in the use of a key means for the login: the next key may do. Throws those that end it.
    private func obstacle(_ error: any Error) throws -> AuthenticationPlan.Obstacle {
        switch error {
        case let error as SSHError where error.code == .keyUnusable || error.code == .agentFailed: .init(error)
        case let error as NobodyToAsk: .init("it is encrypted, and \(error)")
        default: throw error
        }
    }

    /// Reads a key's file, with a passphrase where it has one.
    private func unlock(_ file: KeyFile, _ prompter: any LoginPrompter) async throws -> LibraryKey {
        guard file.isEncrypted else {
            guard let key = try file.unlock(passphrase: nil) else { throw SSHError(.keyUnusable, "it is damaged") }
            return key
        }
        for attempt in 0..<3 {
            let passphrase = try await prompter.passphrase(forKey: file.path, attempt: attempt)
            if let key = try file.unlock(passphrase: passphrase) { return key }
        }
        throw SSHError(.keyUnusable, "three wrong passphrases")
    }

    // MARK: Password

    private func tryPassword(_ prompter: any LoginPrompter) async throws -> StepResult {
        let password: String
        do {
            password = try await prompter.answer("Password for \(endpoint.description): ", echo: false)
        } catch let error as NobodyToAsk {
            return .unusable(.init("\(error)"))
        }
        let verdict = try await authenticate { ssh_userauth_password($0, nil, password) }
        guard verdict != SSH_AUTH_ERROR else {
            // The server has answered, with something else than a verdict: it asks for a new one.
            return .unusable(.init("it has expired; set a new one: ssh \(endpoint.user)@\(endpoint.name)"))
        }
        return result(verdict)
    }

    // MARK: Keyboard-interactive

    private func tryKeyboardInteractive(_ prompter: any LoginPrompter) async throws -> StepResult {
        var absence: NobodyToAsk?
        while true {
            let verdict = try await authenticate { ssh_userauth_kbdint($0, nil, nil) }
            guard verdict == SSH_AUTH_INFO else {
                if verdict != SSH_AUTH_SUCCESS, let absence { return .unusable(.init("\(absence)")) }
                return result(verdict)
            }
            // Without an answer the exchange goes on to its end, after which another method can be tried.
            guard absence == nil else { continue }
            do {
                try await answerQuestions(prompter)
            } catch let nobody as NobodyToAsk {
                absence = nobody
            }
        }
    }

    /// One round of the server's questions. There may be none, and only something to show.
    private func answerQuestions(_ prompter: any LoginPrompter) async throws {
        let texts = [
            ssh_userauth_kbdint_getname(library.session), ssh_userauth_kbdint_getinstruction(library.session),
        ].map { $0.map { String(cString: $0) } ?? "" }.filter { !$0.isEmpty }
        if !texts.isEmpty { await prompter.show(texts.joined(separator: "\n")) }
        for index in 0..<UInt32(max(0, ssh_userauth_kbdint_getnprompts(library.session))) {
            var echo: CChar = 0
            let prompt = ssh_userauth_kbdint_getprompt(library.session, index, &echo).map { String(cString: $0) } ?? ""
            let answer = try await prompter.answer(prompt, echo: echo != 0)
            if let failure { throw failure }
            ssh_userauth_kbdint_setanswer(library.session, index, answer)
        }
    }
}

/// Shows what there is to show, and asks nothing.
private struct SilentPrompter: LoginPrompter {
    let prompter: any LoginPrompter

    func confirm(_ question: HostKeyQuestion) async throws -> Bool { throw absence }
    func answer(_ prompt: String, echo: Bool) async throws -> String { throw absence }
    func passphrase(forKey path: String, attempt: Int) async throws -> String { throw absence }
    func show(_ notice: String) async { await prompter.show(notice) }

    private var absence: NobodyToAsk { NobodyToAsk("the ssh configuration does not allow to ask (BatchMode)") }
}
