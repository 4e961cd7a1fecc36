import Archive
import Git
import IO
import Templates

/// What is sent for one job: the snapshot under `code/`, the job script at the top, its helpers in `job/`.
struct Shipment: Sendable {
    /// The work tree of the repository.
    var repository: String
    var snapshot: Snapshot
    /// The folder of the repository that the command runs in; empty for its top. It may hold nothing that git knows.
    var directory: String
    /// The rendered job script.
    var script: String
    /// The time that all files get, in seconds since 1970: git keeps none.
    var modificationTime: Int64
    /// What of the snapshot has to be sent.
    var plan: ShipmentPlan
    /// Whether the command is a notebook server, which comes along.
    var isNotebook = false
    /// Whether it needs an environment, whose maker comes along.
    var needsEnvironment = false

    /// The small files that come with every job, their paths in the run folder and their modes.
    private var ownFiles: [(path: String, mode: UInt32, bytes: [UInt8])] {
        [
            ("sbatch_script.sh", 0o700, Array(script.utf8)),
            ("job/tensorboard.py", 0o600, Template.tensorboard.bytes),
            ("job/relay.py", 0o600, Template.relay.bytes),
        ] + (isNotebook ? notebookFiles : []) + (needsEnvironment ? environmentFiles : [])
    }

    private var environmentFiles: [(path: String, mode: UInt32, bytes: [UInt8])] {
        Template.EnvironmentFile.allCases.map { ("job/maker/\($0.rawValue)", 0o600, Template.environment($0).bytes) }
    }

    private var notebookFiles: [(path: String, mode: UInt32, bytes: [UInt8])] {
        [
            ("job/notebook", 0o700, Template.notebook.bytes),
            ("job/notebook.py", 0o600, Template.notebookServer.bytes),
        ]
    }

    /// The last file: without it the archive is not whole. See `templates/remote/snapshots.sh`.
    private static let end = "job/.complete"

    /// How many files the snapshot has, and their bytes.
    var size: (files: Int, bytes: Int) { (snapshot.entries.count, snapshot.totalSize) }

    /// How many of these have to be sent, and their bytes before compression.
    var sentSize: (files: Int, bytes: Int) {
        let entries = plan.entries(of: snapshot)
        return (entries.count, entries.reduce(0) { $0 + $1.size })
    }

    /// Builds the archive on a thread of its own and hands it on piece by piece; it never exists as a whole, here or in memory.
    ///
    /// - Parameter send: is given the next bytes, and how many bytes of files they complete. False ends the shipment early.
    func stream(
        as codec: CompressedStream.Codec, _ send: ([UInt8], _ done: Int) async throws -> Bool
    ) async throws {
        try await CompressedStream(codec).run({ put in try write(put) }, send: send)
    }

    /// Builds the archive.
    ///
    /// - Parameter put: is given pieces of it in order. False ends it in its middle.
    private func write(_ put: ([UInt8], _ done: Int) -> Bool) throws {
        let repository = try Repository.discover(from: repository)
        var tarball = try Tarball(compression: .none, modificationTime: modificationTime)
        for file in ownFiles {
            try tarball.addFile(path: Array(file.path.utf8), mode: file.mode, size: Int64(file.bytes.count))
            try tarball.write(file.bytes)
            try tarball.endFile()
        }
        for folder in directory.isEmpty ? ["code"] : ["code", "code/\(directory)"] {
            try tarball.addDirectory(path: Array(folder.utf8), mode: 0o755)
        }
        var done = 0
        var isWanted = true
        for entry in plan.entries(of: snapshot) {
            guard isWanted else { return }
            let path = Array("code/\(entry.path)".utf8)
            switch entry.kind {
            case .symlink: try tarball.addSymlink(path: path, target: try repository.read(entry))
            case .directory: try tarball.addDirectory(path: path, mode: 0o755)
            case .file(let isExecutable):
                try tarball.addFile(path: path, mode: isExecutable ? 0o755 : 0o644, size: Int64(entry.size))
                try repository.forEachChunk(of: entry) { chunk in
                    guard isWanted else { return }
                    try tarball.write(Array(chunk))
                    done += chunk.count
                    let bytes = tarball.takeOutput()
                    if !bytes.isEmpty { isWanted = put(bytes, done) }
                }
                if isWanted { try tarball.endFile() }
            }
        }
        guard isWanted else { return }
        try tarball.addFile(path: Array(Self.end.utf8), mode: 0o600, size: 0)
        try tarball.endFile()
        try tarball.finish()
        _ = put(tarball.takeOutput(), done)
    }
}
