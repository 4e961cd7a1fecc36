extension Entry {
    /// What the content is called: two entries of the same name have the same bytes. Empty for a folder; nil where only the
    /// bytes themselves would tell, as for files of filters that are not run here.
    public var identity: String? {
        switch source {
        case .object(let id, workTree: _, file: _): id.hex
        case .largeFile(at: _, let pointer): pointer.digest
        case .filteredFile: nil
        case .nothing: ""
        }
    }
}

/// The SHA-256 of bytes, in hexadecimal.
public func sha256(of bytes: [UInt8]) throws(GitError) -> String {
    let digest = try Digest(.sha256)
    let outcome = bytes.withUnsafeBytes { bytes in Result { () throws(GitError) in try digest.update(bytes) } }
    try outcome.get()
    return hexadecimal(try digest.finish())
}
