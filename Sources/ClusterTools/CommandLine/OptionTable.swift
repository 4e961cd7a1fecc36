/// The options of one command, or of one verb of it: what parsing, help and suggestions all read.
public struct OptionTable<ID: Hashable & Sendable>: Sendable {
    public struct Option: Sendable {
        public enum Argument: Sendable, Equatable {
            /// The option stands alone.
            case none
            /// A value follows; the placeholder stands for it in the help.
            case required(String)
            /// `--name` and `--no-name`, and `--name=true`, `=false`, `=yes`, `=no`, `=1`, `=0`.
            case boolean
        }

        public let id: ID
        public let short: Character?
        /// The long names without dashes; the first is the one the help shows.
        public let names: [String]
        public let argument: Argument
        /// A phrase for the help, in one line or two.
        public let help: String

        public init(_ id: ID, _ short: Character?, _ names: [String], _ argument: Argument = .none, help: String) {
            self.id = id
            self.short = short
            self.names = names
            self.argument = argument
            self.help = help
        }

        /// The option as the help shows it: `-c, --cluster PROFILE`.
        public var synopsis: String {
            let name = names.first ?? ""
            let long =
                switch argument {
                case .none: "--\(name)"
                case .required(let placeholder): "--\(name) \(placeholder)"
                case .boolean: "--[no-]\(name)"
                }
            return (short.map { "-\($0), " } ?? "    ") + long
        }
    }

    /// Options that the help shows under one title.
    public struct Group: Sendable {
        public let title: String
        public let options: [Option]

        public init(_ title: String, _ options: [Option]) {
            self.title = title
            self.options = options
        }
    }

    /// Where words that are no options may stand.
    public enum Operands: Sendable {
        /// The first one ends the options: everything from it on belongs to another command.
        case endOptions
        /// The second one does.
        case endOptionsAtSecond
        /// Anywhere, until a `--`.
        case anywhere

        /// Whether the last of so many belongs to another command, as all that follows.
        func endOptions(after count: Int) -> Bool {
            switch self {
            case .endOptions: count == 1
            case .endOptionsAtSecond: count == 2
            case .anywhere: false
            }
        }
    }

    public enum Value: Sendable, Equatable {
        case present
        case boolean(Bool)
        case text(String)
    }

    /// An option that was given.
    public struct Occurrence: Sendable {
        public let id: ID
        /// The option as it was typed, without its value: `-c`, `--sbatch-json`.
        public let spelling: String
        public let value: Value
    }

    /// A command line taken apart.
    public struct Parsed: Sendable {
        /// In the order they were given.
        public var occurrences: [Occurrence] = []
        /// The words that are no options, exactly as they were given.
        public var operands: [String] = []
    }

    /// What the command is called, for messages: `submit`, `cluster logs`.
    public let command: String
    public let groups: [Group]

    public init(command: String, groups: [Group]) {
        self.command = command
        self.groups = groups
    }

    public var options: [Option] { groups.flatMap(\.options) }

    /// Every long spelling.
    public var spellings: [String] {
        options.flatMap { option in
            option.names.flatMap { option.argument == .boolean ? ["--\($0)", "--no-\($0)"] : ["--\($0)"] }
        }
    }

    // MARK: Parsing

    /// Takes a command line apart, without the command itself.
    ///
    /// - Parameter unknownHint: what to say about an option that is not in the table, before the nearest one is looked for.
    public func parse(
        _ words: [String], operands: Operands, unknownHint: (_ spelling: String) -> String? = { _ in nil }
    ) throws(Failure) -> Parsed {
        var parsed = Parsed()
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                parsed.operands += rest
                break
            } else if word.hasPrefix("--") {
                parsed.occurrences.append(try long(word, &rest, unknownHint))
            } else if word.utf8.count > 1, word.utf8.first == UInt8(ascii: "-") {
                parsed.occurrences += try cluster(of: word, &rest, unknownHint)
            } else {
                parsed.operands.append(word)
                if operands.endOptions(after: parsed.operands.count) {
                    parsed.operands += rest
                    break
                }
            }
        }
        return parsed
    }

    private func long(
        _ word: String, _ rest: inout ArraySlice<String>, _ unknownHint: (String) -> String?
    ) throws(Failure) -> Occurrence {
        // By scalars: a combining mark after the sign would hide it among Characters.
        let scalars = word.unicodeScalars
        let sign = scalars.firstIndex(of: "=")
        let spelling = String(scalars[..<(sign ?? scalars.endIndex)])
        let attached = sign.map { String(scalars[scalars.index(after: $0)...]) }
        let name = String(spelling.dropFirst(2))

        if let option = options.first(where: { $0.names.contains(name) }) {
            return try occurrence(of: option, spelling, attached, &rest)
        }
        let negated = options.first { $0.argument == .boolean && $0.names.contains { "no-" + $0 == name } }
        if let negated {
            guard attached == nil else { throw takesNoValue(spelling) }
            return Occurrence(id: negated.id, spelling: spelling, value: .boolean(false))
        }
        throw unknown(spelling, unknownHint)
    }

    /// One-letter options in one word: flags first, and at most one with a value, which may follow at once or after a `=`.
    private func cluster(
        of word: String, _ rest: inout ArraySlice<String>, _ unknownHint: (String) -> String?
    ) throws(Failure) -> [Occurrence] {
        var found: [Occurrence] = []
        var letters = word.unicodeScalars.dropFirst()
        while let letter = letters.popFirst() {
            let spelling = "-\(letter)"
            guard let option = options.first(where: { $0.short.map { "-\($0)" } == spelling }) else {
                // `-detach` is more likely a long option with a dash missing than a word of short ones.
                let long = "-" + String(word.unicodeScalars.prefix { $0 != "=" })
                if found.isEmpty, spellings.contains(long) {
                    throw Failure(
                        Exit.usage, "unknown option \(long.dropFirst())", remedy: "did you mean \(long)?")
                }
                throw unknown(spelling, unknownHint)
            }
            if case .required = option.argument {
                let attached = letters.isEmpty ? nil : String(letters.first == "=" ? letters.dropFirst() : letters)
                return found + [try occurrence(of: option, spelling, attached, &rest)]
            }
            if letters.first == "=" { throw takesNoValue(spelling) }
            found.append(try occurrence(of: option, spelling, nil, &rest))
        }
        return found
    }

    private func occurrence(
        of option: Option, _ spelling: String, _ attached: String?, _ rest: inout ArraySlice<String>
    ) throws(Failure) -> Occurrence {
        let value: Value
        switch option.argument {
        case .none:
            guard attached == nil else { throw takesNoValue(spelling) }
            value = .present
        case .boolean: value = .boolean(try boolean(attached ?? "true", spelling))
        case .required(let placeholder):
            guard let text = attached ?? rest.popFirst(), !text.isEmpty else {
                throw Failure(Exit.usage, "\(spelling) needs a value: \(spelling) \(placeholder)")
            }
            // A value that is another option is a value forgotten; one that is meant can be attached.
            if attached == nil, isOption(text) {
                throw Failure(
                    Exit.usage, "\(spelling) needs a value, and \(text) is an option",
                    remedy: "if it is meant: \(spelling)=\(text)")
            }
            value = .text(text)
        }
        return Occurrence(id: option.id, spelling: spelling, value: value)
    }

    private func boolean(_ text: String, _ spelling: String) throws(Failure) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default:
            throw Failure(Exit.usage, "\(spelling)=\(text): expected true or false")
        }
    }

    private func isOption(_ word: String) -> Bool {
        let spelling = String(word.unicodeScalars.prefix { $0 != "=" })
        return spelling == "--" || spellings.contains(spelling)
            || options.contains { $0.short.map { "-\($0)" } == spelling }
    }

    // MARK: Failures

    private func takesNoValue(_ spelling: String) -> Failure { Failure(Exit.usage, "\(spelling) takes no value") }

    private func unknown(_ spelling: String, _ hint: (String) -> String?) -> Failure {
        let nearest = spelling.hasPrefix("--") ? Suggestion.nearest(to: spelling, among: spellings) : nil
        return Failure(
            Exit.usage, "unknown option \(spelling)",
            remedy: hint(spelling) ?? nearest.map { "did you mean \($0)?" } ?? "\(command) --help lists the options")
    }
}
