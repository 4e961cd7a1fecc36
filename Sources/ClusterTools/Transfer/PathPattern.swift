/// What somebody calls the files that are wanted: a path, in which `*`, `?` and `[a-z]` stand for parts of a name, and `**` for
/// any folders. A folder means all that is in it.
struct PathPattern: Sendable, Equatable {
    /// As it was typed.
    let text: String
    private let components: [[UInt8]]
    /// How many components at the beginning are names and no patterns.
    private let fixedCount: Int

    /// - Throws: when it leads out of the folder that it is seen from.
    init(_ text: String) throws(Failure) {
        guard let components = BytePath.components(Array(text.utf8)) else {
            throw Failure(
                Exit.usage,
                "\"\(text)\": a path below the folder is needed, without \"..\" and a \"/\" at its beginning")
        }
        self.text = text
        self.components = components
        fixedCount = components.prefix { !Self.isPattern($0) }.count
    }

    /// Where to look: the part of the path that is no pattern. With a slash at its end the folder is meant that is there, also
    /// when a symbolic link leads to it.
    var start: [UInt8] {
        let fixed = BytePath.join(components[..<fixedCount])
        let isFolder = fixedCount < components.count || text.hasSuffix("/")
        return isFolder && !fixed.isEmpty ? fixed + [BytePath.slash] : fixed
    }

    /// Whether it means this path, or a folder that it lies in.
    func matches(_ path: [UInt8]) -> Bool {
        Self.matches(components[...], path.split(separator: BytePath.slash)[...])
    }

    static func isPattern(_ text: some Sequence<UInt8>) -> Bool { text.contains { "*?[".utf8.contains($0) } }

    // MARK: Matching

    private static func matches(_ pattern: ArraySlice<[UInt8]>, _ path: ArraySlice<ArraySlice<UInt8>>) -> Bool {
        guard let first = pattern.first else { return true }
        guard let name = path.first else { return false }
        if first.elementsEqual("**".utf8) {
            // At the end it is everything below; the folder itself is not.
            if pattern.count == 1 { return true }
            return matches(pattern.dropFirst(), path) || matches(pattern, path.dropFirst())
        }
        return matches(first[...], name) && matches(pattern.dropFirst(), path.dropFirst())
    }

    /// One component. As in a shell, a name with a dot at its beginning is not meant by a wildcard there.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        if name.first == UInt8(ascii: "."), let first = pattern.first, isPattern([first]) { return false }
        var (p, n) = (pattern.startIndex, name.startIndex)
        // Where the last star stands, and how far it reaches: on a mismatch it takes one more.
        var star: (p: Int, n: Int)?
        while n < name.endIndex {
            if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
                star = (p, n)
                p += 1
            } else if p < pattern.endIndex, let next = step(pattern[p...], name[n]) {
                p = next
                n += 1
            } else if let last = star {
                star = (last.p, last.n + 1)
                (p, n) = (last.p + 1, last.n + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Where the pattern goes on when its beginning stands for this byte; nil when it does not. `?` is one byte of a name that is
    /// ASCII, and so are the members of a bracket; a star takes whole characters anyway.
    private static func step(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> Int? {
        let first = pattern.startIndex
        switch pattern[first] {
        case UInt8(ascii: "?"): return first + 1
        case UInt8(ascii: "["):
            guard let bracket = Bracket(pattern) else { return byte == pattern[first] ? first + 1 : nil }
            return bracket.contains(byte) ? bracket.end : nil
        default: return byte == pattern[first] ? first + 1 : nil
        }
    }

    /// `[abc]`, `[a-z]`, `[!a]`.
    private struct Bracket {
        private var ranges: [ClosedRange<UInt8>] = []
        private var isNegated = false
        /// Behind the closing bracket.
        private(set) var end: Int

        init?(_ pattern: ArraySlice<UInt8>) {
            var rest = pattern.dropFirst()
            if rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^") {
                isNegated = true
                rest = rest.dropFirst()
            }
            var isFirst = true
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "]"), !isFirst {
                    end = rest.startIndex
                    return
                }
                isFirst = false
                if rest.first == UInt8(ascii: "-"), let last = rest.dropFirst().first, last != UInt8(ascii: "]") {
                    rest = rest.dropFirst(2)
                    if byte <= last { ranges.append(byte...last) }
                } else {
                    ranges.append(byte...byte)
                }
            }
            return nil
        }

        func contains(_ byte: UInt8) -> Bool { ranges.contains { $0.contains(byte) } != isNegated }
    }
}
