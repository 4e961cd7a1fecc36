extension HostConfiguration {
    /// From what `ssh -G` prints: a line for each option, its name in lower case, a space, its value.
    ///
    /// - Parameter name: What the user calls the host.
    /// - Throws: ``SSHError`` with code `configurationInvalid` when it is not such a text, or has values that no ssh prints.
    public init(output: String, name: String) throws(SSHError) {
        self.init(name: name, user: "")
        identityFiles = []
        var options = AuthenticationOptions()
        var alive = (interval: 0, count: 3)
        for line in output.split(whereSeparator: \.isNewline) {
            guard let space = line.firstIndex(of: " ") else { continue }
            let key = line[..<space].lowercased()
            let value = String(line[line.index(after: space)...])
            guard !value.isEmpty else { continue }
            switch key {
            case "hostname": hostName = value
            case "user": user = value
            case "port":
                guard let number = UInt16(value), number > 0 else { throw Self.unexpected(line) }
                port = number
            case "identityfile": if !Self.isNone(value) { identityFiles.append(value) }
            case "certificatefile": if !Self.isNone(value) { certificateFiles.append(value) }
            case "identitiesonly": identitiesOnly = Self.isTrue(value)
            case "identityagent": identityAgent = value
            case "pkcs11provider": pkcs11Provider = Self.isNone(value) ? nil : value
            case "batchmode": isBatchMode = Self.isTrue(value)
            case "pubkeyauthentication": options.turn(.publicKey, on: !Self.isFalse(value))
            case "kbdinteractiveauthentication", "challengeresponseauthentication":
                options.turn(.keyboardInteractive, on: !Self.isFalse(value))
            case "passwordauthentication": options.turn(.password, on: !Self.isFalse(value))
            case "preferredauthentications": options.preferred = value
            case "gssapiauthentication": options.usesGSSAPI = Self.isTrue(value)
            case "hostbasedauthentication": options.isHostBased = Self.isTrue(value)
            case "proxyjump":
                guard let hosts = JumpHost.list(value) else { throw Self.unexpected(line) }
                jumpHosts = hosts
            case "proxycommand": proxyCommand = Self.isNone(value) ? nil : value
            case "proxyusefdpass": passesDescriptor = Self.isTrue(value)
            case "hostkeyalias": hostKeyAlias = value
            case "userknownhostsfile": userKnownHosts = Self.paths(value)
            case "globalknownhostsfile": globalKnownHosts = Self.paths(value)
            case "hashknownhosts": hashesKnownHosts = Self.isTrue(value)
            case "stricthostkeychecking":
                guard let choice = StrictHostKeyChecking(option: value) else { throw Self.unexpected(line) }
                strictHostKeyChecking = choice
            case "serveraliveinterval": alive.interval = try Self.number(value, line)
            case "serveralivecountmax": alive.count = try Self.number(value, line)
            case "connecttimeout":
                let seconds = Self.isNone(value) ? 0 : try Self.number(value, line)
                connectTimeout = seconds > 0 ? .seconds(seconds) : nil
            default: break
            }
        }
        guard !user.isEmpty else {
            throw SSHError(.configurationInvalid, "ssh -G \(name) does not say which user it would log in as")
        }
        (methods, foreignMethods) = options.result(isBatchMode: isBatchMode)
        silenceLimit = Self.silenceLimit(alive, isBatchMode: isBatchMode)
    }

    /// How long ssh would bear the server's silence.
    private static func silenceLimit(_ alive: (interval: Int, count: Int), isBatchMode: Bool) -> Duration? {
        // Debian's ssh sets 300 s by itself in batch mode: nobody has asked for that.
        guard alive.interval > 0, alive.count > 0, !(isBatchMode && alive.interval == 300) else { return nil }
        return .seconds(alive.interval) * alive.count
    }

    /// A number of seconds or the like: not so large that arithmetic with it could overflow.
    private static func number(_ value: String, _ line: Substring) throws(SSHError) -> Int {
        guard let number = Int32(value), number >= 0 else { throw unexpected(line) }
        return Int(number)
    }

    /// `ssh -G` prints several paths in one line without quotes. Each begins as paths do; a word that does not belongs to
    /// the path before it, which has a space in it.
    private static func paths(_ value: String) -> [String] {
        if isNone(value) { return [] }
        var paths: [String] = []
        for word in value.split(separator: " ", omittingEmptySubsequences: false) {
            if word.hasPrefix("/") || word.hasPrefix("~") || paths.isEmpty {
                paths.append(String(word))
            } else {
                paths[paths.count - 1] += " " + word
            }
        }
        return paths.filter { !$0.isEmpty }
    }

    private static func isTrue(_ value: String) -> Bool { ["yes", "true"].contains(value.lowercased()) }
    private static func isFalse(_ value: String) -> Bool { ["no", "false"].contains(value.lowercased()) }
    private static func isNone(_ value: String) -> Bool { value.lowercased() == "none" }

    private static func unexpected(_ line: Substring) -> SSHError {
        SSHError(.configurationInvalid, "ssh -G says \"\(line.prefix(200))\", which makes no sense here")
    }
}

extension HostConfiguration.StrictHostKeyChecking {
    fileprivate init?(option: String) {
        switch option.lowercased() {
        case "yes", "true": self = .yes
        case "ask": self = .ask
        case "accept-new": self = .acceptNew
        case "no", "false", "off": self = .no
        default: return nil
        }
    }
}

/// The options that together say which methods may be tried.
private struct AuthenticationOptions {
    private var off: Set<AuthenticationMethod> = []
    var preferred: String?
    var usesGSSAPI = false
    var isHostBased = false

    mutating func turn(_ method: AuthenticationMethod, on: Bool) {
        if on { off.remove(method) } else { off.insert(method) }
    }

    func result(isBatchMode: Bool) -> (methods: [AuthenticationMethod], foreign: [String]) {
        var foreign: [String] = []
        if usesGSSAPI { foreign += ["gssapi-with-mic", "gssapi-keyex"] }
        if isHostBased { foreign.append("hostbased") }
        var wanted = AuthenticationMethod.allCases
        if let preferred {
            let names = preferred.split(separator: ",").map(String.init)
            wanted = names.compactMap(AuthenticationMethod.init(rawValue:))
            foreign = foreign.filter(names.contains)
        }
        let batch: Set<AuthenticationMethod> = isBatchMode ? [.keyboardInteractive, .password] : []
        return (wanted.filter { !off.contains($0) && !batch.contains($0) }, foreign)
    }
}
