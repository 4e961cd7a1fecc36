import Foundation
import IO

extension Benchmark {
    static let snapshot = Benchmark(name: "snapshot", summary: "the snapshot of 100,000 files") { laboratory in
        [try await laboratory.snapshotRow(files: 100_000)]
    }
}

extension Laboratory {
    /// A warm snapshot of a repository with ten changed files and five new ones.
    func snapshotRow(files: Int) async throws -> Row {
        let repository = try await makeRepository("snapshot")
        try await repository.fill(files: files, ofSize: 200)
        var round = 0
        func change() throws {
            round += 1
            for index in 0..<10 {
                try repository.write(
                    repository.path(of: index * (files / 10)), repository.text(round * 100 + index, ofSize: 300))
            }
            for index in 0..<5 {
                try repository.write("new\(index).txt", repository.text(-round * 10 - index, ofSize: 300))
            }
        }
        var memory = Series()
        let result = try await interleaved(repetitions) {
            try change()
            let (seconds, bytes) = try await self.timeToSnapshot(in: repository)
            memory.values.append(bytes)
            return seconds
        } theirs: {
            try change()
            let script = "cp .git/index .git/copy && export GIT_INDEX_FILE=.git/copy && git add -A && git write-tree"
            return try await Command(
                laboratory: self, program: "sh", arguments: ["-c", script], directory: repository.folder
            ).run(within: .seconds(300)).seconds
        }
        try FileManager.default.removeItem(atPath: repository.folder)
        return Row(
            what: "snapshot, \(files) files, 10 changed, 5 new", against: "git add -A && git write-tree",
            // Of few files the start of the program is most.
            goal: files < 100_000 ? .none : .ratioAtMost(1), unit: .seconds, ours: result.ours, theirs: result.theirs,
            details: [Detail(name: "memory", value: memory.median ?? 0, unit: .bytes)])
    }

    /// From the start of submit until it says that there is a snapshot, in seconds; and its memory then, in bytes. It waits for a
    /// server that never says a word meanwhile, and is ended.
    private func timeToSnapshot(in repository: Repository) async throws -> (seconds: Double, memory: Double) {
        try await withListener(preferredPort: nil, loop: loop) { listener in
            let profile = repository.folder + "/.git/profile.json"
            try Data(#"{"hostname": "127.0.0.1", "port": \#(listener.port)}"#.utf8).write(to: URL(filePath: profile))
            let submit = Command(
                laboratory: self, program: Programs.submit, arguments: ["--json", "-c", profile, "true"],
                directory: repository.folder)
            let start = ContinuousClock.now
            return try await submit.watch(within: .seconds(300)) { lines in
                _ = try await lines.event("snapshot")
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                return (seconds, try await self.memory(ofProgramWith: profile))
            }
        }
    }
}
