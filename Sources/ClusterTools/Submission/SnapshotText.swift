import Git

extension ChangeCounts {
    /// In words, such as `2 modified, 1 added`; empty for no changes.
    var text: String {
        [(modified, "modified"), (added, "added"), (deleted, "deleted")].filter { $0.0 > 0 }
            .map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
