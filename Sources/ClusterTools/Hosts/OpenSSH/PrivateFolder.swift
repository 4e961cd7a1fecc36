import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The longest path of a folder for sockets. A socket's path ends at 103 bytes; ssh makes its control socket under a
/// temporary name that is 17 bytes longer, and the names in the folder have up to 10.
private let longestPath = 103 - 17 - 10 - 1

/// Lends a new folder that only this user can enter, for sockets and for files that nobody else may read. It is removed with
/// all in it.
///
/// It lies in the first of `$XDG_RUNTIME_DIR`, `$TMPDIR` and `/tmp` where a folder can be made whose path is short enough and
/// plain enough for ssh's options.
///
/// - Throws: ``Failure`` when it cannot be made.
func withPrivateFolder<R>(
    environment: [String: String], _ body: (_ path: String) async throws -> R
) async throws -> R {
    let folder = try makeFolder(environment: environment)
    defer { remove(folder: folder) }
    return try await body(folder)
}

private func makeFolder(environment: [String: String]) throws -> String {
    var failure = IOError(.systemCall, "no folder was tried")
    for parent in [environment["XDG_RUNTIME_DIR"], environment["TMPDIR"], "/tmp"] {
        guard let parent, parent.hasPrefix("/"), parent.utf8.allSatisfy(isPlain) else { continue }
        var template = Array((parent + "/ct-XXXXXX").utf8CString)
        guard template.count - 1 <= longestPath else { continue }
        if mkdtemp(&template) != nil {
            return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        failure = IOError(lastSystemErrorDoing: "making a folder in \(parent)")
    }
    throw Failure(
        Exit.cannotCreate, "there is no place for the sockets of ssh", cause: failure)
}

/// Whether ssh takes a byte as itself wherever a path may stand.
private func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "/_-+.,@".utf8.contains(byte)
    }
}

/// Writes a new file that only this user can read.
func writePrivateFile(_ path: String, _ text: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw IOError(lastSystemErrorDoing: "making \(path)") }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
        guard count >= 0 || errno == EINTR else { throw IOError(lastSystemErrorDoing: "writing \(path)") }
        written += max(0, count)
    }
}

/// What is not there any more was removed by others who clean up.
private func remove(folder: String) {
    if let listing = opendir(folder) {
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { unlink("\(folder)/\(name)") }
        }
        closedir(listing)
    }
    rmdir(folder)
}
