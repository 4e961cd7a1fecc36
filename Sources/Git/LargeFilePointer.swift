/// What git holds instead of a file under git-lfs.
///
/// Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
struct LargeFilePointer: Sendable, Equatable {
    /// SHA-256 of the file, in hexadecimal.
    let digest: String
    /// Of the file, in bytes.
    let size: Int

    /// How long a pointer can be, in bytes.
    static let sizes = 100..<1024
    private static let firstLine = "version https://git-lfs.github.com/spec/v1"

    init(digest: String, size: Int) {
        self.digest = digest
        self.size = size
    }

    /// Reads a pointer; nil when `bytes` are something else.
    init?(_ bytes: [UInt8]) {
        guard Self.sizes.contains(bytes.count), let text = String(validating: bytes, as: UTF8.self),
            text.hasPrefix(Self.firstLine + "\n")
        else { return nil }
        var digest: String?
        var size: Int?
        for line in text.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { return nil }
            switch words[0] {
            case "oid" where words[1].hasPrefix("sha256:"): digest = String(words[1].dropFirst(7))
            case "size": size = Int(words[1])
            default: continue
            }
        }
        guard let digest, digest.utf8.count == 64, digest.allSatisfy(\.isHexDigit), let size, size >= 0 else {
            return nil
        }
        self.init(digest: digest, size: size)
    }

    /// The pointer as git-lfs writes it.
    var bytes: [UInt8] { Array("\(Self.firstLine)\noid sha256:\(digest)\nsize \(size)\n".utf8) }
}

extension OpenFile {
    /// What git-lfs would give git for this file: a pointer to it; or itself, when it is a pointer already, or empty.
    func largeFileBlob(isCancelled: () -> Bool) throws -> [UInt8] {
        let before = try status()
        if before.size < LargeFilePointer.sizes.upperBound {
            let bytes = try contents()
            if bytes.isEmpty || LargeFilePointer(bytes) != nil { return bytes }
        }
        let digest = try Digest(.sha256)
        try forEachChunk(of: 1 << 20, size: before.size) { bytes in
            if isCancelled() { throw GitError.cancelled }
            try digest.update(bytes)
        }
        guard try status() == before else { throw GitError.changing(location) }
        return LargeFilePointer(digest: hexadecimal(try digest.finish()), size: before.size).bytes
    }
}

extension GitError {
    static var cancelled: GitError { GitError(.cancelled, "The snapshot was cancelled.") }
}
