internal import CGit2

/// A repository's objects.
///
/// On a dry run nothing is written: names are computed, and the sizes of what would have been written are kept.
final class ObjectDatabase {
    private let handle: OpaquePointer
    /// The handle's owner.
    private let repository: Repository
    private let isDryRun: Bool
    /// What a dry run has named, with the sizes in bytes.
    private var unwritten: [ObjectID: Int] = [:]
    /// Of these the small ones: a pointer of git-lfs is nowhere else.
    private var unwrittenContents: [ObjectID: [UInt8]] = [:]

    init(of repository: Repository, isDryRun: Bool = false) throws(GitError) {
        var handle: OpaquePointer?
        let result = git_repository_odb(&handle, repository.handle)
        guard result == 0, let handle else {
            throw Library.failure(result, "Cannot open the objects of \(repository.workTree)")
        }
        self.handle = handle
        self.repository = repository
        self.isDryRun = isDryRun
    }

    deinit { git_odb_free(handle) }

    /// Stores an object, or finds that it is there already.
    func write(_ bytes: UnsafeRawBufferPointer, _ type: git_object_t = GIT_OBJECT_BLOB) throws(GitError) -> ObjectID {
        var id = git_oid()
        if isDryRun {
            try Library.check(git_odb_hash(&id, bytes.baseAddress, bytes.count, type), "Cannot name an object")
            unwritten[ObjectID(id)] = bytes.count
            if bytes.count < LargeFilePointer.sizes.upperBound { unwrittenContents[ObjectID(id)] = Array(bytes) }
        } else {
            try Library.check(
                git_odb_write(&id, handle, bytes.baseAddress, bytes.count, type), "Cannot write an object")
        }
        return ObjectID(id)
    }

    func write(_ bytes: [UInt8], _ type: git_object_t = GIT_OBJECT_BLOB) throws(GitError) -> ObjectID {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(GitError) in try write(bytes, type) }
        }
        return try result.get()
    }

    /// Stores a blob of `size` bytes that `produce` hands to its argument in pieces: for what is too large for memory.
    func writeBlob(size: Int, _ produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws -> ObjectID {
        guard !isDryRun else {
            let digest = try Digest.ofBlob(size: size)
            try produce { try digest.update($0) }
            let id = try ObjectID(digest.finish())
            unwritten[id] = size
            return id
        }
        var stream: UnsafeMutablePointer<git_odb_stream>?
        try Library.check(
            git_odb_open_wstream(&stream, handle, git_object_size_t(size), GIT_OBJECT_BLOB),
            "Cannot write a large object")
        defer { git_odb_stream_free(stream) }
        try produce { bytes in
            try Library.check(
                git_odb_stream_write(stream, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count),
                "Cannot write a large object")
        }
        var id = git_oid()
        try Library.check(git_odb_stream_finalize_write(&id, stream), "Cannot write a large object")
        return ObjectID(id)
    }

    /// How large an object is, in bytes, without its content being read; nil when the repository lacks it.
    func size(of id: ObjectID) throws(GitError) -> Int? {
        if let size = unwritten[id] { return size }
        var raw = id.raw
        var size = 0
        var type = GIT_OBJECT_ANY
        let result = git_odb_read_header(&size, &type, handle, &raw)
        if result == GIT_ENOTFOUND.rawValue { return nil }
        try Library.check(result, "Cannot read object \(id)")
        return size
    }

    /// A dry run has named it, and its content is not kept.
    func isUnreadable(_ id: ObjectID) -> Bool { unwritten[id] != nil && unwrittenContents[id] == nil }

    /// Lends the content of an object. A packed one is loaded whole.
    func withContents<Result>(of id: ObjectID, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        if let bytes = unwrittenContents[id] { return try bytes.withUnsafeBytes(body) }
        var raw = id.raw
        var object: OpaquePointer?
        let result = git_odb_read(&object, handle, &raw)
        if result == GIT_ENOTFOUND.rawValue { throw GitError(.missingObject, "The repository lacks object \(id).") }
        try Library.check(result, "Cannot read object \(id)")
        defer { git_odb_object_free(object) }
        return try body(UnsafeRawBufferPointer(start: git_odb_object_data(object), count: git_odb_object_size(object)))
    }

    /// Hands out the content of an object in pieces of at most `piece` bytes. A loose object is never whole in memory.
    func forEachChunk(of id: ObjectID, size piece: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var raw = id.raw
        var stream: UnsafeMutablePointer<git_odb_stream>?
        var size = 0
        var type = GIT_OBJECT_ANY
        // Only loose objects can be streamed; whatever else the reason, reading it whole finds it out.
        guard git_odb_open_rstream(&stream, &size, &type, handle, &raw) == 0 else {
            return try withContents(of: id) { contents in
                for start in stride(from: 0, to: contents.count, by: piece) {
                    try body(UnsafeRawBufferPointer(rebasing: contents[start..<min(start + piece, contents.count)]))
                }
            }
        }
        defer { git_odb_stream_free(stream) }
        var buffer = [CChar](repeating: 0, count: max(1, min(piece, size)))
        var left = size
        while left > 0 {
            let count = git_odb_stream_read(stream, &buffer, min(buffer.count, left))
            try Library.check(count, "Cannot read object \(id)")
            guard count > 0 else { throw GitError(.missingObject, "Object \(id) is damaged: it ends too early.") }
            try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(count)))) }
            left -= Int(count)
        }
    }
}
