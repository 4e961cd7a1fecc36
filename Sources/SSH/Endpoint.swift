/// Whom to log in as, and where.
public struct Endpoint: Sendable, Hashable {
    public var host: String
    public var port: UInt16
    public var user: String
    /// What the user calls the host: for messages. An alias of the ssh configuration, or the host itself.
    public var name: String

    public init(host: String, port: UInt16 = 22, user: String, name: String? = nil) {
        self.host = host
        self.port = port
        self.user = user
        self.name = name ?? host
    }

    /// As a person writes it; the port only when it is unusual.
    public var description: String { port == 22 ? "\(user)@\(name)" : "\(user)@\(name):\(port)" }
}
