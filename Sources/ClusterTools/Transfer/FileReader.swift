#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Reads as much of a file as it had when it was looked at.
final class FileReader {
    private let entry: FileEntry
    private let folder: LocalFolder
    private let descriptor: CInt
    private var left: Int

    init(_ entry: FileEntry, in folder: LocalFolder, from offset: Int) throws(Failure) {
        self.entry = entry
        self.folder = folder
        left = entry.size - offset
        descriptor = try folder.open(entry.path)
        guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else {
            throw LocalFolder.failure(Exit.ioError, "cannot read \(folder.path)/\(entry.name)")
        }
    }

    deinit { close(descriptor) }

    /// The next bytes; nil at the end.
    ///
    /// - Throws: also when it has become shorter.
    func next(upTo limit: Int) throws(Failure) -> [UInt8]? {
        guard left > 0 else {
            // A newer version of it would pass for this one.
            guard try folder.entry(entry.path).map({ $0.size >= entry.size && $0.modified == entry.modified }) == true
            else { throw changed() }
            return nil
        }
        while true {
            var count = 0
            var code: CInt = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: min(limit, left)) { buffer, initialized in
                count = read(descriptor, buffer.baseAddress, buffer.count)
                code = errno
                initialized = max(0, count)
            }
            if count < 0, code == EINTR { continue }
            guard count >= 0 else {
                errno = code
                throw LocalFolder.failure(Exit.ioError, "cannot read \(folder.path)/\(entry.name)")
            }
            guard count > 0 else { throw changed() }
            left -= count
            return bytes
        }
    }

    private func changed() -> Failure {
        Failure(
            Exit.temporary, "\(folder.path)/\(entry.name) changes while it is read",
            remedy: "say it again when whatever writes it has ended; what is complete is not sent again")
    }
}
