extension HostConfiguration {
    /// Replaces `~`, `%` tokens and `${NAME}` in a path of the configuration, as ssh does (ssh_config(5), TOKENS).
    ///
    /// - Returns: Nil when a variable that it names is not set: there is no such path then.
    func expandedPath(_ text: String, for account: LocalAccount) -> String? {
        var path = text
        if text == "~" || text.hasPrefix("~/") { path = account.home + text.dropFirst(1) }
        return replacing(in: path, account, variables: account.environment)
    }

    /// The shell command of ProxyCommand, its tokens replaced.
    ///
    /// - Throws: ``SSHError`` when a name would be more than a name to the shell.
    public func expandedProxyCommand(_ text: String, for account: LocalAccount) throws(SSHError) -> String {
        for (what, value) in [("host name", hostName), ("host name", name), ("user", user)]
        where !Self.isHarmlessInShell(value) {
            throw SSHError(
                .configurationInvalid,
                "the \(what) \"\(value)\" cannot be given to the ProxyCommand: a shell would run it")
        }
        // Variables are the shell's.
        return replacing(in: text, account, variables: nil) ?? text
    }

    /// What OpenSSH's client allows in a name that reaches a shell.
    private static func isHarmlessInShell(_ name: String) -> Bool {
        !name.hasPrefix("-")
            && !name.unicodeScalars.contains { scalar in
                scalar.value <= 0x20 || scalar.value == 0x7f || "'`\"$\\;&<>|(){}".unicodeScalars.contains(scalar)
            }
    }

    /// - Parameter variables: What `${NAME}` stands for; nil to leave it alone.
    private func replacing(in text: String, _ account: LocalAccount, variables: [String: String]?) -> String? {
        var result = ""
        var rest = text[...]
        while let mark = rest.firstIndex(where: { $0 == "%" || $0 == "$" }) {
            result += rest[..<mark]
            let isToken = rest[mark] == "%"
            rest = rest[rest.index(after: mark)...]
            if isToken, let letter = rest.popFirst() {
                // One that is not known stays: the file is not found then, and passed over.
                result += value(ofToken: letter, account) ?? "%\(letter)"
            } else if let variables, !isToken, rest.hasPrefix("{"), let end = rest.firstIndex(of: "}") {
                guard let value = variables[String(rest[rest.index(after: rest.startIndex)..<end])] else { return nil }
                result += value
                rest = rest[rest.index(after: end)...]
            } else {
                result += isToken ? "%" : "$"
            }
        }
        return result + rest
    }

    private func value(ofToken letter: Character, _ account: LocalAccount) -> String? {
        switch letter {
        case "%": "%"
        case "d": account.home
        case "h": hostName
        case "i": "\(account.id)"
        case "k": hostKeyAlias ?? name
        case "L": String(account.hostName.prefix { $0 != "." })
        case "l": account.hostName
        case "n": name
        case "p": "\(port)"
        case "r": user
        case "u": account.name
        default: nil
        }
    }
}
