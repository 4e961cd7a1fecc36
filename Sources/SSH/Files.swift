internal import IO

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// The bytes of a small file. Throws an ``IOError`` that has the system's reason.
func readFile(_ path: String) throws -> [UInt8] {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { throw systemFailure("reading \(path)") }
    defer { _ = close(fd) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(fd, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw systemFailure("reading \(path)") }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}

/// Whether there is a file at a path.
func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// Appends a line to a file that only its owner may read; makes the file, and its folder, when they are missing.
func appendLine(_ line: String, toPrivateFile path: String) throws {
    if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
        let folder = String(path[..<slash])
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw systemFailure("making \(folder)") }
    }
    let fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard fd >= 0 else { throw systemFailure("writing \(path)") }
    defer { _ = close(fd) }
    // The last line may lack its end: an entry must not be joined to it.
    var last: UInt8 = 0x0a
    let size = lseek(fd, 0, SEEK_END)
    if size > 0 { _ = pread(fd, &last, 1, size - 1) }
    // In one write, so that two processes that add a line at the same time do not mix them.
    let bytes = Array(((last == 0x0a ? "" : "\n") + line + "\n").utf8)
    guard write(fd, bytes, bytes.count) == bytes.count else { throw systemFailure("writing \(path)") }
}

private func systemFailure(_ doing: String) -> IOError {
    IOError(lastSystemErrorDoing: doing)
}
