/// A job script with gaps: `{{NAME}}` stands for a text that rendering fills in.
public struct ScriptTemplate: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case text(String)
        case placeholder(name: String, line: Int)
    }

    /// What the template is called in messages: its path.
    public let name: String
    private let parts: [Part]

    /// Takes the template apart.
    ///
    /// A placeholder is a name (letters, digits, `_`) in two braces on either side, possibly with spaces around it; every other
    /// brace is the script's own. Throws when the text can be no batch script: sbatch refuses Windows line ends and a first line
    /// without `#!`.
    public init(_ text: String, name: String) throws(SlurmError) {
        self.name = name
        guard text.utf8.starts(with: "#!".utf8) else {
            throw SlurmError(
                .badTemplate, "\(name):1: a job script starts with #!", remedy: "make the first line #!/bin/bash -l")
        }
        var line = 1
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if byte == 0 || byte == UInt8(ascii: "\r") && rest.dropFirst().first == UInt8(ascii: "\n") {
                throw SlurmError(
                    .badTemplate, "\(name):\(line): \(byte == 0 ? "a NUL byte" : "a Windows line end (CRLF)")",
                    remedy: byte == 0 ? nil : "convert it: sed -i 's/\\r$//' \(ShellWord.quote(name))")
            }
            if let (placeholder, length) = Self.placeholder(at: rest) {
                parts += [.text(String(decoding: literal, as: UTF8.self)), .placeholder(name: placeholder, line: line)]
                literal = []
                rest = rest.dropFirst(length)
                continue
            }
            if byte == UInt8(ascii: "\n") { line += 1 }
            literal.append(byte)
            rest = rest.dropFirst()
        }
        parts.append(.text(String(decoding: literal, as: UTF8.self)))
        self.parts = parts
    }

    /// The names of the placeholders, each once, in order.
    public var placeholders: [String] {
        parts.reduce(into: []) { names, part in
            if case .placeholder(let name, _) = part, !names.contains(name) { names.append(name) }
        }
    }

    /// The script with every placeholder filled in. Braces within a value stay as they are.
    ///
    /// - Parameter required: placeholders without which the script could not do its work.
    public func render(_ values: [String: String], required: Set<String> = []) throws(SlurmError) -> String {
        if let missing = required.subtracting(placeholders).min() {
            throw SlurmError(.badTemplate, "\(name): the placeholder {{\(missing)}} is missing")
        }
        var script = ""
        for part in parts {
            switch part {
            case .text(let text): script += text
            case .placeholder(let placeholder, let line):
                guard let value = values[placeholder] else {
                    throw SlurmError(
                        .badTemplate, "\(name):\(line): there is no placeholder {{\(placeholder)}}",
                        remedy: "there are \(values.keys.sorted().joined(separator: ", "))")
                }
                script += value
            }
        }
        return script
    }

    private static func placeholder(at bytes: ArraySlice<UInt8>) -> (name: String, length: Int)? {
        guard bytes.starts(with: "{{".utf8) else { return nil }
        let inside = bytes.dropFirst(2).drop { $0 == UInt8(ascii: " ") }
        let name = inside.prefix { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        let after = inside.dropFirst(name.count).drop { $0 == UInt8(ascii: " ") }
        guard !name.isEmpty, after.starts(with: "}}".utf8) else { return nil }
        return (String(decoding: name, as: UTF8.self), after.startIndex + 2 - bytes.startIndex)
    }
}
