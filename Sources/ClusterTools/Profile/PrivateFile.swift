#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A system call that failed, and why.
struct SystemFailure: Error, CustomStringConvertible {
    let description: String

    init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}

/// Files and folders that only the user reads.
enum PrivateFile {
    /// Makes a folder, with those above it.
    static func makeFolders(_ path: String) throws {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, path != "/" else { throw SystemFailure("mkdir \(path)") }
        try makeFolders(LocalPath.folder(of: path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemFailure("mkdir \(path)") }
    }

    /// Makes a file, and sees to it that its content has reached the disk.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFailure("open \(path)") }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            #if canImport(Darwin)
                let count = bytes[written...].withUnsafeBytes { Darwin.write(file, $0.baseAddress, $0.count) }
            #else
                let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            #endif
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw SystemFailure("write \(path)")
            }
            written += count
        }
        guard fsync(file) == 0 else { throw SystemFailure("fsync \(path)") }
    }

    /// Makes a file that appears whole or not at all.
    ///
    /// - Parameter overwriting: whether one that is there goes.
    /// - Returns: false when there is one, and it stays.
    static func place(_ bytes: [UInt8], at path: String, overwriting: Bool) throws -> Bool {
        try makeFolders(LocalPath.folder(of: path))
        let temporary = "\(LocalPath.folder(of: path))/.\(LocalPath.name(of: path)).\(getpid())"
        try write(bytes, to: temporary)
        guard overwriting else {
            defer { unlink(temporary) }
            // Unlike rename, this fails where there is one by now.
            if link(temporary, path) == 0 { return true }
            guard errno == EEXIST else { throw SystemFailure("link to \(path)") }
            return false
        }
        guard rename(temporary, path) == 0 else { throw SystemFailure("rename to \(path)") }
        return true
    }
}
