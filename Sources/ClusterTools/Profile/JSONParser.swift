/// Where and why a text is no JSON.
public struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The line, counted from 1.
    public let line: Int
    /// The column in characters (Unicode scalars), counted from 1.
    public let column: Int
    /// What is wrong there.
    public let message: String

    public var description: String { "\(line):\(column): \(message)" }
}

extension JSONValue {
    /// Reads a document (RFC 8259), strictly: duplicate names are errors, since one of the two would be lost. A byte order
    /// mark at the start is skipped, since editors leave one behind.
    public init(parsing text: [UInt8]) throws(JSONSyntaxError) {
        var parser = JSONParser(text)
        self = try parser.document()
    }

    public init(parsing text: String) throws(JSONSyntaxError) {
        try self.init(parsing: Array(text.utf8))
    }
}

/// A recursive descent over the bytes.
private struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// Deep enough for any profile, and far from the end of the stack.
    private static let deepest = 200

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: Self.byteOrderMark) { position = 3 }
    }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        guard peek() != nil else { throw error("the document is empty") }
        let value = try value()
        skipSpace()
        guard peek() == nil else { throw error("unexpected \(found()) after the end of the document") }
        return value
    }

    // MARK: Values

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        guard let first = peek() else { return try word() }
        switch first {
        case UInt8(ascii: "{"): return .object(try nested { parser throws(JSONSyntaxError) in try parser.members() })
        case UInt8(ascii: "["): return .array(try nested { parser throws(JSONSyntaxError) in try parser.elements() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: return try word()
        }
    }

    private mutating func nested<T>(
        _ body: (inout JSONParser) throws(JSONSyntaxError) -> T
    ) throws(JSONSyntaxError) -> T {
        guard depth < Self.deepest else { throw error("nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    private mutating func members() throws(JSONSyntaxError) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        position += 1
        skipSpace()
        if take("}") { return members }
        while true {
            skipSpace()
            let start = position
            guard peek() == UInt8(ascii: "\"") else {
                if !members.isEmpty && peek() == UInt8(ascii: "}") {
                    throw error("a comma before } is not allowed in JSON")
                }
                throw error("expected a name in double quotes, found \(found())")
            }
            let name = try string()
            guard names.insert(name).inserted else { throw error("\"\(name)\" is given twice", at: start) }
            skipSpace()
            guard take(":") else { throw error("expected : after \"\(name)\", found \(found())") }
            skipSpace()
            members.append(JSONValue.Member(name, try value()))
            skipSpace()
            if take("}") { return members }
            guard take(",") else { throw error("expected , or } after the value of \"\(name)\", found \(found())") }
        }
    }

    private mutating func elements() throws(JSONSyntaxError) -> [JSONValue] {
        var elements: [JSONValue] = []
        position += 1
        skipSpace()
        if take("]") { return elements }
        while true {
            skipSpace()
            if !elements.isEmpty && peek() == UInt8(ascii: "]") {
                throw error("a comma before ] is not allowed in JSON")
            }
            elements.append(try value())
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw error("expected , or ] in the list, found \(found())") }
        }
    }

    private mutating func word() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        while let byte = peek(), Self.isWord(byte) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        switch word {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "":
            if peek() == UInt8(ascii: "'") { throw error("JSON strings are in double quotes, not single ones") }
            if peek() == UInt8(ascii: "/") || peek() == UInt8(ascii: "#") { throw error("JSON has no comments") }
            throw error("expected a value, found \(found())")
        default: throw error("expected a value, found \(word): strings are in double quotes", at: start)
        }
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = position
        _ = take("-")
        if !take("0") { try digits(from: start) }
        if take(".") { try digits(from: start) }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits(from: start)
        }
        if let byte = peek(), Self.isWord(byte) || byte == UInt8(ascii: ".") {
            throw error("not a number; as a string it needs double quotes", at: start)
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits(from start: Int) throws(JSONSyntaxError) {
        let first = position
        while let byte = peek(), Self.isDigit(byte) { position += 1 }
        guard position > first else { throw error("not a number", at: start) }
    }

    // MARK: Strings

    private mutating func string() throws(JSONSyntaxError) -> String {
        let start = position
        var text: [UInt8] = []
        position += 1
        while true {
            guard let byte = peek() else { throw error("a string that does not end", at: start) }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw error("a string that is not UTF-8", at: start)
                }
                return string
            case UInt8(ascii: "\n"): throw error("a string that does not end in its line", at: start)
            case 0..<0x20: throw error("a control character in a string must be written as \\u00\(hex(byte))")
            case UInt8(ascii: "\\"): text += try escape()
            default:
                text.append(byte)
                position += 1
            }
        }
    }

    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        let start = position
        position += 1
        guard let byte = peek() else { throw error("a string that does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            guard let first = fourDigits() else { throw error("\\u needs four hexadecimal digits", at: start) }
            if let scalar = Unicode.Scalar(first) { return Array(Character(scalar).utf8) }
            // A character beyond U+FFFF is written as two surrogates.
            guard (0xD800..<0xDC00).contains(first), take("\\"), take("u"), let second = fourDigits(),
                (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            else { throw error("half a character: a surrogate without its other half", at: start) }
            return Array(Character(scalar).utf8)
        default: throw error("no such escape; a backslash itself is written \\\\", at: start)
        }
    }

    private mutating func fourDigits() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        let digits = bytes[position..<position + 4]
        guard digits.allSatisfy(Self.isHexDigit) else { return nil }
        position += 4
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    // MARK: Bytes

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { position += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    // MARK: Errors

    /// What stands at the present position, in words.
    private func found() -> String {
        guard position < bytes.count else { return "the end of the document" }
        let rest = String(decoding: bytes[position..<min(position + 16, bytes.count)], as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first else { return "the end of the document" }
        if scalar == "\n" || scalar == "\r" { return "the end of the line" }
        guard scalar.value >= 0x20 else { return "a control character" }
        return String(Character(scalar))
    }

    private func error(_ message: String, at place: Int? = nil) -> JSONSyntaxError {
        let before = bytes[..<min(place ?? position, bytes.count)]
        let lines = before.split(separator: 0x0A, omittingEmptySubsequences: false)
        let last = lines.last ?? []
        let text = lines.count == 1 && last.starts(with: Self.byteOrderMark) ? last.dropFirst(3) : last
        // Every byte but a continuation byte (10xxxxxx) starts a character.
        return JSONSyntaxError(line: lines.count, column: text.count { $0 & 0xC0 != 0x80 } + 1, message: message)
    }
}
