/// A request to an ssh that runs as a ControlMaster (OpenSSH's PROTOCOL.mux, version 4).
enum MultiplexRequest: Equatable {
    case hello
    /// A command; three descriptors follow: its standard input, output and error.
    /// - Parameter terminal: its type, where the command is to have one: then all three are the same terminal.
    case session(command: String, terminal: String? = nil)
    /// A connection from the server onwards; two descriptors follow: where it reads from and where it writes to.
    case forward(host: String, port: UInt16)
    /// Whether it is still there.
    case aliveCheck

    static let version: UInt32 = 4
    /// A connection carries one request, so one number will do.
    static let identifier: UInt32 = 1

    /// With its length before it.
    var bytes: [UInt8] {
        var body = PacketWriter()
        switch self {
        case .hello:
            body.uint32(0x0000_0001)
            body.uint32(Self.version)
        case .session(let command, let terminal):
            body.uint32(0x1000_0002)
            body.uint32(Self.identifier)
            body.string("")
            body.uint32(terminal == nil ? 0 : 1)
            // No X11, no agent, no subsystem.
            for _ in 0..<3 { body.uint32(0) }
            // No escape character: what is typed is read here first.
            body.uint32(.max)
            body.string(terminal ?? "")
            body.string(command)
        case .forward(let host, let port):
            body.uint32(0x1000_0008)
            body.uint32(Self.identifier)
            body.string("")
            body.string(host)
            body.uint32(UInt32(port))
        case .aliveCheck:
            body.uint32(0x1000_0004)
            body.uint32(Self.identifier)
        }
        var message = PacketWriter()
        message.string(body.bytes)
        return message.bytes
    }
}

/// What a ControlMaster answers.
enum MultiplexAnswer: Equatable {
    case hello(version: UInt32)
    case opened
    /// It, or the server, will not; in its words.
    case refused(String)
    case exited(UInt32)
    /// The server gives no terminal; the command goes on without one.
    case terminalRefused
    case alive(process: UInt32)
    /// Something that says nothing to us.
    case other(UInt32)

    /// Decodes a message without the length before it.
    init(_ bytes: [UInt8]) throws {
        var reader = PacketReader(bytes)
        switch try reader.uint32() {
        case 0x0000_0001: self = .hello(version: try reader.uint32())
        case 0x8000_0002, 0x8000_0003:
            _ = try reader.uint32()
            self = .refused(try reader.text())
        case 0x8000_0004:
            _ = try reader.uint32()
            self = .exited(try reader.uint32())
        case 0x8000_0005:
            _ = try reader.uint32()
            self = .alive(process: try reader.uint32())
        case 0x8000_0006: self = .opened
        case 0x8000_0008: self = .terminalRefused
        case let type: self = .other(type)
        }
    }
}
