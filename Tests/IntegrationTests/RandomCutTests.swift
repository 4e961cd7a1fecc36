import Foundation
import Testing

/// Two hundred submissions, each over a link that breaks at a random byte: every one becomes exactly one job or none, and what
/// submit says is what Slurm and the run folders say.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(5)))
struct RandomCutTests {
    /// Runs once for each job, or this shows.
    private let files = ["job.sh": "echo run >>\"$1\"\n", "data": String(repeating: "0123456789", count: 100)]

    private struct Attempt {
        var index: Int
        var direction: FaultyLink.Direction
        var byte: Int
        var finished: Finished

        /// The job that submit speaks of.
        var job: String? { finished.succeeded ? finished.output.trimmingCharacters(in: .whitespacesAndNewlines) : nil }
        var context: Comment { "cut after byte \(byte) \(direction): \(finished.status)\n\(finished.errors)" }
    }

    @Test(arguments: [(Place.demoCluster, 200), (.demoClusterByOpenSSH, 30)])
    func exactlyOneJobOrNone(place: Place, count: Int) async throws {
        try await withDemoCluster { cluster in
            try await withWorkplace(place, files: files, cluster: cluster) { workplace in
                let whole = try await carried(place, cluster, workplace)
                let attempts = try await withThrowingTaskGroup(of: Attempt.self) { group in
                    var attempts: [Attempt] = []
                    for index in 1...count {
                        if index > 4, let attempt = try await group.next() { attempts.append(attempt) }
                        let direction = Bool.random() ? FaultyLink.Direction.up : .down
                        let byte = Int.random(in: 0...(direction == .up ? whole.up : whole.down))
                        group.addTask { try await self.attempt(index, direction, byte, place, cluster, workplace) }
                    }
                    for try await attempt in group { attempts.append(attempt) }
                    return attempts
                }
                try await workplace.allJobsEnd(within: .seconds(60))
                try check(attempts, workplace)
            }
        }
    }

    private func attempt(
        _ index: Int, _ direction: FaultyLink.Direction, _ byte: Int, _ place: Place, _ cluster: DemoCluster,
        _ workplace: Workplace
    ) async throws -> Attempt {
        try await withFaultyLink(to: cluster, for: place) { link, profile in
            link.cut(after: byte, direction)
            return Attempt(
                index: index, direction: direction, byte: byte,
                finished: try await run(launch(index, profile, workplace), within: .seconds(90)))
        }
    }

    private func launch(_ index: Int, _ profile: String, _ workplace: Workplace) -> Launch {
        workplace.repository.submit(
            "-c", profile, "--detach", "--no-tensorboard", "sh", "job.sh", workplace.signpost("runs.\(index)"))
    }

    /// The bytes that a whole submission takes.
    private func carried(
        _ place: Place, _ cluster: DemoCluster, _ workplace: Workplace
    ) async throws -> (up: Int, down: Int) {
        let sizes = Locked((up: 0, down: 0))
        try await withFaultyLink(to: cluster, for: place) { link, profile in
            _ = try await run(launch(0, profile, workplace)).checked("submit --detach")
            sizes.value = (link.carried(.up), link.carried(.down))
        }
        return sizes.value
    }

    private func check(_ attempts: [Attempt], _ workplace: Workplace) throws {
        // The first submission, which nothing broke, is there too.
        var jobs = Set(try runFolders(workplace).compactMap { try workplace.state("id", of: $0) })
        #expect(try jobs.count == runFolders(workplace).count)
        for attempt in attempts {
            let runs = FileManager.default.contents(atPath: workplace.signpost("runs.\(attempt.index)"))
                .map { String(decoding: $0, as: UTF8.self) }
            if let job = attempt.job {
                #expect(runs == "run\n", attempt.context)
                #expect(jobs.remove(job) != nil, attempt.context)
            } else {
                // The very first login failed: there was nothing to come back to.
                #expect(attempt.finished.status == .exited(69), attempt.context)
                #expect(attempt.finished.errors.contains("cannot connect"), attempt.context)
                #expect(runs == nil, attempt.context)
            }
        }
        #expect(jobs.count == 1, "jobs that no submit speaks of")
        // What was given up leaves its mark at most, and nothing that was sent.
        for mark in try workplace.leftovers() where mark.hasPrefix(".") {
            let content = try FileManager.default.subpathsOfDirectory(atPath: "\(workplace.runs)/\(mark)").sorted()
            #expect(content == ["job", "job/claim"])
        }
        #expect(try workplace.records().count == attempts.count { $0.job != nil } + 1)
    }

    private func runFolders(_ workplace: Workplace) throws -> [String] {
        try workplace.leftovers().filter { !$0.hasPrefix(".") }
    }
}
