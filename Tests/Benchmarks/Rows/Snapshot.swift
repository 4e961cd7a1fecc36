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
        let profile = repository.folder + "/.git/profile.json"
        try Data(#"{"hostname": "127.0.0.1", "port": 1}"#.utf8).write(to: URL(filePath: profile))
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
        let memory = folder + "/memory"
        let result = try await interleaved(repetitions) {
            try change()
            return try await self.timeToSnapshot(in: repository, profile: profile, memory: nil)
        } theirs: {
            try change()
            let script = "cp .git/index .git/copy && export GIT_INDEX_FILE=.git/copy && git add -A && git write-tree"
            return try await Command(
                laboratory: self, program: "sh", arguments: ["-c", script], directory: repository.folder
            ).run(within: .seconds(300)).seconds
        }
        _ = try await timeToSnapshot(in: repository, profile: profile, memory: memory)
        let peak = try MeasuredChild.peakMemory(from: memory)
        try FileManager.default.removeItem(atPath: repository.folder)
        return Row(
            what: "snapshot, \(files) files, 10 changed, 5 new", against: "git add -A && git write-tree",
            goal: .ratioAtMost(1), unit: .seconds, ours: result.ours, theirs: result.theirs,
            details: [Detail(name: "memory at most", value: peak, unit: .bytes)])
    }

    /// From the start of submit until it says that there is a snapshot. It goes on to connect to where nobody listens.
    ///
    /// - Parameter memory: the file for what it has used; see ``MeasuredChild``.
    private func timeToSnapshot(in repository: Repository, profile: String, memory: String?) async throws -> Double {
        var words = (Programs.submit, ["--json", "-c", profile, "true"])
        if let memory { words = MeasuredChild.words(words.0, words.1, into: memory) }
        let submit = Command(
            laboratory: self, program: words.0, arguments: words.1, directory: repository.folder)
        let start = ContinuousClock.now
        return try await submit.watch(within: .seconds(300)) { lines in
            _ = try await lines.event("snapshot")
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            while try await lines.next() != nil {}
            return seconds
        }
    }
}
