#if canImport(Darwin)
    public import Darwin
#else
    public import Glibc
#endif

/// The size of a terminal, in characters.
public struct TerminalSize: Sendable, Equatable {
    public var columns: Int
    public var rows: Int

    public init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// That of the terminal at a descriptor; nil where there is none, or it does not know its size.
    public init?(of descriptor: CInt) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        self.init(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }
}

/// The terminal that a process elsewhere is to have: like the user's own.
public struct TerminalRequest: Sendable {
    /// What it understands, as `TERM` names it.
    public var type: String
    public var size: TerminalSize
    /// How it treats what is typed and printed: the modes of the user's terminal, before we change them.
    public var modes: termios

    public init(type: String, size: TerminalSize, modes: termios) {
        self.type = type
        self.size = size
        self.modes = modes
    }
}

/// A process under a terminal of its own. Reading reads what appears on it, writing types; there is no standard error.
public protocol TerminalProcess: RunningProcess {
    /// Says that the user's terminal has another size now.
    func resize(_ size: TerminalSize) async throws
}
