internal import CSSH2

/// Which of the codes for authentication that both sides know to use: the quicker of the two good ones. They take half of the time
/// of a transfer.
func authenticationCodes(_ supported: [String]) -> [String] {
    let hashes = isLongHashQuicker ? ["hmac-sha2-512", "hmac-sha2-256"] : ["hmac-sha2-256", "hmac-sha2-512"]
    let first = hashes.map { $0 + "-etm@openssh.com" } + hashes
    return first.filter(supported.contains) + supported.filter { !first.contains($0) }
}

/// A processor with instructions for SHA-256 computes it three times as quickly as SHA-512; others compute that more quickly.
private let isLongHashQuicker: Bool = {
    let message = [UInt8](repeating: 0, count: 1 << 13)
    // The best of some: the first has to load it, and another may be interrupted.
    func time(_ hash: ([UInt8]) -> [UInt8]) -> Duration {
        (0..<4).reduce(Duration.seconds(1)) { best, _ in min(best, ContinuousClock().measure { _ = hash(message) }) }
    }
    return time { sha512($0) } < time { sha256($0) }
}()

extension Session {
    /// Has libssh2 ask for algorithms of one kind in the order that `order` makes of those it knows.
    func prefer(_ method: CInt, _ order: ([String]) -> [String]) throws {
        var list: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        let count = libssh2_session_supported_algs(library.pointer, method, &list)
        guard count > 0, let list else { return }
        defer { libssh2_free(library.pointer, list) }
        let wanted = order((0..<Int(count)).compactMap { list[$0].map { String(cString: $0) } }).joined(separator: ",")
        guard libssh2_session_method_pref(library.pointer, method, wanted) == 0 else {
            throw SSHError(.protocolFailure, "libssh2 does not take \(wanted): \(libraryMessage())")
        }
    }
}
