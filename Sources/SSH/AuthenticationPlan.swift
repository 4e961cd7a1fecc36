/// A key that might log the user in.
struct KeyCandidate: Sendable {
    enum Source: Sendable {
        case agent(comment: String)
        case file(KeyFile)
    }

    var source: Source
    /// Nil for an encrypted PEM file with no `.pub` beside it: the passphrase comes first then.
    var publicKey: HostKey?

    /// For messages.
    var name: String {
        switch source {
        case .agent(let comment): "key \"\(comment)\" of the ssh-agent"
        case .file(let file): "key \(file.path)"
        }
    }
}

/// The order in which keys are tried.
///
/// What needs no passphrase comes first: a file whose key the agent has, or that is not encrypted, in the files' order;
/// then the agent's other keys; then encrypted files.
func keyCandidates(files: [KeyFile], identities: [Agent.Identity]) -> [KeyCandidate] {
    var free: [KeyCandidate] = []
    var locked: [KeyCandidate] = []
    var used: Set<HostKey> = []
    for file in files {
        if let key = file.publicKey, !used.insert(key).inserted { continue }
        if let identity = identities.first(where: { $0.key == file.publicKey }) {
            free.append(KeyCandidate(source: .agent(comment: identity.comment), publicKey: identity.key))
        } else if !file.isPublicOnly {
            let candidate = KeyCandidate(source: .file(file), publicKey: file.publicKey)
            if file.isEncrypted { locked.append(candidate) } else { free.append(candidate) }
        }
    }
    let others = identities.filter { !used.contains($0.key) && SignatureAlgorithm(keyType: $0.key.type) != nil }
    return free + others.map { KeyCandidate(source: .agent(comment: $0.comment), publicKey: $0.key) } + locked
}

/// Decides what to try next during a login, and keeps account of what was tried.
///
/// A pure value: it is told what the server accepts and how each step went, and says what to do.
struct AuthenticationPlan {
    enum Step {
        case key(KeyCandidate)
        case keyboardInteractive
        case password
    }

    enum Outcome {
        /// The server does not want it.
        case refused
        /// It was right, and the server wants something more.
        case partialSuccess
        /// It could not be tried, for this reason.
        case unusable(String)
    }

    private var keys: [KeyCandidate]
    private var remaining: [String: Int]
    private(set) var attempts: [String] = []
    /// Whether the server has judged any of it.
    private(set) var hasBeenJudged = false

    /// - Parameter unusable: Keys that are not even candidates, with the reasons.
    init(keys: [KeyCandidate], allowsPassword: Bool, unusable: [String] = []) {
        self.keys = keys
        // As often as ssh lets a user mistype.
        remaining = allowsPassword ? ["keyboard-interactive": 3, "password": 3] : [:]
        attempts = unusable
    }

    /// What to try, given the methods that the server would accept; nil when there is nothing left.
    mutating func next(accepted: Set<String>) -> Step? {
        if accepted.contains("publickey"), !keys.isEmpty { return .key(keys.removeFirst()) }
        for (method, step) in [("keyboard-interactive", Step.keyboardInteractive), ("password", Step.password)] {
            guard accepted.contains(method), let count = remaining[method], count > 0 else { continue }
            remaining[method] = count - 1
            return step
        }
        return nil
    }

    mutating func note(_ step: Step, _ outcome: Outcome) {
        let name =
            switch step {
            case .key(let candidate): candidate.name
            case .keyboardInteractive: "keyboard-interactive"
            case .password: "password"
            }
        if case .unusable = outcome {} else { hasBeenJudged = true }
        switch outcome {
        case .refused: attempts.append("\(name) (refused)")
        case .partialSuccess: attempts.append("\(name) (accepted, but not enough)")
        case .unusable(let reason): attempts.append("\(name) (\(reason))")
        }
    }

    /// What a user needs to know when nothing worked.
    func failureMessage(endpoint: Endpoint, accepted: Set<String>) -> String {
        let tried = attempts.isEmpty ? "there was nothing to try" : "tried " + attempts.joined(separator: ", ")
        let wanted = accepted.isEmpty ? "" : "; the server accepts \(accepted.sorted().joined(separator: ", "))"
        var message = "no login as \(endpoint.description): \(tried)\(wanted)"
        if accepted.contains("publickey") {
            message +=
                ". Does the server know your key? Try: ssh-copy-id -p \(endpoint.port) \(endpoint.user)@\(endpoint.host)"
        }
        return message
    }
}
