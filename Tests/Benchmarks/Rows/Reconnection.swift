import Foundation
import IO
import Synchronization

extension Benchmark {
    static let reconnection = Benchmark(name: "cut", summary: "a cut link: from its return to output that flows") {
        laboratory in
        let cluster = try await laboratory.cluster()
        var rows: [Row] = []
        // The pauses between attempts are the question: short cuts and longer ones.
        for (roundTrip, outage) in [(20, Duration.milliseconds(100)), (20, .seconds(4)), (100, .seconds(4))] {
            rows.append(
                try await laboratory.withLink(to: cluster, roundTrip: .milliseconds(roundTrip), isCounted: true) {
                    try await laboratory.cutRow($0, $1, cluster, roundTrip: roundTrip, outage: outage)
                })
        }
        return rows
    }
}

extension Laboratory {
    /// Cuts the link under a job that prints all the time, lets it come back, and waits for new output.
    fileprivate func cutRow(
        _ link: Link, _ access: DemoCluster.Access, _ cluster: DemoCluster, roundTrip: Int, outage: Duration
    ) async throws -> Row {
        let repository = try await makeRepository("cut")
        try await repository.fill(files: 1, ofSize: 100)
        let profile = try cluster.writeProfile(access, in: repository.folder)
        let submit = Command(
            laboratory: self, program: Programs.submit,
            arguments: [
                "-q", "--no-tensorboard", "-c", profile, "sh", "-c",
                "i=0; while [ $i -lt 6000 ]; do echo $i; i=$((i+1)); sleep 0.05; done",
            ],
            directory: repository.folder)
        let result = try await submit.with(.seconds(200)) { [self] process in
            try await withErrorTail(of: process) { _ in
                let output = LineReader(name: "submit") { try await process.read(upTo: 1 << 16) }
                let seen = Moments()
                return try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { while try await output.next() != nil { seen.add() } }
                    defer { group.cancelAll() }
                    try await seen.next(after: .now)
                    return try await interleaved(fewRepetitions) {
                        link.cut()
                        try await Task.sleep(for: outage)
                        link.mend()
                        let back = ContinuousClock.now
                        let seconds = (try await seen.next(after: back) - back) / .seconds(1)
                        // Of use for a while: a link that breaks all the time is tried less often.
                        try await Task.sleep(for: .seconds(2))
                        return seconds
                    } theirs: {
                        try await cluster.ssh("true", in: self, over: access).run(within: .seconds(30)).seconds
                    }
                }
            }
        }
        try await cluster.ssh("scancel --user=\(access.user)", in: self).run(within: .seconds(30))
        return Row(
            what: "output flows after a cut of \(outage / .seconds(1)) s, round trip \(roundTrip) ms",
            against: "ssh true", goal: .ratioAtMost(1.3), unit: .seconds, ours: result.ours, theirs: result.theirs)
    }
}

/// When something happened last.
private final class Moments: Sendable {
    private let last = Mutex(ContinuousClock.now - .seconds(3600))
    private let happened = Condition()

    func add() {
        last.withLock { $0 = .now }
        happened.signal()
    }

    /// The first moment after this one.
    @discardableResult
    func next(after moment: ContinuousClock.Instant) async throws -> ContinuousClock.Instant {
        let late = BenchmarkError("no output within 60 s")
        return try await withTimeout(.seconds(60), or: late) {
            while true {
                let generation = self.happened.generation
                let last = self.last.withLock { $0 }
                if last > moment { return last }
                try await self.happened.wait(after: generation)
            }
        }
    }
}
