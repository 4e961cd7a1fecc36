/// Whom to log in as, and where.
public struct Endpoint: Sendable, Hashable {
    public var host: String
    public var port: UInt16
    public var user: String

    public init(host: String, port: UInt16 = 22, user: String) {
        self.host = host
        self.port = port
        self.user = user
    }

    /// As a person writes it; the port only when it is unusual.
    public var description: String { port == 22 ? "\(user)@\(host)" : "\(user)@\(host):\(port)" }
}
