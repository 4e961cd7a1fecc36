internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// What stands between a file on disk and its blob, by `.gitattributes` and configuration.
enum ExternalFilter: Sendable, Equatable {
    case none
    case largeFileStorage
    /// A program that git would run and this does not, by its name in `.gitattributes`.
    case program(String)

    /// From the value of the attribute `filter`.
    init(attribute value: UnsafePointer<CChar>?) {
        guard git_attr_value(value) == GIT_ATTR_VALUE_STRING, let value else {
            self = .none
            return
        }
        let name = String(cString: value)
        self = name == "lfs" ? .largeFileStorage : .program(name)
    }
}

/// Which filters the files of a repository can have. Most have none, and asking for the attribute of each of a hundred
/// thousand files takes longer than all the rest of a snapshot.
enum FiltersInUse: Comparable, Sendable {
    case none
    /// Files with a filter can be told by their blobs, which are pointers.
    case largeFilesOnly
    case programs

    /// From the text of a file of attributes.
    init(attributes bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }
        let filters = words.filter { $0.hasPrefix("filter=") }
        self = filters.isEmpty ? .none : filters.allSatisfy { $0 == "filter=lfs" } ? .largeFilesOnly : .programs
    }
}

/// What attributes may ask for, for whichever file.
struct AttributesInUse {
    var filters = FiltersInUse.none
    /// Files may differ from their blobs: line ends and the like are converted, or filters run.
    var convert = false

    /// Adds the text of a file of attributes.
    mutating func add(_ bytes: [UInt8]) {
        filters = max(filters, FiltersInUse(attributes: bytes))
        convert =
            convert
            || String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }.contains { word in
                let name = word.prefix { $0 != "=" }
                return ["text", "eol", "crlf", "ident", "working-tree-encoding", "filter"].contains(name)
            }
    }
}

extension Repository {
    /// The filter attribute of a path.
    func externalFilter(of path: TreePath) throws(GitError) -> ExternalFilter {
        var value: UnsafePointer<CChar>?
        let result = path.withCString {
            git_attr_get(&value, handle, UInt32(GIT_ATTR_CHECK_FILE_THEN_INDEX), $0, "filter")
        }
        try Library.check(result, "Cannot read the attributes of \(path)")
        return ExternalFilter(attribute: value)
    }

    /// What the attributes that are in force here may ask for.
    func attributesInUse(index: Index, files: Directory) throws -> AttributesInUse {
        var use = AttributesInUse()
        // The outermost counts even where it is ignored itself.
        for path in index.paths(named: ".gitattributes") + [TreePath(".gitattributes")] {
            if let status = try files.status(of: path), status.kind == .regular {
                use.add(try files.openFile(path).contents())
            } else if let entry = index.entry(at: path) {
                use.filters = max(use.filters, try filtersInUse(blob: ObjectID(entry.id)))
                use.convert = true
            }
        }
        // Of this clone, and of this user.
        for (folder, name) in [(commonDirectory, "info/attributes"), try userAttributes()] {
            guard let folder = try Directory.ifPresent(root: folder), try folder.status(of: TreePath(name)) != nil
            else {
                continue
            }
            use.add(try folder.openFile(TreePath(name)).contents())
        }
        // Line ends are converted without any attribute, too.
        let lineEnds = try configuration("core.autocrlf")?.lowercased() ?? "false"
        if !["false", "no", "off", "0"].contains(lineEnds) { use.convert = true }
        return use
    }

    /// Which filters a `.gitattributes` among git's objects may ask for.
    func filtersInUse(blob: ObjectID) throws -> FiltersInUse {
        let database = try ObjectDatabase(of: self)
        guard try database.size(of: blob) != nil else { return .programs }
        return try database.withContents(of: blob) { FiltersInUse(attributes: Array($0)) }
    }

    /// The folder and the name of the user's own attributes, which need not exist.
    private func userAttributes() throws(GitError) -> (folder: String, name: String) {
        if let path = try configurationPath("core.attributesFile") {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            return (String(path[..<slash]), String(path[slash...].drop { $0 == "/" }))
        }
        if let folder = getenv("XDG_CONFIG_HOME").map({ String(cString: $0) }), !folder.isEmpty {
            return (folder + "/git", "attributes")
        }
        return ((getenv("HOME").map { String(cString: $0) } ?? "") + "/.config/git", "attributes")
    }

    /// The blob that git would make of `bytes`: line ends and `$Id$` as configuration and attributes want them.
    func withBlob<Result>(
        of bytes: UnsafeRawBufferPointer, at path: TreePath, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        var filters: OpaquePointer?
        let result = path.withCString {
            // ALLOW_UNSAFE: core.safecrlf is advice for those who commit.
            git_filter_list_load(&filters, handle, nil, $0, GIT_FILTER_TO_ODB, GIT_FILTER_ALLOW_UNSAFE.rawValue)
        }
        try Library.check(result, "Cannot read the filters of \(path)")
        guard let filters else { return try body(bytes) }
        defer { git_filter_list_free(filters) }
        var blob = git_buf()
        defer { git_buf_dispose(&blob) }
        try Library.check(
            git_filter_list_apply_to_buffer(
                &blob, filters, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count),
            "Cannot convert \(path)")
        return try body(UnsafeRawBufferPointer(start: blob.ptr, count: blob.size))
    }

    /// Whether git stores a file as it is on disk.
    func storesUnchanged(_ path: TreePath) throws(GitError) -> Bool {
        var filters: OpaquePointer?
        let result = path.withCString {
            git_filter_list_load(&filters, handle, nil, $0, GIT_FILTER_TO_ODB, GIT_FILTER_ALLOW_UNSAFE.rawValue)
        }
        try Library.check(result, "Cannot read the filters of \(path)")
        git_filter_list_free(filters)
        return filters == nil
    }
}
