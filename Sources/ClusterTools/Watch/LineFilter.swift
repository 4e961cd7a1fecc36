/// A pattern that lines have to match, as a person types it: a regular expression of Swift's.
struct LinePattern: Sendable {
    let text: String

    /// - Parameter spelling: the option that it was given with, for the message.
    init(_ text: String, _ spelling: String) throws(Failure) {
        self.text = text
        do {
            _ = try Regex(text)
        } catch {
            throw Failure(
                Exit.usage, "\(spelling): \"\(text)\" is no regular expression", why: "\(error)",
                remedy: "put a backslash before ( ) [ ] { } . * + ? ^ $ | that mean themselves")
        }
    }
}

/// Lets lines through that match a pattern, byte for byte. A value without I/O.
struct LineFilter {
    private let regex: Regex<AnyRegexOutput>
    /// The beginning of a line whose end has not come yet.
    private var start: [UInt8] = []

    /// A line that is longer is taken for several, so that memory stays bounded.
    private static let longestLine = 1 << 20

    init(_ pattern: LinePattern) {
        do {
            regex = try Regex(pattern.text)
        } catch {
            preconditionFailure("a pattern that was read before is read again")
        }
    }

    /// - Returns: those of the lines that end in these bytes that match.
    mutating func feed(_ bytes: [UInt8]) -> [UInt8] {
        var shown: [UInt8] = []
        for piece in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            shown += matching(start + piece + [UInt8(ascii: "\n")])
            start = []
        }
        let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        start += bytes[end...]
        return start.count > Self.longestLine ? shown + finish() : shown
    }

    /// The last line, when it has no end and matches.
    mutating func finish() -> [UInt8] {
        defer { start = [] }
        return matching(start)
    }

    private func matching(_ line: [UInt8]) -> [UInt8] {
        guard !line.isEmpty else { return [] }
        let text = String(decoding: line.last == UInt8(ascii: "\n") ? line.dropLast() : line[...], as: UTF8.self)
        return text.contains(regex) ? line : []
    }
}
