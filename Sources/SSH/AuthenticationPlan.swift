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
/// then the agent's other keys; then encrypted files. Files that the user has named for the host come before all others.
func keyCandidates(
    files: [KeyFile], identities: [Agent.Identity], prefersFiles: Bool = false, usesOnlyFiles: Bool = false
) -> [KeyCandidate] {
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
    let others = (usesOnlyFiles ? [] : identities)
        .filter { !used.contains($0.key) && HostKey.usableTypes.contains($0.key.type) }
        .map { KeyCandidate(source: .agent(comment: $0.comment), publicKey: $0.key) }
    return prefersFiles ? free + locked + others : free + others + locked
}

/// Decides what to try next during a login, and keeps account of what was tried.
///
/// A pure value: it is told what the server accepts and how each step went, and says what to do.
struct AuthenticationPlan {
    enum Step {
        case key(KeyCandidate)
        case keyboardInteractive
        case password

        var isRSA: Bool { if case .key(let candidate) = self { candidate.publicKey?.type == "ssh-rsa" } else { false } }

        var method: AuthenticationMethod {
            switch self {
            case .key: .publicKey
            case .keyboardInteractive: .keyboardInteractive
            case .password: .password
            }
        }
    }

    enum Outcome {
        /// The server does not want it.
        case refused
        /// The server does not want to see a proof of it: as if it had not been tried.
        case unknown
        /// It was right, and the server wants something more.
        case partialSuccess
        /// It could not be tried, for this reason.
        case unusable(Obstacle)
    }

    /// Why something cannot be tried.
    struct Obstacle {
        var reason: String
        /// Whether OpenSSH's own client could.
        var isLimitOfLibrary = false

        init(_ reason: String) { self.reason = reason }

        init(_ error: any Error) {
            reason = "\(error)"
            isLimitOfLibrary = (error as? SSHError)?.isLimitOfLibrary ?? false
        }
    }

    private var keys: [KeyCandidate]
    private let methods: [AuthenticationMethod]
    private var remaining: [AuthenticationMethod: Int]
    private(set) var attempts: [String] = []
    /// Whether the server has judged any of it.
    private(set) var hasBeenJudged = false
    /// Whether the server has judged a proof.
    private(set) var hasProvedAnything = false
    /// Whether anything could not be tried that OpenSSH's own client could have.
    private(set) var metLimitOfLibrary = false

    /// - Parameters:
    ///   - methods: What may be tried, in this order.
    ///   - unusable: What is not even a candidate, with the reasons.
    init(
        keys: [KeyCandidate], methods: [AuthenticationMethod], unusable: [(name: String, obstacle: Obstacle)] = []
    ) {
        self.keys = keys
        self.methods = methods
        // As often as ssh lets a user mistype.
        remaining = [.keyboardInteractive: 3, .password: 3]
        attempts = unusable.map { "\($0.name) (\($0.obstacle.reason))" }
        metLimitOfLibrary = unusable.contains { $0.obstacle.isLimitOfLibrary }
    }

    /// What to try, given the methods that the server would accept; nil when there is nothing left.
    mutating func next(accepted: Set<String>) -> Step? {
        for method in methods where accepted.contains(method.rawValue) {
            if method == .publicKey {
                if !keys.isEmpty { return .key(keys.removeFirst()) }
                continue
            }
            guard let count = remaining[method], count > 0 else { continue }
            remaining[method] = count - 1
            return method == .password ? .password : .keyboardInteractive
        }
        return nil
    }

    /// Takes the key with this fingerprint out of turn; nil when it is not among those to try.
    mutating func takeKey(_ fingerprint: String) -> Step? {
        guard methods.contains(.publicKey),
            let index = keys.firstIndex(where: { $0.publicKey?.fingerprint == fingerprint })
        else { return nil }
        return .key(keys.remove(at: index))
    }

    mutating func note(_ step: Step, _ outcome: Outcome) {
        let name =
            switch step {
            case .key(let candidate): candidate.name
            case .keyboardInteractive: "keyboard-interactive"
            case .password: "password"
            }
        switch outcome {
        case .unknown: attempts.append("\(name) (refused)")
        case .refused:
            attempts.append("\(name) (refused)")
            hasProvedAnything = true
        case .partialSuccess:
            attempts.append("\(name) (accepted, but not enough)")
            hasProvedAnything = true
        case .unusable(let obstacle):
            attempts.append("\(name) (\(obstacle.reason))")
            if obstacle.isLimitOfLibrary { metLimitOfLibrary = true }
            // Nor would it be usable a second time.
            remaining[step.method] = 0
            return
        }
        hasBeenJudged = true
    }

    /// What a user needs to know when nothing worked.
    func failureMessage(endpoint: Endpoint, accepted: Set<String>) -> String {
        let tried = attempts.isEmpty ? "there was nothing to try" : "tried " + attempts.joined(separator: ", ")
        let wanted = accepted.isEmpty ? "" : "; the server accepts \(accepted.sorted().joined(separator: ", "))"
        var message = "no login as \(endpoint.description): \(tried)\(wanted)"
        let forbidden = AuthenticationMethod.allCases.map(\.rawValue).filter(accepted.contains)
            .filter { name in !methods.contains { $0.rawValue == name } }
        if !forbidden.isEmpty {
            message += "; the ssh configuration does not allow \(forbidden.joined(separator: ", ")) here"
        }
        if accepted.contains("publickey"), methods.contains(.publicKey) {
            message +=
                ". Does the server know your key? Try: ssh-copy-id -p \(endpoint.port) \(endpoint.user)@\(endpoint.name)"
        }
        return message
    }
}
