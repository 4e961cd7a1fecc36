/// The exit statuses of our own failures, as sysexits(3) names them. The command's own status never passes through here.
public enum Exit {
    /// The command line was wrong.
    public static let usage: Int32 = 64
    /// The user's input was wrong in some way, such as a repository that cannot be sent.
    public static let dataError: Int32 = 65
    /// A file that was named is missing or cannot be read.
    public static let noInput: Int32 = 66
    /// A host is unknown.
    public static let noHost: Int32 = 68
    /// Something that is needed is not there: a host that refuses, a scheduler that is down.
    public static let unavailable: Int32 = 69
    /// A fault of this program.
    public static let software: Int32 = 70
    /// The operating system refused something that ought to work.
    public static let osError: Int32 = 71
    /// A file could not be made.
    public static let cannotCreate: Int32 = 73
    /// Reading or writing failed half-way.
    public static let ioError: Int32 = 74
    /// It failed now and may work later.
    public static let temporary: Int32 = 75
    /// The other side said something it never should.
    public static let protocolError: Int32 = 76
    /// Permission was denied: a key, a password, a second factor.
    public static let noPermission: Int32 = 77
    /// A profile or a configuration file is wrong.
    public static let configuration: Int32 = 78
    /// Interrupted from the keyboard (128 + SIGINT), as a shell says it.
    public static let interrupted: Int32 = 130
}

/// Why something did not work, as a person needs to hear it. The one error type at the library's boundary: every other error
/// is turned into this one where it is known what the user was doing.
public struct Failure: Error, Sendable {
    /// The status to exit with; see ``Exit``.
    public var status: Int32
    /// What failed, and where: one line without a full stop.
    public var what: String
    /// The reason. Without one, the cause speaks.
    public var why: String?
    /// What to do next.
    public var remedy: String?
    /// The error underneath.
    public var cause: (any Error)?

    public init(
        _ status: Int32, _ what: String, why: String? = nil, remedy: String? = nil, cause: (any Error)? = nil
    ) {
        self.status = status
        self.what = what
        self.why = why
        self.remedy = remedy
        self.cause = cause
    }

    /// The text for a person, its later lines indented, without a line break at the end:
    ///
    ///     submit: error: cedar.json: hostnme: no such key
    ///       hint: did you mean hostname?
    public func text(program: String) -> String {
        var text = "\(program): error: \(what)"
        if let reason = why ?? cause.map({ String(describing: $0) }) {
            for line in Self.lines(of: reason) { text += "\n  " + line }
        }
        if let remedy {
            // The hint's later lines start below its first word.
            for (index, line) in Self.lines(of: remedy).enumerated() {
                text += (index == 0 ? "\n  hint: " : "\n        ") + line
            }
        }
        return text
    }

    private static func lines(of text: String) -> [Substring] {
        text.split(whereSeparator: \.isNewline)
    }
}

extension Failure: CustomStringConvertible {
    /// What failed and why, in one line: for an error that is the cause of another.
    public var description: String {
        guard let reason = why ?? cause.map({ String(describing: $0) }) else { return what }
        return "\(what): \(reason)"
    }
}
