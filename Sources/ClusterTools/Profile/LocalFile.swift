#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reading the small files a person writes, without the cost of Foundation at start-up.
enum LocalFile {
    /// No configuration is larger; something that is, is another file than was meant.
    private static let largest = 1 << 20

    /// The file's bytes. `subject` is what it is for the user, such as "the profile".
    static func contents(of path: String, subject: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, subject, errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path, subject, errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= largest else {
                throw Failure(Exit.configuration, "cannot read \(subject) \(path)", why: "it is larger than 1 MB")
            }
        }
    }

    /// Whether there is a file, and no folder, at `path`.
    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
    }

    private static func unreadable(_ path: String, _ subject: String, _ code: Int32) -> Failure {
        Failure(Exit.noInput, "cannot read \(subject) \(path)", why: String(cString: strerror(code)))
    }
}

/// Paths as text. Nothing here looks at the file system.
enum LocalPath {
    /// `path` as it is seen from `folder`, with a leading `~` for `home`.
    static func resolve(_ path: String, from folder: String, home: String) -> String {
        let expanded = expand(path, home: home)
        return expanded.hasPrefix("/") ? expanded : join(folder, expanded)
    }

    /// `path` with a leading `~` for `home`.
    static func expand(_ path: String, home: String) -> String {
        if path == "~" { return home }
        return path.hasPrefix("~/") ? join(home, String(path.dropFirst(2))) : path
    }

    static func join(_ folder: String, _ name: String) -> String {
        if folder.isEmpty || folder == "." { return name }
        return folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// The folder a path's last component lies in: `.` when it has no other.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component.
    static func name(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
