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

    let usage: String
    private let summary: String
    private let examples: [Example]
    private let sections: [Section]
    private let closing: String?

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
    /// - Parameter styled: whether titles and options are bold. The caller knows whether this goes to a terminal, and
    ///   whether `NO_COLOR` is set.
    public func text(styled: Bool) -> String {
        let bold = { (text: String) in styled ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
        var lines = ["\(bold("Usage:")) \(usage)", ""]
        lines += Self.wrapped(summary, width: Self.width)
        if !examples.isEmpty {
            lines += ["", bold("Examples:")]
            for example in examples {
                lines += ["  \(bold(example.command))"] + Self.wrapped(example.meaning, width: 70).map { "      " + $0 }
            }
        }
        for section in sections {
            lines += ["", bold(section.title + ":")]
            for entry in section.entries {
                let help = Self.wrapped(entry.help, width: Self.width - Self.indent)
                let padding = String(repeating: " ", count: Self.indent)
                let first = "  " + bold(entry.synopsis)
                let used = entry.synopsis.count + 2
                if used < Self.indent - 1 {
                    lines.append(first + String(padding.dropFirst(used)) + (help.first ?? ""))
                    lines += help.dropFirst().map { padding + $0 }
                } else {
                    lines += [first] + help.map { padding + $0 }
                }
            }
        }
        if let closing { lines += [""] + Self.wrapped(closing, width: Self.width) }
        return lines.joined(separator: "\n") + "\n"
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
