import IO
import SSH

/// Why an ssh has ended before it was logged in: its status and its words.
///
/// ssh has one status for all its failures (255), so the words have to tell which it was. They are looked at here and nowhere
/// else, and only to choose a status: what the user reads is what ssh has said.
struct OpenSSHComplaint {
    let status: ExitStatus
    let words: String

    /// What was said when, from the most to the least specific.
    private static let kinds: [(words: String, code: SSHError.Code)] = [
        ("REVOKED HOST KEY DETECTED", .hostKeyRevoked), ("REMOTE HOST IDENTIFICATION HAS CHANGED", .hostKeyChanged),
        ("Host key verification failed", .hostKeyUnknown), ("Permission denied (", .authenticationFailed),
        ("Too many authentication failures", .authenticationFailed), ("Unable to negotiate with", .handshakeFailed),
    ]

    func error(host: String) -> any Error {
        // What a shell says when it does not find a program, or may not run it.
        if [.exited(127), .exited(126)].contains(status) {
            return Failure(
                Exit.unavailable, "\(host): \"transport\": \"openssh\" needs the ssh command", why: words,
                remedy: "install OpenSSH, or remove \"transport\" from the profile")
        }
        if words.contains("Bad configuration option") || words.contains("Bad owner or permissions on") {
            return Failure(Exit.configuration, "\(host): ssh does not take its configuration", why: words)
        }
        let code = Self.kinds.first { words.contains($0.words) }?.code ?? .connectFailed
        return SSHError(code, words.isEmpty ? "ssh ended without a word (\(status))" : words)
    }
}
