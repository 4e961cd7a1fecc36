import Foundation
import IO

extension Benchmark {
    static let tensorBoard: Benchmark = .init(name: "tensorboard", summary: "Enter to a TensorBoard page that answers")
    {
        laboratory in
        let cluster = try await laboratory.cluster()
        var parts = (slurm: Series(), board: Series())
        // Slurm looks once a second at what was submitted. All parts of its second are met, by both sides the same ones.
        let rounds = laboratory.repetitions
        var round = 0
        func part() -> Double { (Double(round % rounds) + 0.5) / Double(rounds) }
        let result = try await interleaved(rounds) {
            try await laboratory.withRunningJob(
                on: cluster, over: cluster.access, within: .seconds(60), atPartOfSecond: part()
            ) { job in
                try await laboratory.awaitPage(job.address)
                return (ContinuousClock.now - job.entered) / .seconds(1)
            }
        } theirs: {
            defer { round += 1 }
            try await laboratory.awaitPartOfSecond(part())
            let slurm = try await laboratory.startOfEmptyJob(on: cluster)
            let board = try await laboratory.startOfTensorBoard(of: cluster)
            parts.slurm.values.append(slurm)
            parts.board.values.append(board)
            return slurm + board
        }
        return [
            Row(
                what: "Enter to a TensorBoard page that answers",
                against: "start of TensorBoard + start of an empty job", goal: .ratioAtMost(1.3), unit: .seconds,
                ours: result.ours, theirs: result.theirs,
                details: [("start of an empty job", parts.slurm), ("start of TensorBoard", parts.board)].compactMap {
                    name, series in series.median.map { Detail(name: name, value: $0, unit: .seconds) }
                })
        ]
    }
}

extension Laboratory {
    /// Waits until the page at an address on this machine answers.
    fileprivate func awaitPage(_ address: RunningJob.Address) async throws {
        let late = BenchmarkError("no page at port \(address.port) within 30 s")
        try await withTimeout(.seconds(30), or: late) { [loop] in
            while true {
                do {
                    let answer = try await withConnection(
                        toHost: "127.0.0.1", port: address.port, timeout: .seconds(1), loop: loop
                    ) { stream in
                        try await stream.write(Array("GET \(address.path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                        return String(decoding: try await stream.read(upTo: 1 << 12), as: UTF8.self)
                    }
                    if answer.hasPrefix("HTTP/1.1 200 ") { return }
                } catch is IOError {
                    // Nobody listens yet.
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    /// From sbatch to the first command of a job that does nothing else, without any login, in seconds.
    fileprivate func startOfEmptyJob(on cluster: DemoCluster) async throws -> Double {
        // The job says when it starts. What is needed to know that is none of its start.
        let file = try makeFolder("empty") + "/started"
        let script = """
            begin=$(date +%s.%N)
            sbatch --quiet --output=/dev/null --wrap 'date +%s.%N >\(file).new && mv \(file).new \(file)' >&2
            until [ -e \(file) ]; do sleep 0.05; done
            echo "$begin $(cat \(file))"
            """
        let words = try await cluster.ssh("bash -lc '\(script.replacing("'", with: "'\\''"))'", in: self)
            .run(within: .seconds(60)).output.split { $0.isWhitespace }
        guard words.count == 2, let begin = Double(words[0]), let end = Double(words[1]) else {
            throw BenchmarkError("the start of an empty job could not be measured: \(words)")
        }
        return end - begin
    }

    /// From the command `tensorboard` to a page that answers, in seconds.
    fileprivate func startOfTensorBoard(of cluster: DemoCluster) async throws -> Double {
        let port = try await withListener(preferredPort: nil, loop: loop) { $0.port }
        let folder = try makeFolder("logs")
        let activation = cluster.access.activation ?? ":"
        let command = Command(
            laboratory: self, program: "bash",
            arguments: ["-c", "\(activation); exec tensorboard --logdir=\(folder) --host=127.0.0.1 --port=\(port)"],
            directory: folder)
        let start = ContinuousClock.now
        return try await command.watch(within: .seconds(60)) { lines in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { while try await lines.next() != nil {} }
                defer { group.cancelAll() }
                try await self.awaitPage(RunningJob.Address(port: port, path: "/"))
                return (ContinuousClock.now - start) / .seconds(1)
            }
        }
    }
}
