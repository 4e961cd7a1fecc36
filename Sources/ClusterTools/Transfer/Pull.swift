import Archive
import IO

/// Fetches files from the far side, over as many connections as it takes: each lists and plans anew, so that only what is missing
/// goes on.
///
/// Who owns what: it belongs to one task.
final class Pull {
    /// What is wanted of one folder there.
    struct Source: Sendable {
        var folder: FarFolder
        var patterns: [PathPattern]
    }

    private let target: LocalFolder
    private let console: Console
    private let use: LinkUse
    /// Whether newer files here may be replaced: known, or asked for when there are some.
    private var overwritesNewer: Bool?
    private let mayOverwrite: ([FileEntry]) async throws -> Bool

    private var progress = TransferProgress()
    private var unmatched: [String] = []
    /// The folders that it has made, which get their mode and time when all is in them.
    private var madeFolders: [FileEntry] = []
    /// What the far side could not send when it was last asked to.
    private var refused: Set<[UInt8]> = []
    /// How often in succession the far side has ended before anything came.
    private var failedAttempts = 0

    /// Below it many files go in one archive; from it on each is continued where it stopped.
    static let largeFile = 8 << 20
    private static let attempts = 4

    /// - Parameter mayOverwrite: whether these files, which are newer here, may be replaced.
    init(
        into target: LocalFolder, console: Console, use: LinkUse,
        mayOverwrite: @escaping ([FileEntry]) async throws -> Bool
    ) {
        self.target = target
        self.console = console
        self.use = use
        self.mayOverwrite = mayOverwrite
    }

    // MARK: Steps

    /// What there is to be fetched of a folder.
    func plan(_ source: Source, overwritesNewer: Bool = false, on host: any Host) async throws -> TransferPlan {
        let found = try await source.folder.list(source.patterns.map(\.start), on: host)
        let wanted = found.filter { entry in source.patterns.contains { $0.matches(entry.path) } }
        unmatched = source.patterns.filter { pattern in !wanted.contains { pattern.matches($0.path) } }.map(\.text)
        return TransferPlan(source: wanted, overwritesNewer: overwritesNewer) { path throws(Failure) in
            try target.entry(path)
        }
    }

    /// Fetches what is wanted and is not here.
    func run(_ sources: [Source], on host: any Host) async throws -> TransferOutcome {
        let carried = progress.carried
        var outcome = TransferOutcome()
        do {
            for source in sources { try await fetchAll(source, on: host, &outcome) }
        } catch let error as ConversationEnded {
            failedAttempts = progress.carried > carried ? 0 : failedAttempts + 1
            guard failedAttempts < Self.attempts else {
                throw Failure(Exit.unavailable, "\(host.name) does not send the files", cause: error)
            }
            throw error
        }
        console.endProgress()
        for folder in madeFolders.reversed() { try target.finish(folder: folder) }
        outcome.bytes = progress.carried
        outcome.files = progress.doneFiles
        return outcome
    }

    private func fetchAll(_ source: Source, on host: any Host, _ outcome: inout TransferOutcome) async throws {
        // What has changed meanwhile, as the files of a job that runs do, is fetched once more; the third time only looks.
        for round in 1...3 {
            let plan = try await decided(source, on: host)
            let isLast = round == 3 || (plan.copies.isEmpty && plan.folders.isEmpty)
            if !isLast {
                for folder in plan.folders {
                    try target.makeFolder(folder.path)
                    madeFolders.append(folder)
                }
                refused = []
                try await fetch(plan.copies, from: source.folder, on: host)
                continue
            }
            outcome.unmatched += unmatched
            outcome.newer += plan.newer.map(\.name)
            outcome.obstacles += plan.obstacles.map { "\(BytePath.text($0.path)): \($0.why)" }
            for entry in plan.copies {
                if refused.contains(entry.path) {
                    outcome.obstacles.append("\(entry.name): it cannot be read")
                } else {
                    outcome.changing.append(entry.name)
                }
            }
            outcome.unchanged += plan.unchanged
            return
        }
    }

    /// The plan, after the question whether newer files here may be replaced.
    private func decided(_ source: Source, on host: any Host) async throws -> TransferPlan {
        var plan = try await plan(source, overwritesNewer: overwritesNewer ?? false, on: host)
        if overwritesNewer == nil, !plan.newer.isEmpty {
            let answer = try await mayOverwrite(plan.newer)
            overwritesNewer = answer
            if answer { plan = try await self.plan(source, overwritesNewer: true, on: host) }
        }
        return plan
    }

    private func fetch(_ copies: [FileEntry], from folder: FarFolder, on host: any Host) async throws {
        let parts = try self.parts(of: copies)
        let missing = copies.reduce(0) { $0 + $1.size - (parts[$1.path] ?? 0) }
        guard missing <= (try target.room) else {
            throw Failure(
                Exit.ioError,
                "\(byteCount(missing)) are to come, and \(target.path) has room for \(byteCount(try target.room))",
                remedy: "make room, or name another folder with --to")
        }
        progress.begin(files: copies.count, bytes: copies.reduce(0) { $0 + $1.size })
        var small: [FileEntry] = []
        var large: [(entry: FileEntry, offset: Int)] = []
        for entry in copies {
            if case .link(let target) = entry.kind {
                try self.target.makeLink(entry, target: target)
                progress.endFile()
            } else if let offset = parts[entry.path] {
                large.append((entry, offset))
            } else if entry.size >= Self.largeFile {
                large.append((entry, 0))
            } else {
                small.append(entry)
            }
        }
        if !small.isEmpty {
            // What no archive held, such as a second name of a file in it, comes by itself.
            large += try await fetchArchive(of: small, from: folder, on: host).map { ($0, 0) }
        }
        if !large.isEmpty { try await fetchParts(large, from: folder, on: host) }
    }

    /// How much of each file came before. Parts of other versions go.
    private func parts(of copies: [FileEntry]) throws(Failure) -> [[UInt8]: Int] {
        var sizes: [[UInt8]: Int] = [:]
        for (folder, entries) in Dictionary(grouping: copies, by: { BytePath.split($0.path).folder }) {
            let parts = try target.names(in: folder).filter { PartName.isPart($0) }
            if parts.isEmpty { continue }
            for entry in entries {
                let own = PartName.of(entry)
                for part in parts where PartName.isPart(part, of: entry) {
                    let path = BytePath.join(folder, part)
                    if part == own, let size = try target.entry(path)?.size, size <= entry.size {
                        sizes[entry.path] = size
                    } else {
                        try target.remove(path)
                    }
                }
            }
        }
        return sizes
    }

    // MARK: What arrives

    /// Fetches files in archives.
    ///
    /// - Returns: those that were in none.
    private func fetchArchive(
        of files: [FileEntry], from folder: FarFolder, on host: any Host
    ) async throws -> [FileEntry] {
        var expected = Dictionary(files.map { ($0.path, $0) }) { first, _ in first }
        try await folder.read(files.map(\.path), on: host) { conversation in
            var parser = TarParser()
            var file: PartFile?
            while case let bytes = try await conversation.data(), !bytes.isEmpty {
                use.prove()
                parser.feed(bytes)
                while let event = try parser.next() {
                    switch event {
                    case .entry(let header):
                        guard header.kind == .file, let components = BytePath.components(header.path),
                            var entry = expected.removeValue(forKey: BytePath.join(components))
                        else { break }
                        // It may have changed since it was listed: what it is now counts.
                        (entry.size, entry.modified) = (header.size, header.modified)
                        file = try PartFile(entry, in: target)
                    case .data(let data):
                        guard let file else { break }
                        try file.write(data)
                        advance(data.count)
                    case .end:
                        if let arrived = file { try complete(arrived) }
                        file = nil
                    }
                }
            }
            if let file {
                // So little is not worth being continued.
                try file.discard()
                throw ConversationEnded(description: "the archive from \(host.name) ended early")
            }
        }
        return Array(expected.values)
    }

    private func fetchParts(
        _ files: [(entry: FileEntry, offset: Int)], from folder: FarFolder, on host: any Host
    ) async throws {
        try await folder.readParts(files, on: host) { conversation in
            var reader = DataReader(conversation)
            for (entry, offset) in files {
                guard let line = try await reader.line() else {
                    throw ConversationEnded(description: "\(host.name) ended before it had sent all files")
                }
                guard line.count == 2, line[0] == "part", var left = Int(line[1]), left == entry.size - offset else {
                    // Gone, cut off, or unreadable: the next list tells.
                    refused.insert(entry.path)
                    continue
                }
                let file = try PartFile(entry, in: target, offset: offset)
                progress.skip(offset)
                while left > 0 {
                    let bytes = try await reader.bytes(upTo: left)
                    use.prove()
                    try file.write(bytes)
                    advance(bytes.count)
                    left -= bytes.count
                }
                guard let after = try await reader.line(), after.count == 2, let size = Int(after[1]) else {
                    throw ConversationEnded(description: "\(host.name) ended before it had sent all files")
                }
                if size >= entry.size {
                    try complete(file)
                } else {
                    // It was cut off while it was read: what came last is none of it.
                    try file.discard()
                }
            }
        }
    }

    /// A file is here as a whole.
    private func complete(_ file: PartFile) throws(Failure) {
        progress.endFile()
        // Whoever has changed it here meanwhile keeps it.
        if overwritesNewer != true, let present = try target.entry(file.entry.path),
            present.modified > file.entry.modified
        {
            try file.discard()
        } else {
            try file.finish()
        }
    }

    private func advance(_ count: Int) {
        let now = ContinuousClock.now
        progress.add(count, at: now)
        if let line = progress.line("pulling", at: now) { console.progress(line) }
    }
}
