/// A JSON document as it was written: members keep their order and numbers their spelling.
///
/// Foundation's decoder can do neither, and its errors name no place a person could find.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The digits as written, so that `1.0` and `1e3` reach Slurm unchanged.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A name and its value in an object.
    public struct Member: Sendable, Equatable {
        public var name: String
        public var value: JSONValue

        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// What kind of value this is, in words for an error message.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The member's value; nothing when there is no such member, or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(String(value)) }
}

extension JSONValue: CustomStringConvertible {
    /// The document in one line without spaces (RFC 8259); what it parses back to is equal.
    public var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    /// The document with a line for each member of an object that holds others, for a person to read.
    public var indented: String {
        var text = ""
        writeIndented(to: &text, by: "")
        return text
    }

    private func writeIndented(to text: inout String, by indent: String) {
        guard case .object(let members) = self, !members.isEmpty else { return write(to: &text) }
        let inner = indent + "  "
        for (index, member) in members.enumerated() {
            text += (index == 0 ? "{\n" : ",\n") + inner
            Self.write(member.name, to: &text)
            text += ": "
            member.value.writeIndented(to: &text, by: inner)
        }
        text += "\n\(indent)}"
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let spelling): text += spelling
        case .string(let value): Self.write(value, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                Self.write(member.name, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
