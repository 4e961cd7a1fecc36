/// What is to be done so that a folder has what another one has: a pure value, made from what lies on both sides.
struct TransferPlan: Sendable {
    /// Folders to make, those above first.
    private(set) var folders: [FileEntry] = []
    /// Files and links to copy.
    private(set) var copies: [FileEntry] = []
    /// What is newer where it would be copied to, and stays.
    private(set) var newer: [FileEntry] = []
    /// What cannot be copied, and why.
    private(set) var obstacles: [Obstacle] = []
    /// How many files are as they should be.
    private(set) var unchanged = 0

    struct Obstacle: Sendable, Equatable {
        var path: [UInt8]
        var why: String
    }

    /// How many bytes the copies have.
    var bytes: Int { copies.reduce(0) { $0 + $1.size } }

    /// - Parameters:
    ///   - source: what is to be copied.
    ///   - overwritesNewer: whether a newer file is replaced too.
    ///   - destination: what lies at that path now, if anything. Throws when nothing can be put there.
    init(
        source: [FileEntry], overwritesNewer: Bool, destination: (_ path: [UInt8]) throws(Failure) -> FileEntry?
    ) {
        // Below it nothing can be made.
        var blocked: [UInt8]?
        for entry in source.sorted(by: { $0.path.lexicographicallyPrecedes($1.path, by: Self.precedes) }) {
            if let blocked, BytePath.contains(blocked, entry.path) { continue }
            blocked = nil
            guard !PartName.isPart(entry.path) else { continue }
            do throws(Failure) {
                let present = try destination(entry.path)
                if let why = add(entry, present, overwritesNewer) {
                    obstacles.append(Obstacle(path: entry.path, why: why))
                    blocked = entry.path
                }
            } catch {
                obstacles.append(Obstacle(path: entry.path, why: error.description))
                blocked = entry.path
            }
        }
    }

    /// - Returns: why it cannot be copied, if it cannot.
    private mutating func add(_ entry: FileEntry, _ present: FileEntry?, _ overwritesNewer: Bool) -> String? {
        switch (entry.kind, present?.kind) {
        case (.other, _): return "it is no file, folder or symbolic link"
        case (.closedFolder, _): return "the folder cannot be read"
        case (.folder, nil): folders.append(entry)
        case (.folder, .folder), (.folder, .closedFolder): break
        case (.folder, _): return "there is something else of this name"
        case (_, .folder), (_, .closedFolder), (_, .other): return "there is something else of this name"
        case (.file, _), (.link, _):
            guard let present else {
                copies.append(entry)
                break
            }
            if entry.isSame(as: present) {
                unchanged += 1
            } else if present.modified > entry.modified && !overwritesNewer {
                newer.append(entry)
            } else {
                copies.append(entry)
            }
        }
        return nil
    }

    /// Folders come before what is in them, and all of that before their next neighbour.
    private static func precedes(_ a: UInt8, _ b: UInt8) -> Bool {
        (a == BytePath.slash ? 0 : a) < (b == BytePath.slash ? 0 : b)
    }
}
