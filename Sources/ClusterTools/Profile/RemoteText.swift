import Slurm

/// A text of the profile that means something on the cluster, such as `$SCRATCH/runs`: `~`, `~/x`, `$NAME` and `${NAME}` stand
/// for what they are there, and everything else is what it is.
public struct RemoteText: Sendable, Equatable {
    /// The text as the user wrote it.
    public let text: String
    /// The variables it uses, each once, in order of appearance; `HOME` for a `~`.
    public let variables: [String]
    /// A piece that looks as if a shell should expand it, and is taken literally instead: `$(…)`, a backquote, `${NAME:-x}`,
    /// `~user`. Almost never what was meant.
    public let suspicious: String?

    private let parts: [Part]

    private enum Part: Equatable {
        case literal(String)
        case variable(String)
    }

    /// What an expression does when a variable is not set.
    public enum Unset: Sendable {
        /// The shell that evaluates it ends with an error that names the variable.
        case fails
        /// It counts as empty.
        case empty
    }

    public init(_ text: String) {
        var scanner = Scanner(text)
        scanner.scan()
        self.text = text
        self.parts = scanner.parts
        self.suspicious = scanner.suspicious
        self.variables = scanner.parts.reduce(into: []) { names, part in
            if case .variable(let name) = part, !names.contains(name) { names.append(name) }
        }
    }

    /// A word for a POSIX shell that gives the text. Neither the text nor a variable's value is split, matched or evaluated.
    public func shellExpression(unset: Unset = .fails) -> String {
        guard !parts.isEmpty else { return "''" }
        return parts.map { part in
            switch part {
            case .literal(let text): ShellWord.quote(text)
            case .variable(let name):
                switch unset {
                case .fails: "\"${\(name):?is not set on the cluster}\""
                case .empty: "\"${\(name)-}\""
                }
            }
        }.joined()
    }

    private struct Scanner {
        var parts: [Part] = []
        var suspicious: String?
        private var literal = ""
        private var rest: Substring.UnicodeScalarView

        init(_ text: String) { rest = text[...].unicodeScalars }

        mutating func scan() {
            if rest.first == "~" {
                let user = rest.prefix { $0 != "/" }
                if user.count == 1 {
                    rest.removeFirst()
                    add("HOME")
                } else {
                    suspicious = String(user)
                }
            }
            while let scalar = rest.popFirst() {
                switch scalar {
                case "$": scanVariable()
                case "`":
                    suspicious = suspicious ?? "`"
                    literal.unicodeScalars.append(scalar)
                default: literal.unicodeScalars.append(scalar)
                }
            }
            flush()
        }

        private mutating func scanVariable() {
            if let name = Self.name(at: rest) {
                rest.removeFirst(name.count)
                return add(String(name))
            }
            if rest.first == "{" {
                let inside = rest.dropFirst()
                if let name = Self.name(at: inside), inside.dropFirst(name.count).first == "}" {
                    rest.removeFirst(name.count + 2)
                    return add(String(name))
                }
                suspicious = suspicious ?? "$" + String(rest.prefix { $0 != "}" }) + (rest.contains("}") ? "}" : "")
            } else if rest.first == "(" {
                suspicious = suspicious ?? "$("
            }
            literal += "$"
        }

        private mutating func add(_ name: String) {
            flush()
            parts.append(.variable(name))
        }

        private mutating func flush() {
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = ""
        }

        private static func name(at text: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView? {
            let name = text.prefix(while: isNameScalar)
            guard let first = name.first, !("0"..."9").contains(first) else { return nil }
            return name
        }

        private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": true
            default: false
            }
        }
    }
}
