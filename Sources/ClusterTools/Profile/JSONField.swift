import Slurm

/// A value in a JSON document that knows where it stands, so that whatever is wrong with it can be said in the words of the
/// person who wrote it: `cedar.json: sbatch_options.--mem: expected a string or number, found a list`.
struct JSONField {
    /// The document as the user knows it: a path, or the option it was given with.
    let document: String
    /// The way to the value: names, and numbers in brackets. Empty at the top.
    let path: String
    let value: JSONValue
    /// The status a failure has.
    let status: Int32

    /// The top of a document given as text; what is wrong with the text is said with the line and the column.
    init(parsing text: [UInt8], document: String, status: Int32 = Exit.configuration) throws(Failure) {
        do {
            self.init(document: document, path: "", value: try JSONValue(parsing: text), status: status)
        } catch {
            throw Failure(status, "\(document):\(error)")
        }
    }

    private init(document: String, path: String, value: JSONValue, status: Int32) {
        self.document = document
        self.path = path
        self.value = value
        self.status = status
    }

    /// A failure about this value.
    func failure(_ problem: String, why: String? = nil, remedy: String? = nil) -> Failure {
        let place = path.isEmpty ? document : "\(document): \(path)"
        return Failure(status, "\(place): \(problem)", why: why, remedy: remedy)
    }

    /// A failure for a value of the wrong type; `expected` as in "a string or number".
    func mismatch(expected: String) -> Failure { failure("expected \(expected), found \(value.kind)") }

    // MARK: Types

    func string() throws(Failure) -> String {
        guard case .string(let text) = value else { throw mismatch(expected: "a string") }
        guard !text.utf8.contains(0) else { throw failure("a NUL character cannot be used") }
        return text
    }

    /// A string in which there is something, in one line.
    func word() throws(Failure) -> String {
        let text = try string()
        guard !text.isEmpty else { throw failure("is empty") }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw failure("has a line break or another control character")
        }
        return text
    }

    func boolean() throws(Failure) -> Bool {
        guard case .bool(let flag) = value else { throw mismatch(expected: "true or false") }
        return flag
    }

    func integer(in range: ClosedRange<Int>) throws(Failure) -> Int {
        guard case .number(let spelling) = value else { throw mismatch(expected: "a number") }
        guard let number = Int(spelling), range.contains(number) else {
            throw failure("expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(spelling)")
        }
        return number
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        of type: Choice.Type
    ) throws(Failure) -> Choice where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        let expected = Self.alternatives(names.map { "\"\($0)\"" })
        guard case .string(let text) = value else { throw mismatch(expected: expected) }
        guard let choice = Choice(rawValue: text) else {
            throw failure("expected \(expected), found \"\(text)\"", remedy: Self.didYouMean(text, among: names))
        }
        return choice
    }

    /// A text of lines, or a list of them.
    func lines() throws(Failure) -> [String] {
        switch value {
        case .string: return try string().split { $0 == "\n" || $0 == "\r\n" }.map { String($0) }
        case .array:
            var lines: [String] = []
            for element in try elements() {
                guard case .string = element.value else { throw element.mismatch(expected: "a string") }
                lines += try element.lines()
            }
            return lines
        default: throw mismatch(expected: "a string or a list of strings")
        }
    }

    // MARK: Parts

    func elements() throws(Failure) -> [JSONField] {
        guard case .array(let elements) = value else { throw mismatch(expected: "a list") }
        return elements.enumerated().map { index, element in
            JSONField(document: document, path: "\(path)[\(index)]", value: element, status: status)
        }
    }

    func members() throws(Failure) -> [(name: String, field: JSONField)] {
        guard case .object(let members) = value else { throw mismatch(expected: "an object") }
        return members.map { member in
            // A name that would make the path ambiguous is quoted, as JavaScript would have it.
            let plain = !member.name.isEmpty && member.name.utf8.allSatisfy { $0 > 0x20 && !".[]\"".utf8.contains($0) }
            let step = plain ? (path.isEmpty ? "" : ".") + member.name : "[\(JSONValue.string(member.name))]"
            return (member.name, JSONField(document: document, path: path + step, value: member.value, status: status))
        }
    }

    /// A failure for a member that should not be there, with the known name it is nearest to.
    func unknown(among names: [String]) -> Failure {
        let name = path.split(separator: ".").last.map(String.init) ?? path
        let nearest = Self.didYouMean(name, among: names)
        return failure("no such key", remedy: nearest ?? "the keys are \(Self.list(names))")
    }

    /// The value as sbatch's options.
    func sbatchOptions() throws(Failure) -> SbatchOptions {
        var options = SbatchOptions()
        for (name, field) in try members() {
            let value: SbatchOptions.Value
            switch field.value {
            case .string(let text): value = .text(text)
            case .number(let spelling): value = .text(spelling)
            case .bool(true): value = .flag
            case .bool(false), .null: value = .removed
            case .array, .object: throw field.mismatch(expected: "a string or number")
            }
            do {
                try options.set(name, to: value)
            } catch {
                throw field.failure(error.message, remedy: error.remedy)
            }
        }
        return options
    }

    // MARK: Words

    static func didYouMean(_ word: String, among names: [String]) -> String? {
        Suggestion.nearest(to: word, among: names).map { "did you mean \"\($0)\"?" }
    }

    /// "a, b and c"
    static func list(_ words: [String], _ conjunction: String = "and") -> String {
        guard words.count > 1, let last = words.last else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
    }

    private static func alternatives(_ words: [String]) -> String { list(words, "or") }
}
