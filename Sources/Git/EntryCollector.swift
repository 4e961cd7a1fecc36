internal import CGit2

/// Turns what a tree or an index names into things to ship, and notes what a person should hear about.
struct EntryCollector {
    /// A repository that entries come from.
    struct Origin {
        let repository: Repository
        let database: ObjectDatabase
        let files: Directory
        /// Where the repository is in the outermost one; empty for that one.
        let location: String
        let filtersInUse: FiltersInUse
        /// The files on disk are those that the entries are about.
        let isWorkTree: Bool
        /// Paths whose blob is the file as it is on disk, because a filter was not run.
        let unfiltered: Set<TreePath>
    }

    private(set) var entries: [Entry] = []
    private var secrets: [String] = []
    private var unfetched: [String] = []
    private var missing: [String] = []
    private var unsendable: [String] = []
    private var uninitialized: [String] = []
    private var filtered: [String: [String]] = [:]
    private var special: [String] = []
    private var hidden: [String] = []

    /// They came in another order than most indices and all trees have: from one that ignores case, or from several.
    var mayBeUnsorted = false

    /// Adds one file or link. `name` is its path in the repository; `file` that on the disk, if it is the same as the blob; `filter`
    /// says what makes git and the disk differ.
    mutating func add(
        _ name: UnsafePointer<CChar>, mode: UInt32, id: ObjectID, file: FileStamp? = nil, from origin: Origin,
        filter: (TreePath) throws -> ExternalFilter
    ) throws {
        guard let inner = String(validatingCString: name) else {
            unsendable.append(Self.join(origin.location, TreePath(name).description))
            return
        }
        let path = Self.join(origin.location, inner)
        if !origin.location.isEmpty { mayBeUnsorted = true }
        guard let size = try file?.status.size ?? origin.database.size(of: id) else {
            missing.append(path)
            return
        }
        let kind: Entry.Kind =
            mode == GIT_FILEMODE_LINK.rawValue
            ? .symlink : .file(executable: mode == GIT_FILEMODE_BLOB_EXECUTABLE.rawValue)
        var entry = Entry(
            path: path, kind: kind, size: size,
            source: .object(id, workTree: origin.repository.workTree, file: file))
        if kind != .symlink {
            let inRepository = TreePath(name)
            entry = try resolve(entry, id, inRepository, from: origin, filter)
            try noteSecret(entry, id, inRepository, from: origin)
        }
        entries.append(entry)
    }

    /// Adds a submodule that is not checked out: an empty folder, as git makes one.
    mutating func addUninitialized(_ name: TreePath, in origin: Origin) {
        guard let inner = name.string else {
            return unsendable.append(Self.join(origin.location, name.description))
        }
        let path = Self.join(origin.location, inner)
        uninitialized.append(path)
        addFolder(path)
    }

    /// Adds an empty folder.
    mutating func addFolder(_ path: String) {
        entries.append(Entry(path: path, kind: .directory, size: 0, source: .nothing))
    }

    mutating func note(unfiltered paths: [TreePath], by name: String, in location: String) {
        filtered[name, default: []] += paths.map { Self.join(location, $0.description) }
    }

    mutating func note(special paths: [TreePath], in location: String) {
        special += paths.map { Self.join(location, $0.description) }
    }

    mutating func note(hiddenChanges paths: [TreePath], in location: String) {
        hidden += paths.map { Self.join(location, $0.description) }
    }

    /// The entries by the bytes of their paths: a nested repository's files came where its folder's name does.
    func sortedEntries() -> [Entry] {
        guard mayBeUnsorted else { return entries }
        let isSorted = zip(entries, entries.dropFirst()).allSatisfy {
            $0.path.utf8.lexicographicallyPrecedes($1.path.utf8)
        }
        return isSorted ? entries : entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    var warnings: [SnapshotWarning] {
        var warnings: [SnapshotWarning] = []
        if !secrets.isEmpty { warnings.append(.secrets(secrets)) }
        if !uninitialized.isEmpty { warnings.append(.uninitializedSubmodules(uninitialized)) }
        if !unfetched.isEmpty { warnings.append(.unfetchedLargeFiles(unfetched)) }
        if !missing.isEmpty { warnings.append(.missingContent(missing)) }
        for (name, paths) in filtered.sorted(by: { $0.key < $1.key }) { warnings.append(.filterNotRun(name, paths)) }
        if !unsendable.isEmpty { warnings.append(.unsendableNames(unsendable)) }
        if !special.isEmpty { warnings.append(.specialFiles(special)) }
        if !hidden.isEmpty { warnings.append(.hiddenChanges(hidden)) }
        return warnings
    }

    static func join(_ location: String, _ path: String) -> String { location.isEmpty ? path : "\(location)/\(path)" }

    // MARK: Where the content is

    /// The entry with the content that the user has on disk, where git has another.
    private mutating func resolve(
        _ entry: Entry, _ id: ObjectID, _ path: TreePath, from origin: Origin,
        _ filter: (TreePath) throws -> ExternalFilter
    ) throws -> Entry {
        let pointer = try pointer(entry, id, path, from: origin)
        if origin.filtersInUse != .programs, pointer == nil { return entry }
        switch try filter(path) {
        case .none:
            return entry
        case .largeFileStorage:
            guard let pointer else { return entry }
            guard let file = try locate(pointer, path, from: origin) else {
                unfetched.append(entry.path)
                return entry
            }
            return Entry(path: entry.path, kind: entry.kind, size: pointer.size, source: .largeFile(at: file, pointer))
        case .program(let name):
            // What was recorded from the disk just now is what is on the disk.
            if origin.unfiltered.contains(path) { return entry }
            guard origin.isWorkTree, let status = try origin.files.statusBehindNoLink(of: path), status.kind == .regular
            else {
                filtered[name, default: []].append(entry.path)
                return entry
            }
            return Entry(
                path: entry.path, kind: entry.kind, size: status.size,
                source: .filteredFile(at: FileLocation(root: origin.files.root, path: path), status))
        }
    }

    /// The pointer that a blob is, where there can be one.
    private func pointer(
        _ entry: Entry, _ id: ObjectID, _ path: TreePath, from origin: Origin
    ) throws -> LargeFilePointer? {
        guard origin.filtersInUse != .none, LargeFilePointer.sizes.contains(entry.size) else { return nil }
        return LargeFilePointer(try content(id, path, from: origin))
    }

    /// The file that a pointer stands for: on disk, or in git-lfs's own store; nil when it was never fetched.
    private func locate(_ pointer: LargeFilePointer, _ path: TreePath, from origin: Origin) throws -> FileLocation? {
        if origin.isWorkTree, let status = try origin.files.statusBehindNoLink(of: path) {
            // A pointer on disk is what the user has, and runs with.
            guard status.kind == .regular, status.size == pointer.size else { return nil }
            return FileLocation(root: origin.files.root, path: path)
        }
        return try origin.repository.storedLargeFile(pointer)
    }

    // MARK: Secrets

    private mutating func noteSecret(_ entry: Entry, _ id: ObjectID, _ path: TreePath, from origin: Origin) throws {
        switch SecretNames.suspicion(of: entry.path) {
        case .none: return
        case .secret: secrets.append(entry.path)
        case .secretIfItContains(let text):
            guard entry.size < 1 << 16 else { return }
            let content = String(decoding: try content(id, path, from: origin), as: UTF8.self)
            if content.contains(text) { secrets.append(entry.path) }
        }
    }

    /// The content of a small blob; on a dry run, of the file that it would be made of.
    private func content(_ id: ObjectID, _ path: TreePath, from origin: Origin) throws -> [UInt8] {
        if origin.database.isUnreadable(id) { return try origin.files.openFile(path).contents() }
        return try origin.database.withContents(of: id) { Array($0) }
    }
}

extension Repository {
    /// Where git-lfs keeps the file that `pointer` stands for; nil when it has not been fetched.
    func storedLargeFile(_ pointer: LargeFilePointer) throws(GitError) -> FileLocation? {
        let setting = try configuration("lfs.storage") ?? "lfs"
        let root = setting.hasPrefix("/") ? setting : commonDirectory + setting
        let digest = pointer.digest
        let path = TreePath("objects/\(digest.prefix(2))/\(digest.dropFirst(2).prefix(2))/\(digest)")
        guard let store = try Directory.ifPresent(root: root), let status = try store.status(of: path),
            status.kind == .regular, status.size == pointer.size
        else { return nil }
        return FileLocation(root: root, path: path)
    }
}
