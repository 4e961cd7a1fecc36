import Archive
import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Sends files to the far side, over as many connections as it takes: each lists and plans anew, so that only what is missing goes on.
///
/// Who owns what: it belongs to one task.
final class Push {
    /// What is to be sent of one folder here.
    struct Source {
        var folder: LocalFolder
        var paths: [[UInt8]]
    }

    private let target: FarFolder
    private let console: Console
    private let use: LinkUse
    /// Whether newer files there may be replaced: known, or asked for when there are some.
    private var overwritesNewer: Bool?
    private let mayOverwrite: ([FileEntry]) async throws -> Bool

    private var progress = TransferProgress()
    /// The folders that it has made, which get their mode and time when all is in them.
    private var madeFolders: [FileEntry] = []
    /// How often in succession the far side has ended before anything was sent.
    private var failedAttempts = 0

    /// How much goes in one archive: a lost link costs no more than that.
    private static let archive = (bytes: 64 << 20, files: 5000)
    private static let portion = 1 << 18
    private static let attempts = 4

    /// - Parameter mayOverwrite: whether these files, which are newer there, may be replaced.
    init(
        into target: FarFolder, console: Console, use: LinkUse,
        mayOverwrite: @escaping ([FileEntry]) async throws -> Bool
    ) {
        self.target = target
        self.console = console
        self.use = use
        self.mayOverwrite = mayOverwrite
    }

    // MARK: Steps

    /// What there is to be sent of a folder, and how much of it is there already.
    func plan(
        _ source: Source, overwritesNewer: Bool = false, on host: any Host
    ) async throws -> (plan: TransferPlan, parts: [[UInt8]: Int]) {
        var here: [FileEntry] = []
        for path in source.paths { here += try source.folder.entries(below: path) }
        let parts = here.filter { $0.kind == .file && $0.size >= Pull.largeFile }.map(PartName.path)
        let found = try await target.list(source.paths + parts, mayLack: true, on: host)
        let there = Dictionary(found.map { ($0.path, $0) }) { first, _ in first }
        let plan = TransferPlan(source: here, overwritesNewer: overwritesNewer) { path throws(Failure) in there[path] }
        return (plan, there.mapValues(\.size))
    }

    /// Sends what is not there.
    func run(_ sources: [Source], on host: any Host) async throws -> TransferOutcome {
        let carried = progress.carried
        var outcome = TransferOutcome()
        do {
            for source in sources { try await send(source, on: host, &outcome) }
            if !madeFolders.isEmpty { try await target.finish(madeFolders.reversed(), on: host) }
        } catch let error as ConversationEnded {
            failedAttempts = progress.carried > carried ? 0 : failedAttempts + 1
            guard failedAttempts < Self.attempts else {
                throw Failure(Exit.unavailable, "\(host.name) does not take the files", cause: error)
            }
            throw error
        }
        console.endProgress()
        outcome.bytes = progress.carried
        outcome.files = progress.doneFiles
        return outcome
    }

    private func send(_ source: Source, on host: any Host, _ outcome: inout TransferOutcome) async throws {
        var (plan, parts) = try await plan(source, overwritesNewer: overwritesNewer ?? false, on: host)
        if overwritesNewer == nil, !plan.newer.isEmpty {
            let answer = try await mayOverwrite(plan.newer)
            overwritesNewer = answer
            if answer { plan = try await self.plan(source, overwritesNewer: true, on: host).plan }
        }
        outcome.newer += plan.newer.map(\.name)
        outcome.obstacles += plan.obstacles.map { "\(BytePath.text($0.path)): \($0.why)" }
        outcome.unchanged += plan.unchanged
        madeFolders += plan.folders
        progress.begin(files: plan.copies.count, bytes: plan.bytes)
        var batch = plan.folders
        var size = 0
        for entry in plan.copies where entry.kind != .file || entry.size < Pull.largeFile {
            batch.append(entry)
            size += entry.size
            if size >= Self.archive.bytes || batch.count >= Self.archive.files {
                try await sendArchive(of: batch, from: source.folder, on: host)
                (batch, size) = ([], 0)
            }
        }
        if !batch.isEmpty { try await sendArchive(of: batch, from: source.folder, on: host) }
        for entry in plan.copies where entry.kind == .file && entry.size >= Pull.largeFile {
            let offset = parts[PartName.path(of: entry)].map { $0 <= entry.size ? $0 : 0 } ?? 0
            try await sendLarge(entry, from: offset, in: source.folder, on: host)
        }
    }

    // MARK: What is sent

    private func sendArchive(of entries: [FileEntry], from folder: LocalFolder, on host: any Host) async throws {
        try await target.store(on: host) { send in
            var tarball = try Tarball(compression: .none, modificationTime: 0)
            for entry in entries {
                switch entry.kind {
                case .folder:
                    // What is unpacked into it must not need more rights than it has.
                    try tarball.addDirectory(
                        path: entry.path, mode: entry.mode | 0o700, modified: Int64(entry.modified))
                case .link(let target):
                    try tarball.addSymlink(path: entry.path, target: target, modified: Int64(entry.modified))
                    progress.endFile()
                default:
                    try tarball.addFile(
                        path: entry.path, mode: entry.mode, size: Int64(entry.size), modified: Int64(entry.modified))
                    let reader = try FileReader(entry, in: folder, from: 0)
                    while let bytes = try reader.next(upTo: Self.portion) {
                        try tarball.write(bytes)
                        guard try await send(tarball.takeOutput()) else { return }
                        advance(bytes.count)
                    }
                    try tarball.endFile()
                    progress.endFile()
                }
            }
            try tarball.finish()
            _ = try await send(tarball.takeOutput())
        }
        use.prove()
    }

    private func sendLarge(
        _ entry: FileEntry, from offset: Int, in folder: LocalFolder, on host: any Host
    ) async throws {
        progress.skip(offset)
        try await target.append(entry, from: offset, on: host) { send in
            let reader = try FileReader(entry, in: folder, from: offset)
            while let bytes = try reader.next(upTo: Self.portion) {
                guard try await send(bytes) else { return }
                advance(bytes.count)
            }
        }
        use.prove()
        progress.endFile()
    }

    private func advance(_ count: Int) {
        let now = ContinuousClock.now
        progress.add(count, at: now)
        if let line = progress.line("pushing", at: now) { console.progress(line) }
    }
}
