#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A folder that only the user reads, such as one below `$XDG_STATE_HOME/cluster-tools`. Its files appear whole, by rename.
struct StateFolder: Sendable {
    let path: String

    /// - Parameter environment: where `XDG_STATE_HOME` and `HOME` are looked up.
    init(_ name: String, environment: [String: String]) {
        let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        path = (state ?? (environment["HOME"] ?? "/") + "/.local/state") + "/cluster-tools/" + name
    }

    /// - Parameter path: of a folder, which need not be there.
    init(at path: String) { self.path = path }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// A file's bytes; nil when there is none.
    ///
    /// - Parameter limit: a larger one, in bytes, is no file of ours.
    func read(_ name: String, limit: Int = 1 << 28) throws(SystemFailure) -> [UInt8]? {
        let descriptor = open(file(name), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemFailure("open \(file(name))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size <= limit else {
            throw SystemFailure("size of \(file(name))")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let more = bytes[count...].withUnsafeMutableBytes { Self.read(descriptor, $0) }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else { throw SystemFailure("read \(file(name))") }
            count += more
        }
        return bytes
    }

    /// Writes a file in place of an earlier one. The folder has to be there.
    ///
    /// - Parameter isLasting: whether it has to survive a power failure from this moment on.
    func write(_ bytes: [UInt8], to name: String, isLasting: Bool) throws(SystemFailure) {
        let temporary = file(".\(name).\(getpid())")
        try writePrivately(bytes, to: temporary, isLasting: isLasting)
        guard rename(temporary, file(name)) == 0 else { throw SystemFailure("rename to \(file(name))") }
    }

    /// Makes a file where there is none. The folder has to be there.
    ///
    /// - Returns: false when there is one, which stays as it is.
    func create(_ bytes: [UInt8], at name: String) throws(SystemFailure) -> Bool {
        let temporary = file(".\(name).\(getpid())")
        try writePrivately(bytes, to: temporary, isLasting: true)
        defer { unlink(temporary) }
        // Unlike rename, this fails where there is one.
        if link(temporary, file(name)) == 0 { return true }
        guard errno == EEXIST else { throw SystemFailure("link to \(file(name))") }
        return false
    }

    /// Makes the folder, with those above it.
    func make() throws(SystemFailure) { try Self.makeFolders(path) }

    private static func makeFolders(_ path: String) throws(SystemFailure) {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, path != "/" else { throw SystemFailure("mkdir \(path)") }
        try makeFolders(LocalPath.folder(of: path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemFailure("mkdir \(path)") }
    }

    private func writePrivately(_ bytes: [UInt8], to path: String, isLasting: Bool) throws(SystemFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFailure("open \(path)") }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Self.write(file, $0) }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw SystemFailure("write \(path)")
            }
            written += count
        }
        guard !isLasting || fsync(file) == 0 else { throw SystemFailure("fsync \(path)") }
    }

    private static func read(_ file: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.read(file, bytes.baseAddress, bytes.count)
        #else
            Glibc.read(file, bytes.baseAddress, bytes.count)
        #endif
    }

    private static func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.write(file, bytes.baseAddress, bytes.count)
        #else
            Glibc.write(file, bytes.baseAddress, bytes.count)
        #endif
    }
}

/// A system call that failed, and why.
struct SystemFailure: Error, CustomStringConvertible {
    let description: String

    init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}
