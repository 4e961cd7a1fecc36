internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// What an index notes of a file, so that the file need not be read to see whether it has changed.
struct FileStamp: Sendable, Equatable {
    let status: FileStatus
    private let changed: FileTime
    private let inode: UInt32
    private let user: UInt32
    private let group: UInt32

    init(_ raw: stat) {
        status = FileStatus(raw)
        #if canImport(Darwin)
            changed = FileTime(raw.st_ctimespec)
        #else
            changed = FileTime(raw.st_ctim)
        #endif
        // The index has 32 bits for each.
        inode = UInt32(truncatingIfNeeded: raw.st_ino)
        user = raw.st_uid
        group = raw.st_gid
    }

    /// How an index is to be read.
    struct Rules {
        /// `core.fileMode`: whether the file system has permissions.
        var trustsModes = true
        /// `core.trustctime`.
        var trustsChangeTimes = true
        /// When the index was written. What has changed since may look as before.
        var indexTime: FileTime?
    }

    /// Whether the file is certainly as `entry` has it.
    func isCertainly(_ entry: git_index_entry, _ rules: Rules) -> Bool {
        let modified = FileTime(entry.mtime)
        guard hasKind(of: entry, rules), entry.file_size == UInt32(truncatingIfNeeded: status.size),
            modified == status.modified, entry.ino == inode, entry.uid == user, entry.gid == group,
            !rules.trustsChangeTimes || FileTime(entry.ctime) == changed
        else { return false }
        // "Racily clean": it may have been written once more in the same instant, after git had looked.
        return rules.indexTime.map { modified < $0 } ?? false
    }

    private func hasKind(of entry: git_index_entry, _ rules: Rules) -> Bool {
        switch status.kind {
        case .symlink: return entry.mode == GIT_FILEMODE_LINK.rawValue
        case .regular:
            if entry.mode == GIT_FILEMODE_BLOB.rawValue { return !rules.trustsModes || !status.isExecutable }
            return entry.mode == GIT_FILEMODE_BLOB_EXECUTABLE.rawValue && (!rules.trustsModes || status.isExecutable)
        case .directory, .special: return false
        }
    }
}

/// A time of a file.
struct FileTime: Sendable, Comparable {
    /// Since 1970, modulo 2^32 as an index has them.
    let seconds: UInt32
    let nanoseconds: UInt32

    init(_ time: timespec) {
        seconds = UInt32(truncatingIfNeeded: time.tv_sec)
        nanoseconds = UInt32(truncatingIfNeeded: time.tv_nsec)
    }

    init(_ time: git_index_time) {
        seconds = UInt32(bitPattern: time.seconds)
        nanoseconds = time.nanoseconds
    }

    static func < (a: FileTime, b: FileTime) -> Bool { (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds) }
}
