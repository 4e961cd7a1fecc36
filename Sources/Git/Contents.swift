extension Repository {
    /// The content of an entry, whole. For a link, the path that it points to.
    ///
    /// Throws when it is no longer what the snapshot has, which can happen to large files under git-lfs only, and to
    /// those of other filters: all other content is safe among git's objects.
    public func read(_ entry: Entry) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entry.size)
        try forEachChunk(of: entry) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// As ``read(_:)``, lending the bytes instead of copying them where they are in one piece.
    public func withContents<Result>(of entry: Entry, _ body: (UnsafeRawBufferPointer) throws -> Result) throws
        -> Result
    {
        if case .object(let id, let workTree, let stamp) = entry.source {
            if let bytes = try unchangedFile(of: entry, id, stamp) { return try bytes.withUnsafeBytes(body) }
            return try database(of: workTree).withContents(of: id, body)
        }
        return try read(entry).withUnsafeBytes(body)
    }

    /// Hands out the content of an entry in pieces of at most `size` bytes, in order, `entry.size` bytes in all.
    ///
    /// For files under git-lfs the last piece is followed by an error when they have turned out to be others than the
    /// snapshot has: what was sent then is not to be used.
    public func forEachChunk(
        of entry: Entry, size: Int = 262_144, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        switch entry.source {
        case .nothing:
            return
        case .object where entry.size <= size:
            try withContents(of: entry) { if !$0.isEmpty { try body($0) } }
        case .object(let id, let workTree, let stamp):
            guard let bytes = try unchangedFile(of: entry, id, stamp) else {
                return try database(of: workTree).forEachChunk(of: id, size: size, body)
            }
            for start in stride(from: 0, to: bytes.count, by: size) {
                try bytes[start..<min(start + size, bytes.count)].withUnsafeBytes(body)
            }
        case .largeFile(let location, let pointer):
            let file = try Directory(root: location.root).openFile(location.path)
            guard try file.status().size == pointer.size else { throw GitError.changedSince(file.location) }
            let digest = try Digest(.sha256)
            try file.forEachChunk(of: size, size: pointer.size) { bytes in
                try digest.update(bytes)
                try body(bytes)
            }
            guard hexadecimal(try digest.finish()) == pointer.digest else { throw GitError.changedSince(file.location) }
        case .filteredFile(let location, let status):
            let file = try Directory(root: location.root).openFile(location.path)
            guard try file.status() == status else { throw GitError.changedSince(file.location) }
            try file.forEachChunk(of: size, size: status.size, body)
            guard try file.status() == status else { throw GitError.changedSince(file.location) }
        }
    }

    /// The file that a small entry came from, where it still has that content: it has not been touched since the snapshot found it to
    /// be unchanged, or else its name proves it. Even to read and name it takes a quarter of the time that unpacking the object takes.
    private func unchangedFile(of entry: Entry, _ id: ObjectID, _ stamp: FileStamp?) throws -> [UInt8]? {
        guard case .file = entry.kind, entry.size <= Self.largestRead else { return nil }
        let bytes: [UInt8]
        do {
            let file = try files().openFile(TreePath(entry.path))
            let before = try file.stamp()
            guard before.status.size == entry.size else { return nil }
            bytes = try file.contents()
            if before == stamp, try file.stamp() == stamp { return bytes }
        } catch is GitError {
            // Gone, locked, changing: the object has it all the same.
            return nil
        }
        let digest = try Digest.ofBlob(size: bytes.count)
        try bytes.withUnsafeBytes { try digest.update($0) }
        return try ObjectID(digest.finish()) == id ? bytes : nil
    }

    /// Of a file, in bytes: read whole, since what has been handed out cannot be taken back.
    private static let largestRead = 1 << 20

    private func files() throws(GitError) -> Directory {
        if let directory { return directory }
        let opened = try Directory(root: workTree)
        directory = opened
        return opened
    }

    private func database(of workTree: String) throws(GitError) -> ObjectDatabase {
        if let known = databases[workTree] { return known }
        guard let repository = try Repository.open(workTree) else {
            throw GitError.gone(workTree)
        }
        let database = try ObjectDatabase(of: repository)
        databases[workTree] = database
        return database
    }
}

extension GitError {
    fileprivate static func changedSince(_ location: String) -> GitError {
        GitError(.changedFile, "\(location) has changed since the snapshot was taken. Start again.")
    }
}
