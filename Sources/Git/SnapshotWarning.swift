/// Something that is no reason to stop, but must not pass in silence.
public enum SnapshotWarning: Sendable, Equatable {
    /// Files that look like secrets are about to leave.
    case secrets([String])
    /// Submodules that are not checked out: their folders arrive empty.
    case uninitializedSubmodules([String])
    /// Files that git-lfs has not fetched: their pointers are sent instead of them. `git lfs pull` gets them.
    case unfetchedLargeFiles([String])
    /// Tracked files whose content the repository lacks (a partial clone): they are not sent.
    case missingContent([String])
    /// Changed files under a filter of this name, which is not run: the snapshot holds them as they are on disk.
    case filterNotRun(String, [String])
    /// Names that are not UTF-8 (shown with escapes): the snapshot holds them, but they are not sent.
    case unsendableNames([String])
    /// Tracked paths where now is a socket, a pipe or a device: gone, as far as git is concerned.
    case specialFiles([String])
    /// Files that git was told to consider unchanged (`--assume-unchanged`, `--skip-worktree`), and which are not: what
    /// git has is sent, and not what is on disk.
    case hiddenChanges([String])
}

extension SnapshotWarning: CustomStringConvertible {
    /// What it is about, which files, and what to do.
    public var description: String {
        switch self {
        case .secrets(let paths):
            "\(list(paths)) will be sent, and \(paths.count == 1 ? "looks like a secret" : "look like secrets"). "
                + "What the job does not need, name in .gitignore (and git rm --cached)."
        case .uninitializedSubmodules(let paths):
            "\(list(paths)): no content to send, since the submodule is not checked out. "
                + "Get it with: git submodule update --init"
        case .unfetchedLargeFiles(let paths):
            "\(list(paths)): only a pointer of git-lfs is sent. Get the content with: git lfs pull"
        case .missingContent(let paths):
            "\(list(paths)): not sent, since this partial clone has no content for it. Check it out once, and git gets it."
        case .filterNotRun(let name, let paths):
            "\(list(paths)): taken without the filter \(name), which is not run here."
        case .unsendableNames(let paths):
            "\(list(paths)): not sent, since the name is not UTF-8. Rename it."
        case .specialFiles(let paths):
            "\(list(paths)): not sent, since it is now a socket, a pipe or a device."
        case .hiddenChanges(let paths):
            "\(list(paths)): sent without its changes, which git was told not to see. "
                + "Show them with: git update-index --no-assume-unchanged --no-skip-worktree"
        }
    }

    /// The first few, and how many more.
    private func list(_ paths: [String]) -> String {
        let shown = paths.prefix(5).joined(separator: ", ")
        return paths.count > 5 ? "\(shown) and \(paths.count - 5) more" : shown
    }
}
