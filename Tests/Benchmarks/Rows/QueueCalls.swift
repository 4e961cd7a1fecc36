import Foundation
import IO
import Synchronization

extension Benchmark {
    static let queueCalls = Benchmark(name: "queue", summary: "squeue calls for many watched jobs") { laboratory in
        let cluster = try await laboratory.cluster()
        var rows: [Row] = []
        for jobs in [1, 50] {
            let calls = try await laboratory.squeueCallsPerMinute(watching: jobs, on: cluster)
            rows.append(
                Row(
                    what: "squeue calls a minute, \(jobs) watched \(jobs == 1 ? "job" : "jobs")",
                    against: "one for each job", goal: .atMost(4), unit: .count, ours: Series(values: [calls]),
                    theirs: Series(values: [Double(jobs)])))
        }
        return rows
    }
}

extension Laboratory {
    /// Watches so many jobs, each with a submit of its own, and counts for a minute what the controller is asked.
    fileprivate func squeueCallsPerMinute(watching jobs: Int, on cluster: DemoCluster) async throws -> Double {
        let repository = try await makeRepository("watched")
        try await repository.fill(files: 1, ofSize: 100)
        let profile = try cluster.writeProfile(cluster.access, in: repository.folder)
        let submitted = Tally()
        return try await withThrowingTaskGroup(of: Double?.self) { group in
            for index in 0..<jobs {
                group.addTask {
                    // A login each, as from as many terminals; sshd lets no more in at once.
                    try await Task.sleep(for: .milliseconds(300 * index))
                    let submit = Command(
                        laboratory: self, program: Programs.submit,
                        arguments: ["--json", "--no-tensorboard", "-c", profile, "sleep", "600"],
                        directory: repository.folder)
                    return try await submit.watch(within: .seconds(300)) { lines in
                        _ = try await lines.event("submitted")
                        submitted.increment()
                        while try await lines.next() != nil {}
                        throw BenchmarkError("a watched job ended too early")
                    }
                }
            }
            group.addTask {
                while submitted.count < jobs { try await Task.sleep(for: .milliseconds(100)) }
                // Until everybody has seen what there is to see.
                try await Task.sleep(for: .seconds(10))
                let before = try await self.queueRequests(cluster)
                try await Task.sleep(for: .seconds(60))
                let count = try await self.queueRequests(cluster) - before
                try await cluster.ssh("scancel --user=\(cluster.access.user)", in: self).run(within: .seconds(30))
                return count
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// How often the controller has been asked for jobs, as it says itself.
    private func queueRequests(_ cluster: DemoCluster) async throws -> Double {
        let text = try await cluster.ssh("bash -lc sdiag", in: self).run(within: .seconds(30)).output
        return text.matches(of: /REQUEST_JOB_(?:USER_)?INFO(?:_SINGLE)?\s+\(\s*\d+\)\s+count:(\d+)/)
            .compactMap { Double($0.output.1) }.reduce(0, +)
    }
}

/// Counts for several tasks.
private final class Tally: Sendable {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }

    func increment() { state.withLock { $0 += 1 } }
}
