#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A path inside a work tree, as the bytes that git has for it: they need not be UTF-8, and may hold newlines.
///
/// Two of them are equal when their bytes are. `String` would also call names equal that differ only in how Unicode
/// composes an accent, and these are two files.
struct TreePath: Hashable, Sendable, CustomStringConvertible {
    /// Ends with a zero.
    private let characters: [CChar]

    init(_ path: UnsafePointer<CChar>) {
        characters = Array(UnsafeBufferPointer(start: path, count: Self.length(of: path) + 1))
    }

    /// The bytes before the zero.
    static func length(of path: UnsafePointer<CChar>) -> Int { strlen(path) }

    init(_ path: String) { self = path.withCString { TreePath($0) } }

    private init(characters: [CChar]) { self.characters = characters }

    /// The path itself; nil when it is not UTF-8.
    var string: String? { String(validating: characters.dropLast().lazy.map(UInt8.init(bitPattern:)), as: UTF8.self) }

    /// For a person to read, on one line, with nothing lost: odd bytes appear as `\xNN`.
    var description: String { Self.describe(characters.dropLast().map(UInt8.init(bitPattern:))) }

    /// A directory, by libgit2's spelling.
    var hasTrailingSlash: Bool { characters.dropLast().last == slash }

    var withoutTrailingSlash: TreePath {
        hasTrailingSlash ? TreePath(characters: Array(characters.dropLast(2)) + [0]) : self
    }

    /// `component` inside this directory; the empty path is the work tree itself.
    func appending(_ component: TreePath) -> TreePath {
        characters.count == 1 ? component : TreePath(characters: characters.dropLast() + [slash] + component.characters)
    }

    /// The directories that hold it, the outermost first.
    var parents: [TreePath] {
        characters.indices.filter { characters[$0] == slash }.map { TreePath(characters: characters[..<$0] + [0]) }
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try characters.withUnsafeBufferPointer { buffer in
            // The terminating zero is always there.
            guard let path = buffer.baseAddress else { return try "".withCString(body) }
            return try body(path)
        }
    }

    /// Bytes as a person can read them on one line.
    static func describe(_ bytes: [UInt8]) -> String {
        let text = String(validating: bytes, as: UTF8.self)
        if let text, !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) { return text }
        // A valid text keeps its letters, an invalid one only its ASCII.
        let keepsHigh = text != nil
        var escaped: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): escaped += Array(#"\n"#.utf8)
            case UInt8(ascii: "\t"): escaped += Array(#"\t"#.utf8)
            case 0x20..<0x7F: escaped.append(byte)
            case 0x80... where keepsHigh: escaped.append(byte)
            default: escaped += Array((#"\x"# + hexadecimal([byte])).utf8)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}

private let slash = CChar(bitPattern: UInt8(ascii: "/"))
