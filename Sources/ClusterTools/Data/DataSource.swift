import IO

/// A file that a cluster is to download: where from, under which name, and how it can be told that it is the right one.
struct DataSource: Sendable, Equatable {
    /// Without the fragment.
    let url: String
    /// The name that it gets.
    let name: String
    /// In hexadecimal digits.
    let sha256: String?

    private static let schemes = ["https://", "http://", "ftp://"]

    /// - Parameter text: a URL, which may end in `#sha256=…`.
    init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let url = String(parts[0])
        guard let scheme = Self.schemes.first(where: { url.lowercased().hasPrefix($0) }) else {
            throw Failure(Exit.usage, "\"\(text)\" is no URL that can be downloaded", remedy: "it begins with https://")
        }
        // Nothing else may be in a URL (RFC 3986), and it stands between quotation marks where it is used.
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !#""\<>^`{|}"#.utf8.contains($0) }) else {
            throw Failure(
                Exit.usage, "\"\(url)\": a URL has no such characters", remedy: "write them as %20 and the like")
        }
        let path = url.dropFirst(scheme.count).prefix { $0 != "?" }
        let components = path.split(separator: "/")
        guard components.count > 1, let last = components.last, let name = Self.decoded(last) else {
            throw Failure(Exit.usage, "\"\(url)\" names no file")
        }
        self.url = url
        self.name = name
        guard parts.count > 1 else {
            sha256 = nil
            return
        }
        let sum = parts[1].hasPrefix("sha256=") ? parts[1].dropFirst("sha256=".count).lowercased() : ""
        guard sum.utf8.count == 64, sum.allSatisfy(\.isHexDigit) else {
            throw Failure(
                Exit.usage, "\"#\(parts[1])\" is no checksum", remedy: "write #sha256= and 64 hexadecimal digits")
        }
        sha256 = sum
    }

    /// A name with its %20 and the like decoded; nil when it cannot be a file's.
    private static func decoded(_ text: Substring) -> String? {
        guard let bytes = percentDecoded(text), let name = String(validating: bytes, as: UTF8.self), bytes.count <= 200,
            // A hidden one might be one of ours; a line break would end it.
            !name.hasPrefix("."), !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == BytePath.slash })
        else { return nil }
        return name
    }
}
