#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A folder on this machine, open, and what lies below it. No path here leads through a symbolic link: what the far side names
/// stays below the folder.
///
/// Who owns what: the descriptors are this object's alone; it belongs to one task.
final class LocalFolder {
    /// Absolute.
    let path: String
    private let root: CInt
    /// The folder that was last gone into: most files have it in common with the one before.
    private var last: (path: [UInt8], descriptor: CInt)?

    /// - Parameter makes: whether it is made when it is not there.
    init(path: String, makes: Bool = false) throws(Failure) {
        if makes { try Self.make(path) }
        self.path = path
        root = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw Self.failure(Exit.noInput, "cannot open the folder \(path)") }
    }

    deinit {
        if let last { close(last.descriptor) }
        close(root)
    }

    // MARK: Looking

    /// What lies there; nil when nothing does.
    func entry(_ path: [UInt8]) throws(Failure) -> FileEntry? {
        let (folder, name) = BytePath.split(path)
        guard let parent = try descriptor(of: folder, makes: false) else { return nil }
        var status = stat()
        guard Self.with(name, { fstatat(parent, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw failure(Exit.noInput, "cannot look at", path)
        }
        return FileEntry(
            path: path, kind: try kind(status, name, in: parent), mode: UInt32(status.st_mode) & FileEntry.keptMode,
            size: status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0, modified: Self.modified(status))
    }

    private func kind(_ status: stat, _ name: [UInt8], in parent: CInt) throws(Failure) -> FileEntry.Kind {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFLNK:
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let count = Self.with(name) { readlinkat(parent, $0, &buffer, buffer.count) }
            guard count >= 0 else { throw failure(Exit.noInput, "cannot read the symbolic link", name) }
            return .link(target: buffer.prefix(count).map { UInt8(bitPattern: $0) })
        default: return .other
        }
    }

    /// The names in a folder, in no order; none when it is not there.
    func names(in path: [UInt8]) throws(Failure) -> [[UInt8]] {
        guard let parent = try descriptor(of: path, makes: false) else { return [] }
        let copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            throw failure(Exit.noInput, "cannot read the folder", path)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) { names.append(name) }
        }
        return names
    }

    /// What lies at a path and below it; nothing when nothing does.
    func entries(below path: [UInt8]) throws(Failure) -> [FileEntry] {
        guard var top = try entry(path) else { return [] }
        guard top.kind == .folder else { return [top] }
        let names: [[UInt8]]
        do {
            names = try self.names(in: path)
        } catch {
            top.kind = .closedFolder
            return [top]
        }
        var entries = [top]
        for name in names { entries += try self.entries(below: BytePath.join(path, name)) }
        return entries
    }

    /// Opens a file to read it.
    func open(_ path: [UInt8]) throws(Failure) -> CInt {
        let (folder, name) = BytePath.split(path)
        guard let parent = try descriptor(of: folder, makes: false) else {
            throw Failure(Exit.noInput, "there is no \(BytePath.text(path)) in \(self.path)")
        }
        // Without O_NONBLOCK a pipe that has taken the file's place would be waited for.
        let file = Self.with(name) { openat(parent, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
        guard file >= 0 else { throw failure(Exit.noInput, "cannot read", path) }
        return file
    }

    /// How many bytes the file system still takes.
    var room: Int {
        get throws(Failure) {
            var status = statvfs()
            guard fstatvfs(root, &status) == 0 else { throw failure(Exit.osError, "cannot tell the room in", []) }
            let (room, isHuge) = Int(clamping: status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
            return isHuge ? .max : room
        }
    }

    // MARK: Changing

    /// Makes a folder that this user can write to; ``finish(folder:)`` gives it what it is to have.
    func makeFolder(_ path: [UInt8]) throws(Failure) { _ = try descriptor(of: path, makes: true) }

    func finish(folder: FileEntry) throws(Failure) {
        let (parentPath, name) = BytePath.split(folder.path)
        guard let parent = try descriptor(of: parentPath, makes: false) else { return }
        let times = Self.times(folder.modified)
        guard Self.with(name, { utimensat(parent, $0, times, AT_SYMLINK_NOFOLLOW) }) == 0,
            Self.with(name, { fchmodat(parent, $0, mode_t(folder.mode), 0) }) == 0
        else { throw failure(Exit.cannotCreate, "cannot change the folder", folder.path) }
    }

    /// Makes a symbolic link, in place of a file or a link of that name.
    func makeLink(_ entry: FileEntry, target: [UInt8]) throws(Failure) {
        let (folder, name) = BytePath.split(entry.path)
        let parent = try madeDescriptor(of: folder)
        let part = PartName.of(entry)
        _ = Self.with(part) { unlinkat(parent, $0, 0) }
        let times = Self.times(entry.modified)
        guard Self.with(target, { target in Self.with(part) { symlinkat(target, parent, $0) } }) == 0,
            Self.with(part, { utimensat(parent, $0, times, AT_SYMLINK_NOFOLLOW) }) == 0,
            Self.with(part, { part in Self.with(name) { renameat(parent, part, parent, $0) } }) == 0
        else {
            let failure = failure(Exit.cannotCreate, "cannot make the symbolic link", entry.path)
            _ = Self.with(part) { unlinkat(parent, $0, 0) }
            throw failure
        }
    }

    /// Opens the part file of an entry, and removes parts of other versions of it.
    ///
    /// - Parameter offset: how much of it there is; what is beyond goes.
    func openPart(of entry: FileEntry, offset: Int) throws(Failure) -> CInt {
        let parent = try madeDescriptor(of: BytePath.split(entry.path).folder)
        let part = Self.with(PartName.of(entry)) {
            openat(parent, $0, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard part >= 0 else { throw failure(Exit.cannotCreate, "cannot make", entry.path) }
        guard ftruncate(part, off_t(offset)) == 0, lseek(part, 0, SEEK_END) == off_t(offset) else {
            close(part)
            throw failure(Exit.cannotCreate, "cannot write", entry.path)
        }
        return part
    }

    /// Gives a part its file's name.
    func completePart(of entry: FileEntry) throws(Failure) {
        let (folder, name) = BytePath.split(entry.path)
        let parent = try madeDescriptor(of: folder)
        guard Self.with(PartName.of(entry), { part in Self.with(name) { renameat(parent, part, parent, $0) } }) == 0
        else { throw failure(Exit.cannotCreate, "cannot make", entry.path) }
    }

    /// Removes a file that may be there.
    func remove(_ path: [UInt8]) throws(Failure) {
        let (folder, name) = BytePath.split(path)
        guard let parent = try descriptor(of: folder, makes: false) else { return }
        guard Self.with(name, { unlinkat(parent, $0, 0) }) == 0 || errno == ENOENT else {
            throw failure(Exit.cannotCreate, "cannot remove", path)
        }
    }

    // MARK: Folders on the way

    private func madeDescriptor(of folder: [UInt8]) throws(Failure) -> CInt {
        guard let descriptor = try descriptor(of: folder, makes: true) else {
            throw Failure(Exit.cannotCreate, "cannot make the folder \(BytePath.text(folder)) in \(path)")
        }
        return descriptor
    }

    /// Goes into a folder, by way of folders only. It is kept open until the next one.
    ///
    /// - Returns: nil when it is not there and is not to be made.
    private func descriptor(of folder: [UInt8], makes: Bool) throws(Failure) -> CInt? {
        if folder.isEmpty { return root }
        if let last, last.path == folder { return last.descriptor }
        var present = root
        var way: [UInt8] = []
        for component in folder.split(separator: BytePath.slash) {
            way = BytePath.join(way, Array(component))
            func enter() -> CInt {
                Self.with(component) { openat(present, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
            }
            var next = enter()
            if next < 0, errno == ENOENT, makes, Self.with(component, { mkdirat(present, $0, 0o777) }) == 0 {
                next = enter()
            }
            let code = errno
            if present != root { close(present) }
            guard next >= 0 else {
                if code == ENOENT, !makes { return nil }
                guard code == ELOOP || code == ENOTDIR else {
                    errno = code
                    throw failure(Exit.cannotCreate, makes ? "cannot make the folder" : "cannot open the folder", way)
                }
                throw Failure(
                    Exit.cannotCreate, "\(path)/\(BytePath.text(way)) is a symbolic link or no folder",
                    why: "nothing is written through one")
            }
            present = next
        }
        if let last { close(last.descriptor) }
        last = (folder, present)
        return present
    }

    private static func make(_ path: String) throws(Failure) {
        guard mkdir(path, 0o777) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, path != "/", path != "." else {
            throw failure(Exit.cannotCreate, "cannot make the folder \(path)")
        }
        try make(LocalPath.folder(of: path))
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw failure(Exit.cannotCreate, "cannot make the folder \(path)")
        }
    }

    // MARK: The system

    static func modified(_ status: stat) -> Int {
        #if canImport(Darwin)
            status.st_mtimespec.tv_sec
        #else
            status.st_mtim.tv_sec
        #endif
    }

    /// The times of a file that was changed then: when it was read is not kept.
    static func times(_ modified: Int) -> [timespec] {
        Array(repeating: timespec(tv_sec: time_t(modified), tv_nsec: 0), count: 2)
    }

    private static func with<R>(_ name: some Sequence<UInt8>, _ body: (UnsafePointer<CChar>) -> R) -> R {
        let bytes = name.map { CChar(bitPattern: $0) } + [0]
        return bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("an array that is not empty") }
            return body(start)
        }
    }

    /// The failure of the system call that was just made.
    private func failure(_ status: Int32, _ what: String, _ path: [UInt8]) -> Failure {
        Self.failure(status, "\(what) \(self.path)/\(BytePath.text(path))")
    }

    static func failure(_ status: Int32, _ what: String) -> Failure {
        let code = errno
        return Failure(
            status, what, why: String(cString: strerror(code)),
            remedy: code == ENOSPC || code == EDQUOT ? "make room, and say it again: it goes on where it stopped" : nil)
    }
}
