internal import CGit2

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

    /// Whether any file that gives attributes may name a filter. Almost no repository has one, and asking for the
    /// attribute of each of a hundred thousand files takes longer than all the rest.
    func mayUseExternalFilters(index: Index, files: WorkTree) throws -> Bool {
        for path in index.paths(named: ".gitattributes") {
            if let status = try files.status(of: path), status.kind == .regular {
                if Self.mentionsFilter(try files.openFile(path).contents()) { return true }
            } else if let entry = index.entry(at: path) {
                let id = ObjectID(entry.id)
                let database = try ObjectDatabase(of: self)
                guard try database.size(of: id) != nil else { return true }
                if try database.withContents(of: id, { Self.mentionsFilter(Array($0)) }) { return true }
            }
        }
        // The files of this user and of this machine come into play only through these.
        let information = try WorkTree(root: commonDirectory)
        let own = TreePath("info/attributes")
        if try information.status(of: own) != nil, Self.mentionsFilter(try information.openFile(own).contents()) {
            return true
        }
        return try configuration("core.attributesFile") != nil
    }

    static func mentionsFilter(_ bytes: [UInt8]) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains("filter")
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
