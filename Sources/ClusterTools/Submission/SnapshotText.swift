import Git

extension ChangeCounts {
    /// In words, such as `2 modified, 1 added`; empty for no changes.
    var text: String {
        [(modified, "modified"), (added, "added"), (deleted, "deleted")].filter { $0.0 > 0 }
            .map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}

extension SnapshotWarning {
    /// What a person should know, and do.
    var text: String {
        switch self {
        case .secrets(let paths):
            "these look like secrets and are sent: \(Self.list(paths)); .gitignore keeps them here"
        case .uninitializedSubmodules(let paths):
            "submodules that are not checked out arrive empty: \(Self.list(paths)); git submodule update --init gets them"
        case .unfetchedLargeFiles(let paths):
            "git-lfs has not fetched these, their pointers are sent: \(Self.list(paths)); git lfs pull gets them"
        case .missingContent(let paths): "not sent, this repository lacks their content: \(Self.list(paths))"
        case .filterNotRun(let filter, let paths):
            "the filter \(filter) is not run for these, they are sent as they are on disk: \(Self.list(paths))"
        case .unsendableNames(let paths): "not sent, their names are not UTF-8: \(Self.list(paths))"
        case .specialFiles(let paths): "not sent, they are no files but sockets, pipes or devices: \(Self.list(paths))"
        case .hiddenChanges(let paths):
            "git was told to ignore changes in these, and so they are sent without: \(Self.list(paths))"
        }
    }

    private static func list(_ paths: [String]) -> String {
        paths.prefix(5).joined(separator: ", ") + (paths.count > 5 ? " and \(paths.count - 5) more" : "")
    }
}
