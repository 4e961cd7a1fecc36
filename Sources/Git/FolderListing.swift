#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// What is in one folder: the files and links with what they are, and the folders. Pipes, sockets and devices are not among it.
struct FolderListing: Sendable {
    struct Name: Sendable {
        fileprivate let start: Int
        /// Nil for a folder.
        let stamp: FileStamp?
    }

    /// In the order that an index has their paths in: a folder comes where its name with a slash does.
    private(set) var names: [Name] = []
    /// The names, each with a zero at its end; before that, those of folders have a slash.
    private var characters: [CChar] = []
    /// There is something of the name `.git`, which is not listed.
    private(set) var hasRepository = false

    /// Of a folder with nothing in it.
    init() {}

    /// Closes `descriptor`, that of the folder.
    ///
    /// - Returns: nil when what is in it cannot be reached.
    init?(descriptor: CInt, location: @autoclosure () -> String) throws(GitError) {
        guard let stream = fdopendir(descriptor) else {
            let number = errno
            _ = close(descriptor)
            throw GitError.unreadable(location(), number)
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let isFolder = entry.pointee.d_type == UInt8(DT_DIR)
            let problem = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) {
                    add($0, in: descriptor, isFolder: isFolder)
                }
            }
            if problem == EACCES { return nil }
            if problem != 0 { throw GitError.unreadable(location(), problem) }
        }
        characters.withUnsafeBufferPointer { characters in
            guard let base = characters.baseAddress else { return }
            names.sort { strcmp(base + $0.start, base + $1.start) < 0 }
        }
    }

    /// - Parameter isFolder: false also where that is not known yet.
    /// - Returns: the number of an error; 0 for none.
    private mutating func add(_ name: UnsafePointer<CChar>, in folder: CInt, isFolder: Bool) -> CInt {
        guard strcmp(name, ".") != 0, strcmp(name, "..") != 0 else { return 0 }
        guard strcmp(name, ".git") != 0 else {
            hasRepository = true
            return 0
        }
        var stamp: FileStamp?
        if !isFolder {
            var status = stat()
            guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                // It may have gone since.
                return errno == ENOENT ? 0 : errno
            }
            let found = FileStamp(status)
            if found.status.kind == .special { return 0 }
            if found.status.kind != .directory { stamp = found }
        }
        names.append(Name(start: characters.count, stamp: stamp))
        characters.append(contentsOf: UnsafeBufferPointer(start: name, count: strlen(name)))
        if stamp == nil { characters.append(CChar(bitPattern: UInt8(ascii: "/"))) }
        characters.append(0)
        return 0
    }

    /// Appends a name, and the zero after it, to `path`. That of a folder ends with a slash.
    func append(_ name: Name, to path: inout [CChar]) {
        characters.withUnsafeBufferPointer { characters in
            guard let base = characters.baseAddress else { return }
            let start = base + name.start
            path.append(contentsOf: UnsafeBufferPointer(start: start, count: strlen(start) + 1))
        }
    }
}
