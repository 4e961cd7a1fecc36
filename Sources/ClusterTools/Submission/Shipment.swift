import Archive
import Git
import Templates

/// What is sent for one job: the snapshot under `code/`, the job script at the top, its helpers in `job/`.
struct Shipment: Sendable {
    /// The work tree of the repository.
    var repository: String
    var snapshot: Snapshot
    /// The rendered job script.
    var script: String

    /// The small files that come with every job, their paths in the run folder and their modes.
    private var ownFiles: [(path: String, mode: Int, bytes: [UInt8])] {
        [
            ("sbatch_script.sh", 0o700, Array(script.utf8)),
            ("job/tensorboard.py", 0o600, PackageResources.tensorboard_py),
            ("job/relay.py", 0o600, PackageResources.relay_py),
        ]
    }

    /// How many files there are, and their bytes before compression.
    var size: (files: Int, bytes: Int) {
        (snapshot.entries.count, snapshot.entries.reduce(0) { $0 + $1.size })
    }

    /// Builds the archive and hands it on piece by piece; it never exists as a whole, here or in memory.
    ///
    /// - Parameter send: is given the next bytes, and how many bytes of files they complete. False ends the shipment early.
    @concurrent
    func stream(_ send: sending ([UInt8], _ done: Int) async throws -> Bool) async throws {
        let repository = try Repository.discover(from: repository)
        var tarball = try Tarball(compression: .gzip(level: 1))
        var done = 0
        for file in ownFiles {
            try tarball.addFile(path: file.path, mode: file.mode, size: file.bytes.count)
            try file.bytes.withUnsafeBytes { try tarball.write($0) }
            try tarball.endFile()
        }
        for folder in ["code"] { try tarball.addDirectory(path: folder, mode: 0o755) }
        for entry in snapshot.entries {
            let path = "code/" + entry.path
            switch entry.kind {
            case .symlink:
                try tarball.addSymlink(
                    path: path, target: String(decoding: try repository.read(entry), as: UTF8.self))
            case .directory: try tarball.addDirectory(path: path, mode: 0o755)
            case .file(let isExecutable):
                try tarball.addFile(path: path, mode: isExecutable ? 0o755 : 0o644, size: entry.size)
                var pieces = try repository.pieces(of: entry)
                while let piece = try pieces.next() {
                    try piece.withUnsafeBytes { try tarball.write($0) }
                    done += piece.count
                    let bytes = tarball.takeOutput()
                    if !bytes.isEmpty, try await !send(bytes, done) { return }
                }
                try tarball.endFile()
            }
        }
        try tarball.finish()
        _ = try await send(tarball.takeOutput(), done)
    }
}
