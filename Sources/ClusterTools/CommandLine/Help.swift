#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A command's help: one screen, made from its option table.
public struct Help: Sendable {
    /// A command line to try, and what it does.
    public struct Example: Sendable {
        public let command: String
        public let meaning: String

        public init(_ command: String, _ meaning: String) {
            self.command = command
            self.meaning = meaning
        }
    }

    /// Entries under one title: verbs, or options.
    public struct Section: Sendable {
        let title: String
        let entries: [(synopsis: String, help: String)]

        public init(_ title: String, _ entries: [(synopsis: String, help: String)]) {
            self.title = title
            self.entries = entries
        }
    }

    /// What is printed in eighty columns is readable in every terminal.
    private static let width = 80
    /// The column at which explanations start.
    private static let indent = 30
    /// The same where there is no room for two columns.
    private static let narrowIndent = 8
    /// From how many columns on there are two.
    private static let narrowest = 64

    let usage: String
    let summary: String
    let examples: [Example]
    let sections: [Section]
    let closing: String?

    /// - Parameters:
    ///   - usage: the command line's form, such as `submit [options] COMMAND`.
    ///   - summary: a sentence or two.
    ///   - sections: what comes before the options, such as a command's verbs.
    ///   - closing: a last paragraph.
    public init<ID>(
        usage: String, summary: String, examples: [Example], sections: [Section] = [], table: OptionTable<ID>,
        closing: String? = nil
    ) {
        self.usage = usage
        self.summary = summary
        self.examples = examples
        self.sections =
            sections + table.groups.map { Section($0.title, $0.options.map { ($0.synopsis, $0.help) }) }
        self.closing = closing
    }

    /// The screen, with a line break at its end.
    ///
    /// - Parameters:
    ///   - styled: whether titles and options are bold. The caller knows whether this goes to a terminal, and whether `NO_COLOR`
    ///     is set.
    ///   - columns: how wide the terminal is.
    public func text(styled: Bool, columns: Int = 80) -> String {
        let width = max(20, min(columns, Self.width))
        let indent = width < Self.narrowest ? Self.narrowIndent : Self.indent
        let bold = { (text: String) in styled ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
        let form = Self.wrapped("Usage: \(usage)", width: width - 4)
        var lines =
            [bold("Usage:") + (form.first ?? "").dropFirst("Usage:".count)] + form.dropFirst().map { "    " + $0 }
        lines += [""] + Self.wrapped(summary, width: width)
        if !examples.isEmpty {
            lines += ["", bold("Examples:")]
            for example in examples {
                lines +=
                    ["  \(bold(example.command))"]
                    + Self.wrapped(example.meaning, width: width - 10).map { "      " + $0 }
            }
        }
        for section in sections {
            lines += ["", bold(section.title + ":")]
            for entry in section.entries {
                let help = Self.wrapped(entry.help, width: width - indent)
                let padding = String(repeating: " ", count: indent)
                let first = "  " + bold(entry.synopsis)
                let used = entry.synopsis.count + 2
                if used < indent - 1 {
                    lines.append(first + String(padding.dropFirst(used)) + (help.first ?? ""))
                    lines += help.dropFirst().map { padding + $0 }
                } else {
                    lines += [first] + help.map { padding + $0 }
                }
            }
        }
        if let closing { lines += [""] + Self.wrapped(closing, width: width) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The screen for standard output, whatever that is.
    var textForStandardOutput: String {
        let columns = TerminalText.width(of: STDOUT_FILENO)
        let isPlain = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        return text(styled: columns != nil && !isPlain, columns: columns ?? Self.width)
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { paragraph in
            var lines = [""]
            for word in paragraph.split(separator: " ") {
                let line = lines[lines.count - 1]
                if line.isEmpty {
                    lines[lines.count - 1] = String(word)
                } else if line.count + 1 + word.count <= width {
                    lines[lines.count - 1] += " " + word
                } else {
                    lines.append(String(word))
                }
            }
            return lines
        }
    }
}
