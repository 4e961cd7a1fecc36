import Git
import Slurm

/// How a snapshot gets to the cluster: as a whole, or as what differs from one that is kept there; and whether it is kept.
struct ShipmentPlan: Sendable {
    /// Of the snapshot, where it is to be kept.
    let manifest: Manifest?
    /// What is expected to be there, and what makes the snapshot of it; nil where all is sent.
    private(set) var delta: Delta?
    /// How much the cluster needs room for, in bytes.
    private let size: Int

    struct Delta: Sendable {
        let base: Manifest
        /// What has to go, in order.
        let removed: [String]
        /// What has to be sent.
        let entries: [Entry]
    }

    /// A snapshot that is sent as a whole and not kept.
    static let once = ShipmentPlan(manifest: nil, delta: nil, size: 0)

    /// - Parameter base: what is believed to be on the cluster.
    init(for snapshot: Snapshot, directory: String, base: Manifest?) throws {
        let manifest = try Manifest(of: snapshot, directory: directory)
        self.init(
            manifest: manifest, delta: base.flatMap { Delta(from: $0, to: manifest, snapshot) },
            size: snapshot.totalSize)
    }

    private init(manifest: Manifest?, delta: Delta?, size: Int) {
        self.manifest = manifest
        self.delta = delta
        self.size = size
    }

    /// The cluster has lost what it was expected to have.
    mutating func forgetBase() { delta = nil }

    /// What of the snapshot has to be sent.
    func entries(of snapshot: Snapshot) -> [Entry] { delta?.entries ?? snapshot.entries }

    /// What the submitting program needs to know: see `templates/remote/snapshots.sh`.
    var definitions: String {
        let removals = delta.map { $0.removals.map { "code/\($0)\n" }.joined() } ?? ""
        return """
            ct_key=\(manifest?.key ?? "")
            ct_names=\(manifest?.lineCount ?? 0)
            ct_kilobytes=\(size >> 10)
            ct_base_key=\(delta?.base.key ?? "")
            ct_base_names=\(delta?.base.lineCount ?? 0)
            ct_removals() {
                cat <<'ct_end'
            \(removals)ct_end
            }

            """
    }
}

extension ShipmentPlan.Delta {
    /// A longer list of what has to go, in bytes, is not worth its time: it is read byte by byte.
    private static let longestList = 1 << 17

    /// Nil where it is better to send all.
    init?(from base: Manifest, to manifest: Manifest, _ snapshot: Snapshot) {
        let difference = manifest.difference(from: base)
        let entries = snapshot.entries.filter { difference.changed.contains($0.path) }
        let bytes = entries.reduce(0) { $0 + $1.size }
        guard bytes * 2 <= snapshot.totalSize || bytes < 1 << 20,
            difference.removed.reduce(0, { $0 + $1.utf8.count }) <= Self.longestList,
            // The list has a line for each.
            !difference.removed.contains(where: { $0.utf8.contains(UInt8(ascii: "\n")) })
        else { return nil }
        self.init(base: base, removed: difference.removed, entries: entries)
    }

    /// What has to go, as `xargs` takes words for themselves.
    fileprivate var removals: [String] {
        removed.map { path in
            var word = String.UnicodeScalarView()
            for scalar in path.unicodeScalars {
                if scalar.isASCII, !scalar.properties.isAlphabetic, !"0123456789/._-".unicodeScalars.contains(scalar) {
                    word.append("\\")
                }
                word.append(scalar)
            }
            return String(word)
        }
    }
}
