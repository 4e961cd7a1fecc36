/// A command's manual page, made from its help: see man(7) and groff_man(7).
struct ManPage: Sendable {
    /// The page's name: `submit`, `cluster-logs`.
    let name: String
    /// What the command does, in a phrase.
    let phrase: String
    let help: Help
    /// Other pages.
    let related: [String]

    /// The page that a word means: `submit`, a verb, or nothing for `cluster`.
    static func named(_ word: String?) throws(Failure) -> ManPage {
        let verbs = ClusterCommand.verbs
        switch word {
        case nil, "cluster":
            return ManPage(
                name: "cluster", phrase: "jobs and machines, after submit", help: ClusterCommand.help,
                related: ["submit"] + verbs.map { "cluster-\($0.name)" })
        case "submit":
            return ManPage(
                name: "submit", phrase: "run a command on a cluster", help: Invocation.help,
                related: ["cluster", "sbatch"])
        case let word?:
            let name = word.hasPrefix("cluster-") ? String(word.dropFirst(8)) : word
            guard let verb = verbs.first(where: { $0.name == name }) else {
                let nearest = Suggestion.nearest(to: name, among: verbs.map(\.name) + ["submit"])
                throw Failure(
                    Exit.usage, "there is no manual page \"\(word)\"",
                    remedy: nearest.map { "did you mean \($0)?" } ?? "submit, cluster, or a verb")
            }
            return ManPage(
                name: "cluster-\(verb.name)", phrase: verb.summary, help: verb.help, related: ["cluster", "submit"])
        }
    }

    /// The page's source, with a line break at its end.
    var text: String {
        var lines = [
            // Long lines of an example are the example's own.
            #".TH "\#(name.uppercased())" 1 "" "cluster-tools \#(Product.version)" "User Commands""#, ".nh", ".ad l",
            ".SH NAME", "\(Self.plain(name)) \\- \(Self.plain(phrase))", ".SH SYNOPSIS", Self.bold(help.usage),
            ".SH DESCRIPTION",
        ]
        lines += Self.paragraphs(help.summary)
        for section in help.sections {
            lines.append(".SH \(Self.plain(section.title.uppercased()))")
            for entry in section.entries {
                let synopsis = entry.synopsis.drop { $0 == " " }
                lines += [".TP", Self.bold(String(synopsis)), Self.plain(entry.help)]
            }
        }
        if let closing = help.closing { lines += [".SH NOTES"] + Self.paragraphs(closing) }
        if !help.examples.isEmpty {
            lines.append(".SH EXAMPLES")
            for example in help.examples { lines += [".TP", Self.bold(example.command), Self.plain(example.meaning)] }
        }
        lines += [".SH SEE ALSO", related.map { "\(Self.bold($0))(1)" }.joined(separator: ", ")]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func bold(_ text: String) -> String { "\\fB\(plain(text))\\fR" }

    private static func paragraphs(_ text: String) -> [String] {
        text.split(separator: "\n").flatMap { [".PP", plain(String($0))] }
    }

    /// Text as it is: nothing in it is a command of roff's.
    private static func plain(_ text: String) -> String {
        var plain = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": plain += "\\e"
            // A hyphen that can be copied into a shell.
            case "-": plain += "\\-"
            case "'": plain += "\\(aq"
            case "`": plain += "\\(ga"
            case "^": plain += "\\(ha"
            case "~": plain += "\\(ti"
            case "\n": plain += " "
            case _ where scalar.isASCII: plain.unicodeScalars.append(scalar)
            default: plain += "\\[u\(String(scalar.value, radix: 16, uppercase: true).leftPadded(to: 4))]"
            }
        }
        // At the beginning of a line these two would make it a command.
        return plain.hasPrefix(".") || plain.hasPrefix("\\(aq") ? "\\&" + plain : plain
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}
