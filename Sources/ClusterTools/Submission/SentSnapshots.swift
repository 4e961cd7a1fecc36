import Git

/// What was sent last, a file for each cluster, folder for runs and project: the next submission sends what differs from it.
///
/// The cluster may have lost it, or another machine may have sent something else since; then all is sent. So nothing depends on
/// these files, and one that cannot be read or written is passed over.
struct SentSnapshots: Sendable {
    private let folder: StateFolder
    private let name: String
    private let console: Console

    /// Larger ones are not kept here or there: the cluster has room for a copy, but perhaps not for three.
    private static let largest = (files: 200_000, bytes: 4 << 30)
    /// Smaller ones are sent as a whole: that takes no longer.
    private static let smallest = (files: 500, bytes: 1 << 20)

    /// - Parameter project: the name of its folder on the cluster.
    init(
        to profile: Profile, project: String, repository: String, environment: [String: String], console: Console
    ) throws {
        folder = StateFolder("sent", environment: environment)
        let place = [
            profile.hostname ?? "", profile.user ?? "", "\(profile.port ?? 22)", profile.untarPath?.text ?? "", project,
            repository,
        ]
        name = String(try sha256(of: Array(place.joined(separator: "\0").utf8)).prefix(40))
        self.console = console
    }

    /// Whether a snapshot is worth keeping on the cluster, so that the next one need not be sent as a whole.
    static func isWorthKeeping(_ snapshot: Snapshot) -> Bool {
        let (files, bytes) = (snapshot.entries.count, snapshot.totalSize)
        return (files >= smallest.files || bytes >= smallest.bytes) && files <= largest.files && bytes <= largest.bytes
    }

    /// What was sent last.
    func last() -> Manifest? {
        do {
            return try folder.read(name).flatMap(Manifest.init(record:))
        } catch {
            console.report(.debug("what was sent before cannot be read: \(error)"))
            return nil
        }
    }

    func save(_ manifest: Manifest) {
        do {
            try folder.make()
            try folder.write(manifest.record, to: name, isLasting: false)
        } catch {
            console.report(.debug("what was sent is not kept: \(error)"))
        }
    }
}
