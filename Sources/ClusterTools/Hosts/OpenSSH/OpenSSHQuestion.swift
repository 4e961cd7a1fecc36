/// What ssh wants to know or to say during a login, as far as its words tell.
///
/// ssh hands a program that asks for it (SSH_ASKPASS) nothing but the text. What is not recognised is asked as it stands, with
/// a hidden answer.
enum OpenSSHQuestion: Equatable {
    /// Expects no answer, such as to touch a security key.
    case notice(String)
    case passphrase(key: String)
    /// Whether a new host's key is right.
    case hostKey(type: String, fingerprint: String)
    /// Answered with words that may be seen.
    case confirmation(String)
    case secret(String)

    /// - Parameter hint: what SSH_ASKPASS_PROMPT says; empty without.
    init(_ prompt: String, hint: String) {
        if hint == "none" {
            self = .notice(prompt)
        } else if let key = Self.keyName(in: prompt) {
            self = .passphrase(key: key)
        } else if prompt.contains("(yes/no") {
            self = Self.hostKey(in: prompt) ?? .confirmation(prompt)
        } else {
            self = hint == "confirm" ? .confirmation(prompt) : .secret(prompt)
        }
    }

    /// Whether ssh goes on with its next key when there is no answer.
    var isAboutAKey: Bool { if case .passphrase = self { true } else { false } }

    /// From `Enter passphrase for key '/home/ada/.ssh/id_ed25519': `.
    private static func keyName(in prompt: String) -> String? {
        let start = "Enter passphrase for key '"
        let end = "': "
        guard prompt.hasPrefix(start), prompt.hasSuffix(end) else { return nil }
        let name = prompt.dropFirst(start.count).dropLast(end.count)
        return name.isEmpty ? nil : String(name)
    }

    /// From a line such as `ED25519 key fingerprint is SHA256:uNiVztksCsDhcc0u9e8BrYUSICRXi7w5BJRZNzQ9HA0.`
    private static func hostKey(in prompt: String) -> OpenSSHQuestion? {
        for line in prompt.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "fingerprint"), index >= 2, words[index - 1] == "key",
                let last = words.last, last.hasPrefix("SHA256:")
            else { continue }
            return .hostKey(
                type: String(words[index - 2]), fingerprint: String(last.hasSuffix(".") ? last.dropLast() : last))
        }
        return nil
    }
}
