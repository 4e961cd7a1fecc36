#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file that arrives: bytes go into its part file, which gets its name when it is complete. Until then nobody sees it under
/// that name; what is left of it when it was not finished is continued the next time.
final class PartFile {
    let entry: FileEntry
    private(set) var offset: Int
    private let folder: LocalFolder
    private var descriptor: CInt

    init(_ entry: FileEntry, in folder: LocalFolder, offset: Int = 0) throws(Failure) {
        self.entry = entry
        self.folder = folder
        self.offset = offset
        descriptor = try folder.openPart(of: entry, offset: offset)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { put($0) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("cannot write")
            }
            written += count
            offset += count
        }
    }

    /// Gives it its mode, its time and its name.
    func finish() throws(Failure) {
        let times = LocalFolder.times(entry.modified)
        guard fchmod(descriptor, mode_t(entry.mode)) == 0, futimens(descriptor, times) == 0 else {
            throw failure("cannot set mode and time of")
        }
        // Some file systems tell of a lack of room only now.
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0 else { throw failure("cannot write") }
        try folder.completePart(of: entry)
    }

    /// Removes what has come.
    func discard() throws(Failure) { try folder.remove(PartName.path(of: entry)) }

    private func put(_ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    private func failure(_ what: String) -> Failure {
        LocalFolder.failure(Exit.ioError, "\(what) \(folder.path)/\(entry.name)")
    }
}
