internal import Dispatch
internal import Synchronization

/// Walks over a work tree: as many threads at once as call ``work(_:isCancelled:)``.
final class WorkTreeWalker: Sendable {
    struct Folder: Sendable {
        enum State: Sendable {
            case open(FolderListing, inner: [Int?])
            case nested
            case closed
        }

        /// Empty, or with a slash at its end; without a zero.
        let path: [CChar]
        /// Of the folders in its listing, in order, the numbers; nil for those that are ignored.
        var state = State.closed

        var treePath: TreePath { TreePath(path.dropLast() + [0]) }
    }

    private struct Progress {
        var folders = [Folder(path: [])]
        /// Nobody has looked into these.
        var waiting = [0]
        /// So many folders are waiting, or being looked into.
        var open = 1
    }

    let root: String
    private let progress = Mutex(Progress())
    /// Once for each that is waiting, and at the end.
    private let news = DispatchSemaphore(value: 1)

    init(root: String) { self.root = root }

    /// Looks into folders until all have been seen, or somebody has failed.
    ///
    /// - Parameter repository: nobody else's meanwhile: libgit2's handles are for one thread at a time.
    func work(_ repository: Repository, isCancelled: () -> Bool) throws {
        do {
            let files = try Directory(root: root)
            while let (number, path) = next() {
                if isCancelled() { throw GitError.cancelled }
                try finish(number, look(into: path, repository, files))
            }
        } catch {
            end()
            throw error
        }
    }

    /// What was found; to be asked for when all have ended, and none has failed.
    func walk() -> WorkTreeWalk { WorkTreeWalk(of: progress.withLock { $0.folders }) }

    private enum Finding {
        case open(FolderListing, inner: [[CChar]?])
        case nested
        case closed
    }

    private func look(into path: [CChar], _ repository: Repository, _ files: Directory) throws -> Finding {
        guard let listing = try files.listing(of: path) else { return .closed }
        if !path.isEmpty, listing.hasRepository { return .nested }
        let inner: [[CChar]?] = try listing.names.filter { $0.stamp == nil }.map { name in
            var inner = path
            listing.append(name, to: &inner)
            // The slash at its end tells libgit2 that it is a folder.
            if try repository.ignores(inner) { return nil }
            inner.removeLast()
            return inner
        }
        return .open(listing, inner: inner)
    }

    private func next() -> (number: Int, path: [CChar])? {
        news.wait()
        let found = progress.withLock { progress in
            progress.waiting.popLast().map { ($0, progress.folders[$0].path) }
        }
        // It is over, for whoever else waits too.
        if found == nil { news.signal() }
        return found
    }

    private func finish(_ number: Int, _ finding: Finding) {
        let added = progress.withLock { progress in
            // Somebody has failed meanwhile.
            guard progress.open > 0 else { return 0 }
            let first = progress.folders.count
            switch finding {
            case .closed: progress.folders[number].state = .closed
            case .nested: progress.folders[number].state = .nested
            case .open(let listing, let paths):
                var inner: [Int?] = []
                for path in paths {
                    inner.append(path == nil ? nil : progress.folders.count)
                    if let path { progress.folders.append(Folder(path: path)) }
                }
                progress.folders[number].state = .open(listing, inner: inner)
            }
            let added = progress.folders.count - first
            progress.waiting += (first..<progress.folders.count).reversed()
            progress.open += added - 1
            return progress.open == 0 ? 1 : added
        }
        for _ in 0..<added { news.signal() }
    }

    private func end() {
        progress.withLock { progress in
            progress.waiting = []
            progress.open = 0
        }
        news.signal()
    }
}
