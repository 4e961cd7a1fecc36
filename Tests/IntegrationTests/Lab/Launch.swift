/// A program to start: everything its process begins with.
struct Launch: Sendable {
    /// Where a stream of the program leads.
    enum Stream: Hashable, Sendable, CaseIterable {
        /// The pseudo-terminal: what a person would see.
        case terminal
        /// Standard output, when it is a pipe of its own.
        case output
        /// Standard error, when it is a pipe of its own.
        case errors
    }

    /// The size of a terminal, in characters.
    struct Size: Sendable {
        var columns: UInt16 = 100
        var rows: UInt16 = 30
    }

    /// Absolute, or found in the PATH of ``environment``.
    var program: String
    var arguments: [String] = []
    /// The working folder.
    var directory: String
    /// The whole environment; nothing of the tests' own is inherited.
    var environment: [String: String]
    /// Gives the program a controlling terminal of this size; nil gives it none.
    var terminal: Size?
    /// The streams that are pipes though there is a terminal, as after `submit … | jq` or `2>log`.
    var pipes: Set<Stream> = []
    /// Standard input where there is no terminal.
    var input: [UInt8] = []
}

/// How a process ended.
enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signaled(Int32)

    var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signaled(let signal): "death by signal \(signal)"
        }
    }
}
