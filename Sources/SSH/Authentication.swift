internal import CSSH2
internal import IO
internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

extension Session {
    /// How long the server may take for one answer: it may ask a directory, or another server.
    private static var answerLimit: Duration { .seconds(60) }

    /// Logs the user in, by whatever works.
    func authenticate(_ login: Login) async throws {
        var (plan, agent) = await makePlan(login)
        let prompter: any LoginPrompter = login.mayAsk ? login.prompter : SilentPrompter(prompter: login.prompter)
        if try await authenticate(byGuessOf: login, &plan, agent: agent, prompter: prompter) { return }
        try await finishHandshake(limit: Session.answerLimit)
        var accepted = try await acceptedMethods()
        guard !isAuthenticated else { return login.learn(.tookMore) }
        var isFirst = true
        do {
            while let step = plan.next(accepted: accepted) {
                switch try await take(step, agent: agent, prompter: prompter) {
                case .success:
                    if isFirst, case .key(let key) = step, let fingerprint = key.publicKey?.fingerprint {
                        login.learn(.keySufficed(fingerprint))
                    } else {
                        login.learn(.tookMore)
                    }
                    return
                case .unusable(let obstacle): plan.note(step, .unusable(obstacle))
                case .refused(let wasComplete):
                    // A key that was not even asked for a proof is as if it had not been tried.
                    if wasComplete { isFirst = false }
                    // Right but not enough looks like wrong, until one asks what else would do.
                    let now = wasComplete ? try await acceptedMethods() : accepted
                    guard !isAuthenticated else { return }
                    plan.note(step, wasComplete && !now.contains(step.method.rawValue) ? .partialSuccess : .refused)
                    accepted = now
                }
            }
        } catch let error as SSHError where error.code == .linkLost && plan.hasBeenJudged {
            // Servers hang up after too many attempts, or when the user takes too long.
            throw SSHError(
                .authenticationFailed,
                "\(plan.failureMessage(endpoint: endpoint, accepted: accepted)). Then \(error.message)", cause: error)
        }
        throw failure(of: plan, accepted: accepted, login)
    }

    /// Tries the key that is expected to suffice, without asking what the server accepts.
    ///
    /// - Returns: whether the user is in.
    private func authenticate(
        byGuessOf login: Login, _ plan: inout AuthenticationPlan, agent: Agent?, prompter: any LoginPrompter
    ) async throws -> Bool {
        guard let guess = login.guess, let step = plan.takeKey(guess.key) else { return false }
        do {
            switch try await take(step, agent: agent, prompter: prompter, opensEarly: guess.opensChannel) {
            case .success:
                try await finishHandshake(limit: Session.answerLimit)
                return true
            case .unusable(let obstacle): plan.note(step, .unusable(obstacle))
            case .refused(wasComplete: false): plan.note(step, .refused)
            case .refused(wasComplete: true):
                guard awaitsEarlyOpening else {
                    plan.note(step, .refused)
                    break
                }
                throw guessFailure("the key is not enough any more")
            }
        } catch let error as SSHError where error.code == .linkLost && awaitsEarlyOpening {
            // A server may be strict about a request that comes before its time.
            login.learn(.guessFailed)
            throw guessFailure("\(error)")
        }
        return false
    }

    /// The request for a channel is lost, and libssh2 would wait for its answer for ever.
    private func guessFailure(_ why: String) -> SSHError {
        SSHError(.guessFailed, "a shorter way to log in to \(endpoint.description) has failed: \(why)")
    }

    private func failure(of plan: AuthenticationPlan, accepted: Set<String>, _ login: Login) -> SSHError {
        var error = SSHError(.authenticationFailed, plan.failureMessage(endpoint: endpoint, accepted: accepted))
        error.isLimitOfLibrary = plan.metLimitOfLibrary
        // What could not have helped is not worth a word.
        let limits = login.limits.filter { accepted.contains($0.method) }
        if !limits.isEmpty {
            error.isLimitOfLibrary = true
            error.message +=
                ". The ssh configuration has more for this host that libssh2 cannot do: "
                + limits.map(\.text).joined(separator: ", ")
        }
        return error
    }

    private enum StepResult {
        case success
        /// `wasComplete`: all that the method needs was sent, so that it may have been right and not enough.
        case refused(wasComplete: Bool)
        case unusable(AuthenticationPlan.Obstacle)
    }

    private func take(
        _ step: AuthenticationPlan.Step, agent: Agent?, prompter: any LoginPrompter, opensEarly: Bool = false
    ) async throws -> StepResult {
        switch step {
        case .key(let candidate):
            try await tryKey(candidate, agent: agent, prompter: prompter, opensEarly: opensEarly)
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
        for identity in identities where SignatureAlgorithm(keyType: identity.key.type) == nil {
            let name = "key \"\(identity.comment)\" of the ssh-agent"
            unusable.append((name, .init(SSHError.unsupported(keyType: identity.key.type))))
        }
        let keys = keyCandidates(
            files: files, identities: identities, prefersFiles: login.prefersIdentityFiles,
            usesOnlyFiles: login.usesOnlyIdentityFiles)
        return (AuthenticationPlan(keys: keys, methods: login.methods, unusable: unusable), agent)
    }

    private var isAuthenticated: Bool { libssh2_userauth_authenticated(library.pointer) == 1 }

    /// The methods that the server would accept next. None when it needs no more.
    private func acceptedMethods() async throws -> Set<String> {
        let user = endpoint.user
        let answer = try await perform(answerLimit: Session.answerLimit) { session -> Answer<Set<String>> in
            guard let list = libssh2_userauth_list(session, user, UInt32(user.utf8.count)) else {
                if libssh2_userauth_authenticated(session) == 1 { return .done([]) }
                return .failed(libssh2_session_last_errno(session))
            }
            return .done(Set(String(cString: list).split(separator: ",").map(String.init)))
        }
        guard case .done(let methods) = answer else {
            throw SSHError(.protocolFailure, "\(endpoint.name) does not say how to log in: \(libraryMessage())")
        }
        return methods
    }

    // MARK: Public key

    /// What the server wants signed, once it has said that it would accept the key, and the signature, once there is one.
    private final class SignatureRequest {
        var data: [UInt8]?
        var signature: Result<[UInt8], any Error>?
    }

    private func tryKey(
        _ candidate: KeyCandidate, agent: Agent?, prompter: any LoginPrompter, opensEarly: Bool
    ) async throws -> StepResult {
        var unlocked: SigningKey?
        if candidate.publicKey == nil {
            do { unlocked = try await unlock(candidate, prompter) } catch {
                return .unusable(try obstacle(error))
            }
        }
        guard let key = candidate.publicKey ?? unlocked?.publicKey,
            let algorithm = SignatureAlgorithm(keyType: key.type)
        else { return .unusable(.init(SSHError.unsupported(keyType: candidate.publicKey?.type ?? "unknown"))) }
        let request = SignatureRequest()
        while true {
            let answer = try await offer(algorithm.blob(for: key), request, opensEarly: opensEarly)
            if case .failure(let error) = request.signature { return .unusable(try obstacle(error)) }
            guard let data = request.data, request.signature == nil else {
                if case .done = answer { return .success }
                if request.signature == nil, case .file(let file) = candidate.source, file.hasCertificate {
                    var obstacle = AuthenticationPlan.Obstacle(
                        "refused, and libssh2 cannot present the certificate beside it")
                    obstacle.isLimitOfLibrary = true
                    return .unusable(obstacle)
                }
                return .refused(wasComplete: request.signature != nil)
            }
            // Only now, so that no passphrase is asked for a key that the server does not know.
            do {
                request.signature = .success(
                    try await sign(data, with: candidate, unlocked, key, algorithm, agent, prompter))
            } catch {
                // libssh2 has to hear of it too: it stands in the middle of the exchange.
                request.signature = .failure(error)
            }
        }
    }

    private func sign(
        _ data: [UInt8], with candidate: KeyCandidate, _ unlocked: SigningKey?, _ key: HostKey,
        _ algorithm: SignatureAlgorithm, _ agent: Agent?, _ prompter: any LoginPrompter
    ) async throws -> [UInt8] {
        switch candidate.source {
        case .agent:
            guard let agent else { throw SSHError(.agentFailed, "the ssh-agent has gone") }
            return try await agent.sign(data, with: key, algorithm: algorithm)
        case .file:
            if let unlocked { return try unlocked.sign(data) }
            return try await unlock(candidate, prompter).sign(data)
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

    /// Offers a key to the server, and proves it when the request has the signature; comes back when it needs one.
    ///
    /// - Parameter opensEarly: whether the request for a channel follows the proof at once.
    private func offer(
        _ blob: [UInt8], _ request: SignatureRequest, opensEarly: Bool
    ) async throws -> Answer<Void> {
        let user = endpoint.user
        return try await perform(answerLimit: Session.answerLimit) { session in
            try advanceHandshake()
            var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(request).toOpaque()
            let status = libssh2_userauth_publickey(
                session, user, blob, blob.count,
                { _, signature, count, data, dataCount, abstract in
                    guard let context = abstract?.pointee else { return -1 }
                    let request = Unmanaged<SignatureRequest>.fromOpaque(context).takeUnretainedValue()
                    switch request.signature {
                    case nil:
                        request.data = [UInt8](UnsafeRawBufferPointer(start: data, count: dataCount))
                        // libssh2 comes back to this very point when it is called again.
                        return LIBSSH2_ERROR_EAGAIN
                    case .failure: return -1
                    case .success(let bytes):
                        // libssh2 releases it.
                        guard let copy = malloc(bytes.count) else { return -1 }
                        bytes.withUnsafeBytes {
                            copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: bytes.count)
                        }
                        signature?.pointee = copy.assumingMemoryBound(to: UInt8.self)
                        count?.pointee = bytes.count
                        return 0
                    }
                }, &context)
            if status == LIBSSH2_ERROR_EAGAIN, request.data != nil, request.signature == nil { return .done(()) }
            if status == LIBSSH2_ERROR_EAGAIN, opensEarly, case .success = request.signature { requestOpeningEarly() }
            return Answer(Int(status)) { _ in () }
        }
    }

    /// Reads a key's file, with a passphrase where it has one.
    private func unlock(_ candidate: KeyCandidate, _ prompter: any LoginPrompter) async throws -> SigningKey {
        guard case .file(let file) = candidate.source else {
            preconditionFailure("the agent's keys are never unlocked here")
        }
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
        let user = endpoint.user
        let answer = try await perform(answerLimit: Session.answerLimit) { session in
            Answer(
                Int(
                    libssh2_userauth_password_ex(
                        session, user, UInt32(user.utf8.count), password, UInt32(password.utf8.count), nil))
            ) { _ in () }
        }
        switch answer {
        case .done: return .success
        case .failed(LIBSSH2_ERROR_PASSWORD_EXPIRED):
            return .unusable(.init("it has expired; set a new one: ssh \(endpoint.user)@\(endpoint.name)"))
        case .failed: return .refused(wasComplete: true)
        }
    }

    // MARK: Keyboard-interactive

    private func tryKeyboardInteractive(_ prompter: any LoginPrompter) async throws -> StepResult {
        let conversation = Conversation()
        library.context.conversation.withLock { $0 = conversation }
        defer { library.context.conversation.withLock { $0 = nil } }
        let pointer = SessionPointer(value: library.pointer)
        let user = endpoint.user
        var absence: NobodyToAsk?
        while true {
            let generation = arrivals.generation
            wire.beginCall()
            startThread {
                let status = libssh2_userauth_keyboard_interactive_ex(
                    pointer.value, user, UInt32(user.utf8.count), answerQuestions)
                conversation.report(.returned(status))
            }
            let (status, failure) = await converse(conversation, prompter)
            // Without an answer the exchange goes on to its end, after which another method can be tried.
            if let nobody = failure as? NobodyToAsk { absence = nobody } else if let failure { throw failure }
            let answer = Answer(Int(status)) { _ in () }
            guard try await isFinal(answer, generation: generation, answerLimit: Session.answerLimit) else { continue }
            if case .done = answer { return .success }
            if let absence { return .unusable(.init("\(absence)")) }
            return .refused(wasComplete: true)
        }
    }

    /// Asks the user for as long as libssh2's call takes. Gives what that returned, and why the user was not asked on.
    private func converse(
        _ conversation: Conversation, _ prompter: any LoginPrompter
    ) async -> (status: CInt, failure: (any Error)?) {
        var failure: (any Error)?
        while true {
            switch await conversation.next() {
            case .returned(let status): return (status, failure)
            case .asked(let questions):
                var answers: [String] = []
                if failure == nil {
                    do { answers = try await ask(questions, prompter) } catch { failure = error }
                }
                // Without answers too, or the thread would stand still for ever.
                conversation.answer(answers)
            }
        }
    }

    private func ask(_ round: ServerQuestions, _ prompter: any LoginPrompter) async throws -> [String] {
        let texts = [round.name, round.instruction].filter { !$0.isEmpty }
        if !texts.isEmpty { await prompter.show(texts.joined(separator: "\n")) }
        var answers: [String] = []
        for question in round.questions {
            answers.append(try await prompter.answer(question.prompt, echo: question.echo))
        }
        return answers
    }
}

/// A libssh2 session on its way to the thread that makes one call on it.
///
/// Unchecked: while that call runs, the session's actor waits for it, and nobody else uses a session before its login.
private struct SessionPointer: @unchecked Sendable {
    let value: OpaquePointer
}

/// What libssh2 calls with the server's questions.
private func answerQuestions(
    name: UnsafePointer<CChar>?, nameLength: CInt, instruction: UnsafePointer<CChar>?, instructionLength: CInt,
    count: CInt, prompts: UnsafePointer<LIBSSH2_USERAUTH_KBDINT_PROMPT>?,
    responses: UnsafeMutablePointer<LIBSSH2_USERAUTH_KBDINT_RESPONSE>?,
    abstract: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) {
    guard let conversation = LibraryHandle.Context.from(abstract)?.conversation.withLock({ $0 }) else { return }
    let text = { (start: UnsafePointer<CChar>?, length: Int) in
        start.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: length), as: UTF8.self) } ?? ""
    }
    let questions = UnsafeBufferPointer(start: prompts, count: Int(count)).map {
        ServerQuestion(prompt: text($0.text, Int($0.length)), echo: $0.echo != 0)
    }
    let round = ServerQuestions(
        name: text(name, Int(nameLength)), instruction: text(instruction, Int(instructionLength)), questions: questions)
    let answers = conversation.ask(round)
    for (index, answer) in answers.prefix(Int(count)).enumerated() {
        // libssh2 releases it.
        responses?[index].text = strdup(answer)
        responses?[index].length = UInt32(answer.utf8.count)
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
