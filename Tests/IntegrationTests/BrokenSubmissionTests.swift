import Foundation
import Testing

/// A link that breaks in the middle of a submission: at whatever byte, there is one job afterwards or none, never two and
/// never a half one.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(3)))
struct BrokenSubmissionTests {
    /// Runs once, or this shows.
    private let files = [
        "job.sh": "echo run >>\"$1\"\necho done\n", "data": String(repeating: "0123456789", count: 100),
    ]

    private func withLink(
        _ place: Place, _ body: @Sendable (FaultyLink, Workplace) async throws -> Void
    ) async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster, for: place) { link, profile in
                try await withWorkplace(place, files: files, cluster: cluster) { workplace in
                    var workplace = workplace
                    workplace.profile = profile
                    try await body(link, workplace)
                }
            }
        }
    }

    private func submit(_ workplace: Workplace) async throws -> Finished {
        try await run(workplace.submit("--no-tensorboard", "sh", "job.sh", workplace.signpost("runs")))
    }

    private func runs(_ workplace: Workplace) -> String? {
        FileManager.default.contents(atPath: workplace.signpost("runs")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes that a whole submission takes, up to its answer.
    private func wholeSubmission(_ place: Place) async throws -> (up: Int, down: Int) {
        let sizes = Box()
        try await withLink(place) { link, workplace in
            let launch = workplace.submit("--detach", "--no-tensorboard", "sh", "job.sh", workplace.signpost("runs"))
            _ = try await run(launch).checked("submit --detach")
            await sizes.set(link.carried(.up), link.carried(.down))
            try await workplace.allJobsEnd()
        }
        return await sizes.value
    }

    /// Breaks spread over the way there, from the login to the last byte of the archive.
    @Test(arguments: Place.clusters) func anywhereOnTheWayThere(place: Place) async throws {
        let whole = try await wholeSubmission(place).up
        try await breakEverywhere(place, (1...10).map { (whole * $0 / 10, .up) })
    }

    /// And over the way back, which has the answer at its end.
    @Test(arguments: Place.clusters) func anywhereOnTheWayBack(place: Place) async throws {
        let whole = try await wholeSubmission(place).down
        try await breakEverywhere(place, (1...7).map { (whole * $0 / 8, .down) } + (0..<3).map { (whole - 100 * $0, .down) })
    }

    private func breakEverywhere(_ place: Place, _ breaks: [(byte: Int, direction: FaultyLink.Direction)]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, point) in breaks.enumerated() {
                // A few at a time: each is a login or two.
                if index >= 4 { try await group.next() }
                group.addTask { try await breakOnce(place, at: point.byte, point.direction) }
            }
            try await group.waitForAll()
        }
    }

    private func breakOnce(_ place: Place, at byte: Int, _ direction: FaultyLink.Direction) async throws {
        try await withLink(place) { link, workplace in
            link.cut(after: byte, direction)
            let finished = try await submit(workplace)
            let context = "cut after byte \(byte) \(direction)\n\(finished.errors)"
            if finished.succeeded {
                #expect(finished.output == "done\n", "\(context)")
                #expect(runs(workplace) == "run\n", "\(context)")
                #expect(try workplace.leftovers().filter { !$0.hasPrefix(".") }.count == 1, "\(context)")
            } else {
                // The first login failed: there was nothing to come back to.
                #expect(finished.status == .exited(69), "\(context)")
                #expect(finished.errors.contains("cannot connect"), "\(context)")
                #expect(runs(workplace) == nil, "\(context)")
                #expect(try workplace.leftovers() == [], "\(context)")
                #expect(try workplace.records() == [], "\(context)")
            }
            // A submission that was given up leaves its mark at most, and nothing that was sent.
            for mark in try workplace.leftovers() where mark.hasPrefix(".") {
                let content = try FileManager.default.subpathsOfDirectory(atPath: "\(workplace.runs)/\(mark)").sorted()
                #expect(content == ["job", "job/claim"], "\(context)")
            }
        }
    }

    /// The cluster becomes unreachable for good in the middle: submit keeps trying until it is told to stop.
    @Test(arguments: Place.clusters) func ctrlCWhileTheLinkStaysDown(place: Place) async throws {
        try await withLink(place) { link, workplace in
            let whole = try await wholeSubmission(place).up
            link.cut(after: whole * 3 / 4, .up)
            try await withTerminal(workplace.submit("sh", "job.sh", workplace.signpost("runs"))) { terminal in
                try await eventually("first connection") { link.connections == 1 ? true : nil }
                link.refuse()
                try await terminal.expect("submit: the link is down")
                await terminal.press(.interrupt)
                try await Task.sleep(for: .milliseconds(200))
                await terminal.press(.interrupt)
                #expect(try await terminal.finish(within: .seconds(5)) == .exited(130))
            }
            try await workplace.allJobsEnd()
            try await eventually("empty \(workplace.runs)") { try workplace.leftovers().isEmpty ? true : nil }
            #expect(runs(workplace) == nil)
        }
    }
}

/// A value that a closure leaves behind.
private actor Box {
    private(set) var value = (up: 0, down: 0)
    func set(_ up: Int, _ down: Int) { value = (up, down) }
}
