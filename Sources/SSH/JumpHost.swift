internal import IO

/// A host on the way to another, as ProxyJump names it: `[user@]host[:port]` or `ssh://[user@]host[:port]`.
public struct JumpHost: Sendable, Equatable {
    public var user: String?
    /// A name or an address (IPv6 without its brackets), or an alias of the configuration.
    public var host: String
    public var port: UInt16?

    public init(user: String? = nil, host: String, port: UInt16? = nil) {
        self.user = user
        self.host = host
        self.port = port
    }

    /// Nil when the text is none.
    init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        let isURI = rest.lowercased().hasPrefix("ssh://")
        if isURI {
            rest = rest.dropFirst(6)
            if rest.hasSuffix("/") { rest = rest.dropLast() }
        }
        if let at = rest.lastIndex(of: "@") {
            guard let name = isURI ? Self.decoded(rest[..<at]) : String(rest[..<at]), !name.isEmpty else { return nil }
            user = name
            rest = rest[rest.index(after: at)...]
        }
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        if !rest.isEmpty {
            guard let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
            port = number
        }
        // What begins with a dash would be an option of whatever command it is given to.
        guard !host.isEmpty, !host.hasPrefix("-"), user?.hasPrefix("-") != true,
            !host.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 0x20 })
        else { return nil }
    }

    /// From ProxyJump's value, the nearest first; none for `none`. Nil when it is malformed.
    static func list(_ text: String) -> [JumpHost]? {
        if text.lowercased() == "none" { return [] }
        var hosts: [JumpHost] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let host = JumpHost(part) else { return nil }
            hosts.append(host)
        }
        return hosts
    }

    /// A URI's text without its percent-encoding. Nil when that is malformed.
    private static func decoded(_ text: Substring) -> String? {
        percentDecoded(text).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
