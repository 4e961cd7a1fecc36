import Foundation
import IO

/// Where a row stands in a picture of growth.
struct Growth: Sendable {
    /// The panel, and what it counts.
    var title, axis: String
    /// How many.
    var count: Int
    /// What ours held in memory, in bytes.
    var memory: Double?
}

extension Picture {
    /// The panels of all rows that belong to one, three side by side: what is measured above, the memory below.
    init(rows: [Row]) {
        var titles: [String] = []
        for row in rows {
            if let title = row.growth?.title, !titles.contains(title) { titles.append(title) }
        }
        var panels: [Panel] = []
        var memory: [Panel] = []
        for title in titles {
            let rows = rows.filter { $0.growth?.title == title }
            guard let first = rows.first, let growth = first.growth else { continue }
            func points(_ value: (Row) -> Double?) -> [(x: Double, y: Double)] {
                rows.compactMap { row in
                    guard let count = row.growth?.count, let value = value(row) else { return nil }
                    return (Double(count), value)
                }
            }
            panels.append(
                Panel(
                    title: title, axis: growth.axis, unit: first.unit,
                    curves: [
                        Curve(name: "submit", points: points(\.ours.median), isOurs: true),
                        Curve(name: first.against, points: points(\.theirs.median), isOurs: false),
                    ]))
            memory.append(
                Panel(
                    title: "memory", axis: growth.axis, unit: .bytes,
                    curves: [Curve(name: "submit", points: points { $0.growth?.memory }, isOurs: true)]))
        }
        var placed: [Panel] = []
        for start in stride(from: 0, to: panels.count, by: Self.columns) {
            let range = start..<min(start + Self.columns, panels.count)
            let gap = panels.count > Self.columns ? Self.columns - range.count : 0
            for line in [panels[range], memory[range]] { placed += line + Array(repeating: .empty, count: gap) }
        }
        self.init(panels: placed)
    }
}

extension Benchmark {
    static let growthOfFiles = Benchmark(name: "growth-files", summary: "snapshots of 1,000 to 100,000 files") {
        laboratory in
        var rows: [Row] = []
        for count in [1000, 10_000, 100_000] {
            var row = try await laboratory.snapshotRow(files: count)
            row.growth = Growth(title: "snapshot", axis: "files", count: count, memory: row.details.first?.value)
            rows.append(row)
        }
        return rows
    }

    static let growthOfTunnels = Benchmark(name: "growth-tunnel", summary: "1 to 256 connections through the tunnel") {
        laboratory in
        let cluster = try await laboratory.cluster()
        let server = try ByteServer(in: laboratory)
        var access = cluster.access
        access.environment = server.environment
        var rows: [Row] = []
        // A job for each, since memory does not shrink.
        for count in [1, 4, 16, 64, 256] {
            rows.append(
                try await laboratory.withRunningJob(on: cluster, over: access) { [access] job in
                    let origin = try job.origin()
                    return try await laboratory.withSSHForward(over: access, to: origin.port) { port in
                        let theirs = RunningJob.Address(port: port, path: origin.path)
                        let size = 128_000_000 / count
                        let result = try await interleaved(laboratory.fewRepetitions) {
                            try await laboratory.rate(job.address, streams: count, size)
                        } theirs: {
                            try await laboratory.rate(theirs, streams: count, size)
                        }
                        let memory = try await laboratory.memory(ofProgramWith: job.profile)
                        return Row(
                            what: "tunnel, \(count) at once", against: "ssh -L", goal: .none, unit: .bytesPerSecond,
                            ours: result.ours, theirs: result.theirs,
                            details: [Detail(name: "memory", value: memory, unit: .bytes)],
                            growth: Growth(title: "tunnel", axis: "connections", count: count, memory: memory))
                    }
                })
        }
        return rows
    }

    static let growthOfJobs = Benchmark(name: "growth-jobs", summary: "cluster jobs, of 1 to 200 jobs") { laboratory in
        let cluster = try await laboratory.cluster()
        let repository = try await laboratory.makeRepository("many")
        try await repository.fill(files: 1, ofSize: 100)
        let profile = try cluster.writeProfile(cluster.access, in: repository.folder)
        let submit = Command(
            laboratory: laboratory, program: Programs.submit,
            arguments: ["-q", "--detach", "--no-tensorboard", "-c", profile, "sleep", "3600"],
            directory: repository.folder)
        var rows: [Row] = []
        var submitted = 0
        for count in [1, 10, 50, 200] {
            while submitted < count {
                try await submit.run(within: .seconds(60))
                submitted += 1
            }
            let memory = laboratory.folder + "/memory"
            let result = try await interleaved(laboratory.fewRepetitions) {
                try await laboratory.list(repository, memory: nil)
            } theirs: {
                try await cluster.ssh("bash -lc 'squeue -u \(cluster.access.user)'", in: laboratory).run().seconds
            }
            _ = try await laboratory.list(repository, memory: memory)
            let peak = try MeasuredChild.peakMemory(from: memory)
            rows.append(
                Row(
                    what: "cluster jobs, of \(count)", against: "ssh squeue", goal: .none, unit: .seconds,
                    ours: result.ours, theirs: result.theirs,
                    details: [Detail(name: "memory at most", value: peak, unit: .bytes)],
                    growth: Growth(title: "cluster jobs", axis: "jobs", count: count, memory: peak)))
        }
        try await cluster.ssh("scancel --user=\(cluster.access.user)", in: laboratory).run(within: .seconds(60))
        return rows
    }
}

extension Laboratory {
    /// How long `cluster jobs` takes, in seconds.
    ///
    /// - Parameter memory: the file for what it has used; see ``MeasuredChild``.
    fileprivate func list(_ repository: Repository, memory: String?) async throws -> Double {
        var words = (Programs.cluster, ["jobs"])
        if let memory { words = MeasuredChild.words(words.0, words.1, into: memory) }
        return try await Command(
            laboratory: self, program: words.0, arguments: words.1, directory: repository.folder
        ).run(within: .seconds(60)).seconds
    }

    /// The memory, in bytes, of the largest running program that has this word among its arguments.
    func memory(ofProgramWith word: String) async throws -> Double {
        let list = try await Command(
            laboratory: self, program: "ps", arguments: ["-axwwo", "rss=,args="], directory: "/"
        ).run(within: .seconds(10)).output
        let sizes = list.split(separator: "\n").filter { $0.contains(word) }.compactMap { line in
            line.split(separator: " ").first.flatMap { Double($0) }
        }
        guard let largest = sizes.max() else { throw BenchmarkError("no program with \(word) is running") }
        return largest * 1024
    }
}
