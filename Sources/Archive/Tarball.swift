import CArchive

/// A tar archive that is made piece by piece, in bounded memory:
///
///     var tarball = try Tarball(compression: .gzip(level: 6), modificationTime: commitTime)
///     try tarball.addFile(path: path, mode: 0o644, size: size)
///     while let chunk = try file.next() {
///         try tarball.write(chunk)
///         try await channel.write(tarball.takeOutput())
///     }
///     try tarball.endFile()
///     …
///     try tarball.finish()
///     try await channel.write(tarball.takeOutput())
///
/// The same calls make the same bytes: owners are 0 without names, and times are the given ones. The format is GNU's, which
/// every tar of a Linux machine reads, busybox's too, and which holds paths of any length as the bytes they are. (pax archives
/// need a UTF-8 locale to be written, and GNU tar complains about names in them that are not UTF-8.)
///
/// A compressed archive that was not finished is one that tar refuses; an uncompressed one may pass for a shorter archive.
///
/// After an error the archive cannot be continued.
public struct Tarball: ~Copyable, @unchecked Sendable {
    // Unchecked, because of the pointer: it is owned here alone (~Copyable), is used in mutating methods only, and libarchive keeps
    // nothing by thread. The same holds for the buffer that libarchive's callback writes into during those calls.

    private enum State {
        case betweenEntries
        case inFile(path: [UInt8], size: Int64, left: Int64)
        case finished
        case failed
    }

    /// libarchive's `AE_IFREG` and so on, which are macros that Swift cannot see.
    private enum EntryType: UInt32 {
        case file = 0o100000
        case symlink = 0o120000
        case directory = 0o040000
    }

    private let archive: OpaquePointer
    private let output: OutputBuffer
    private let modificationTime: Int64
    private var state = State.betweenEntries

    /// Starts an archive.
    ///
    /// - Parameter modificationTime: what entries get that have none of their own, in seconds since 1970.
    public init(compression: Compression, modificationTime: Int64) throws(ArchiveError) {
        output = OutputBuffer()
        archive = try Self.open(compression, output)
        self.modificationTime = modificationTime
    }

    deinit {
        // What is left unfinished is abandoned, without a trailer in a buffer that nobody reads.
        if case .finished = state {} else { archive_write_fail(archive) }
        archive_write_free(archive)
    }

    // MARK: Entries

    /// Starts a file of `size` bytes, which ``write(_:)`` then adds.
    ///
    /// - Parameters:
    ///   - path: relative, in the bytes it has on disk.
    ///   - mode: the permission bits, such as `0o644`.
    ///   - modified: when it was changed, in seconds since 1970.
    public mutating func addFile(
        path: [UInt8], mode: UInt32, size: Int64, modified: Int64? = nil
    ) throws(ArchiveError) {
        guard size >= 0 else { throw fail(.misuse, "\(Self.display(path)): a size below zero") }
        try add(path, .file, mode: mode, size: size, modified: modified)
        state = .inFile(path: path, size: size, left: size)
    }

    /// Adds the next bytes of the present file.
    public mutating func write(_ chunk: [UInt8]) throws(ArchiveError) {
        guard case .inFile(let path, let size, let left) = state else {
            throw fail(.misuse, "data that belongs to no file")
        }
        guard chunk.count <= left else {
            throw fail(.sizeChanged, "\(Self.display(path)) grew beyond its \(size) bytes while it was read")
        }
        guard chunk.count > 0 else { return }
        let written = chunk.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        guard written == chunk.count else {
            state = .failed
            throw lastError(of: archive)
        }
        state = .inFile(path: path, size: size, left: left - Int64(chunk.count))
    }

    /// Ends the present file, all of whose bytes must have been written.
    public mutating func endFile() throws(ArchiveError) {
        guard case .inFile(let path, let size, let left) = state else { throw fail(.misuse, "no file to end") }
        guard left == 0 else {
            throw fail(
                .sizeChanged, "\(Self.display(path)) shrank from \(size) to \(size - left) bytes while it was read")
        }
        try check(archive_write_finish_entry(archive))
        state = .betweenEntries
    }

    /// Adds a symbolic link. Its target may be anything, and need not exist.
    public mutating func addSymlink(
        path: [UInt8], target: [UInt8], modified: Int64? = nil
    ) throws(ArchiveError) {
        guard !target.isEmpty, !target.contains(0) else {
            throw fail(.invalidPath, "\(Self.display(path)): a symbolic link to nowhere")
        }
        try add(path, .symlink, mode: 0o777, size: 0, target: target, modified: modified)
    }

    /// Adds a folder. Folders need no entry for what is in them to be unpacked, only for their mode, or to exist empty.
    public mutating func addDirectory(path: [UInt8], mode: UInt32, modified: Int64? = nil) throws(ArchiveError) {
        try add(path, .directory, mode: mode, size: 0, modified: modified)
    }

    /// Ends the archive. What is left of it is then in ``takeOutput()``.
    public mutating func finish() throws(ArchiveError) {
        guard case .betweenEntries = state else { throw fail(.misuse, "an archive ends after a whole entry") }
        try check(archive_write_close(archive))
        state = .finished
    }

    /// The archive's next bytes: all that came about since the last call. Taken after each piece, they are about as many as went in.
    public mutating func takeOutput() -> [UInt8] { output.take() }

    // MARK: libarchive

    private mutating func add(
        _ path: [UInt8], _ type: EntryType, mode: UInt32, size: Int64, target: [UInt8]? = nil, modified: Int64?
    ) throws(ArchiveError) {
        guard case .betweenEntries = state else {
            throw fail(.misuse, "\(Self.display(path)): another file is not ended, or the archive is")
        }
        guard Self.isUnpackable(path) else {
            throw fail(.invalidPath, "\"\(Self.display(path))\" is no path below a folder")
        }
        guard let entry = archive_entry_new() else {
            throw fail(.library, "libarchive has no memory for an entry")
        }
        defer { archive_entry_free(entry) }
        (path + [0]).withUnsafeBytes { bytes in
            archive_entry_copy_pathname(entry, bytes.bindMemory(to: CChar.self).baseAddress)
        }
        if let target {
            (target + [0]).withUnsafeBytes { bytes in
                archive_entry_copy_symlink(entry, bytes.bindMemory(to: CChar.self).baseAddress)
            }
        }
        archive_entry_set_filetype(entry, type.rawValue)
        archive_entry_set_perm(entry, mode_t(mode & 0o7777))
        archive_entry_set_size(entry, size)
        archive_entry_set_mtime(entry, time_t(modified ?? modificationTime), 0)
        archive_entry_set_uid(entry, 0)
        archive_entry_set_gid(entry, 0)
        try check(archive_write_header(archive, entry))
    }

    private static func open(
        _ compression: Compression, _ output: OutputBuffer
    ) throws(ArchiveError) -> OpaquePointer {
        guard let archive = archive_write_new() else {
            throw ArchiveError(.library, "libarchive has no memory for an archive")
        }
        do {
            try Archive.check(archive_write_set_format_gnutar(archive), archive)
            try compression.addFilter(to: archive)
            try output.open(archive)
            return archive
        } catch {
            archive_write_free(archive)
            throw error
        }
    }

    private mutating func check(_ status: Int32) throws(ArchiveError) {
        do {
            try Archive.check(status, archive)
        } catch {
            state = .failed
            throw error
        }
    }

    private mutating func fail(_ code: ArchiveError.Code, _ message: String) -> ArchiveError {
        state = .failed
        return ArchiveError(code, message)
    }

    private static func isUnpackable(_ path: [UInt8]) -> Bool {
        guard let first = path.first, first != UInt8(ascii: "/"), !path.contains(0) else { return false }
        return !path.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
    }

    private static func display(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
}
