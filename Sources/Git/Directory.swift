#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A folder, open, and the files in it by their paths inside of it. Nothing here follows a symbolic link at the end of a path.
final class Directory {
    /// Absolute, without a slash at the end.
    let root: String
    private let descriptor: CInt

    init(root: String) throws(GitError) {
        self.root = root
        descriptor = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw GitError.unreadable(root, errno) }
    }

    /// As ``init(root:)``, for a folder that need not exist.
    static func ifPresent(root: String) throws(GitError) -> Directory? {
        access(root, F_OK) == 0 ? try Directory(root: root) : nil
    }

    deinit { _ = close(descriptor) }

    /// What `path` is; nil when nothing is there.
    func status(of path: TreePath) throws(GitError) -> FileStatus? { try stamp(of: path)?.status }

    /// As ``status(of:)``, with all that an index notes.
    func stamp(of path: TreePath) throws(GitError) -> FileStamp? {
        var status = stat()
        guard path.withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw GitError.unreadable(location(of: path), errno)
        }
        return FileStamp(status)
    }

    /// As ``status(of:)``, but what lies behind a symbolic link to a directory is not there: git tracks the link.
    func statusBehindNoLink(of path: TreePath) throws(GitError) -> FileStatus? {
        try stampBehindNoLink(of: path)?.status
    }

    /// As ``statusBehindNoLink(of:)``, with all that an index notes.
    func stampBehindNoLink(of path: TreePath) throws(GitError) -> FileStamp? {
        for parent in path.parents {
            guard let status = try status(of: parent), status.kind == .directory else { return nil }
        }
        return try stamp(of: path)
    }

    /// Where the link points to, as the bytes that it holds.
    func destination(ofLink path: TreePath) throws(GitError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = path.withCString { readlinkat(descriptor, $0, &buffer, buffer.count) }
        guard length >= 0 else {
            // EINVAL: it is no longer a link.
            throw errno == ENOENT || errno == EINVAL
                ? GitError.vanished(location(of: path)) : GitError.unreadable(location(of: path), errno)
        }
        return buffer.prefix(length).map(UInt8.init(bitPattern:))
    }

    /// Opens a regular file to read it.
    func openFile(_ path: TreePath) throws(GitError) -> OpenFile {
        // Without O_NONBLOCK a pipe that has taken the file's place would be waited for.
        let file = path.withCString { openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
        guard file >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                ? GitError.vanished(location(of: path)) : GitError.unreadable(location(of: path), errno)
        }
        return OpenFile(descriptor: file, location: location(of: path))
    }

    /// The names in a directory, but for `.` and `..`, in no order.
    func names(in path: TreePath) throws(GitError) -> [TreePath] {
        let directory = path.withCString { openat(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard directory >= 0, let stream = fdopendir(directory) else {
            throw GitError.unreadable(location(of: path), errno)
        }
        defer { closedir(stream) }
        var names: [TreePath] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) {
                    TreePath($0)
                }
            }
            if name.description != ".", name.description != ".." { names.append(name) }
        }
        return names
    }

    /// What is in the folder `path`, which is empty or ends with a slash; nil when this user may not list it, or not reach what
    /// is in it. One that is gone holds nothing.
    func listing(of path: [CChar]) throws(GitError) -> FolderListing? {
        let name = path.isEmpty ? [CChar(bitPattern: UInt8(ascii: ".")), 0] : path + [0]
        let folder = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        func location() -> String {
            name.withUnsafeBufferPointer { "\(root)/\($0.baseAddress.map { TreePath($0).description } ?? "")" }
        }
        guard folder >= 0 else {
            switch errno {
            case EACCES: return nil
            // It has just gone.
            case ENOENT, ENOTDIR, ELOOP: return FolderListing()
            default: throw GitError.unreadable(location(), errno)
            }
        }
        return try FolderListing(descriptor: folder, location: location())
    }

    /// `path` for a message.
    func location(of path: TreePath) -> String { "\(root)/\(path)" }
}

/// What a file is, as `lstat` tells.
struct FileStatus: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case regular
        case symlink
        case directory
        /// A socket, a pipe, a device.
        case special
    }

    let kind: Kind
    /// Its owner may run it: the bit that git looks at.
    let isExecutable: Bool
    /// In bytes.
    let size: Int
    let modified: FileTime

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFLNK: kind = .symlink
        case S_IFDIR: kind = .directory
        default: kind = .special
        }
        isExecutable = status.st_mode & S_IXUSR != 0
        size = Int(status.st_size)
        #if canImport(Darwin)
            modified = FileTime(status.st_mtimespec)
        #else
            modified = FileTime(status.st_mtim)
        #endif
    }
}

/// A file open for reading, closed with its last use.
struct OpenFile: ~Copyable {
    private let descriptor: CInt
    /// For messages.
    let location: String

    fileprivate init(descriptor: CInt, location: String) {
        self.descriptor = descriptor
        self.location = location
    }

    deinit { _ = close(descriptor) }

    /// What it is now.
    func status() throws(GitError) -> FileStatus { try stamp().status }

    /// As ``status()``, with all that an index notes.
    func stamp() throws(GitError) -> FileStamp {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw GitError.unreadable(location, errno) }
        return FileStamp(status)
    }

    /// Fills `buffer` from `offset` on, as far as the file goes; returns the number of bytes.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(GitError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, off_t(offset + filled))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw GitError.unreadable(location, errno)
            }
            filled += count
        }
        return filled
    }

    /// All of it, as long as it is when the reading begins.
    func contents() throws -> [UInt8] {
        let size = try status().size
        let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        guard bytes.count == size else { throw GitError.changing(location) }
        return bytes
    }

    /// Hands out the first `size` bytes in pieces of at most `piece`; throws when the file ends before.
    func forEachChunk<Failure: Error>(
        of piece: Int, size: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws {
        var buffer = [UInt8](repeating: 0, count: max(1, min(piece, size)))
        var offset = 0
        while offset < size {
            let wanted = min(buffer.count, size - offset)
            try buffer.withUnsafeMutableBytes { buffer in
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(wanted))
                guard try read(into: part, at: offset) == wanted else { throw GitError.changing(location) }
                try body(UnsafeRawBufferPointer(part))
            }
            offset += wanted
        }
    }
}

extension GitError {
    static func unreadable(_ location: String, _ number: CInt) -> GitError {
        GitError(
            .unreadableFile,
            "Cannot read \(location): \(String(cString: strerror(number))). "
                + "Make it readable, or name it in .gitignore.")
    }

    static func gone(_ repository: String) -> GitError {
        GitError(.noRepository, "The repository \(repository) is no longer there.")
    }

    static func vanished(_ location: String) -> GitError {
        GitError(
            .changedFile, "\(location) disappeared while the snapshot was taken. Try again when nothing changes it.")
    }

    static func changing(_ location: String) -> GitError {
        GitError(
            .changedFile,
            "\(location) keeps changing while it is read. Stop what writes it, or name it in .gitignore.")
    }
}
