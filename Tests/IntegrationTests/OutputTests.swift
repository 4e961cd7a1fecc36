import Foundation
import Testing

/// The job's output, as whoever started submit gets it: every byte, in order, each stream where it belongs, and in time.
@Suite(.timeLimit(.minutes(2))) struct OutputTests {
    /// Deterministic bytes of every value, with no line end at their end.
    private static let noise = """
        import hashlib, sys
        for stream, seed in (sys.stdout.buffer, b"out"), (sys.stderr.buffer, b"err"):
            block = b"".join(hashlib.sha256(seed + b"%d" % n).digest() for n in range(1024))
            for n in range(128):
                stream.write(block[:-7] + b"%d\\0" % n)
            stream.write(b"no line end")
            stream.flush()
        """

    /// What `seq 1 LAST` prints.
    private func numbers(to last: Int) -> [UInt8] { (1...last).flatMap { Array("\($0)\n".utf8) } }

    @Test(arguments: Place.availableByEachTransport)
    func streamsAreExactAndApart(place: Place) async throws {
        try await withRepository(files: ["noise.py": Self.noise]) { repository in
            let launch = Launch(
                program: "python3", arguments: ["noise.py"], directory: repository.folder,
                environment: repository.desk.environment)
            let local = try await run(launch)
            let finished = try await repository.job("python3", "noise.py", on: place, options: ["-q"])
            #expect(finished.status == .exited(0))
            #expect(local.outputBytes.count > 4_000_000)
            #expect(firstDifference(finished.outputBytes, local.outputBytes) == nil)
            #expect(firstDifference(finished.errorBytes, local.errorBytes) == nil)
        }
    }

    @Test(arguments: Place.available)
    func manyLinesOnBothStreamsStayInOrder(place: Place) async throws {
        try await withRepository { repository in
            let script = "seq 1 500000 & seq 1 300000 >&2; wait; exit 9"
            let finished = try await repository.job(script: script, on: place, options: ["-q"])
            #expect(finished.status == .exited(9))
            #expect(firstDifference(finished.outputBytes, numbers(to: 500_000)) == nil)
            #expect(firstDifference(finished.errorBytes, numbers(to: 300_000)) == nil)
        }
    }

    /// The job waits for files that this test makes when it has seen the output before them.
    @Test(arguments: Place.availableByEachTransport)
    func outputArrivesAsItIsWritten(place: Place) async throws {
        let script = """
            import os, sys, time
            for n, (text, stream) in enumerate([("one\\n", sys.stdout), ("50%\\r", sys.stdout), ("three", sys.stderr)]):
                stream.write(text)
                while not os.path.exists(f"{sys.argv[1]}/go{n}"): time.sleep(0.02)
            """
        try await withRepository(files: ["steps.py": script]) { repository in
            let gates = repository.desk.folder
            let launch = try await repository.submission(
                of: ["python3", "-u", "steps.py", gates], on: place, options: ["-q"])
            try await withChild(launch) { child in
                let steps: [(Launch.Stream, String)] = [
                    (.output, "one\n"), (.output, "one\n50%\r"), (.errors, "three"),
                ]
                for (number, (stream, text)) in steps.enumerated() {
                    try await eventually("'\(text)'", within: .seconds(20)) {
                        await child.summary
                    } check: {
                        await child.bytes(stream) == Array(text.utf8) ? true : nil
                    }
                    #expect(await child.outcome == nil)
                    #expect(FileManager.default.createFile(atPath: "\(gates)/go\(number)", contents: nil))
                }
                #expect(try await child.finish(within: .seconds(20)) == .exited(0))
            }
        }
    }

    @Test(arguments: Place.available)
    func theCommandRunsWhereTheUserStandsAndReadsNothing(place: Place) async throws {
        try await withRepository(files: ["deep/er folder/x": "", "main.py": ""]) { repository in
            var launch = try await repository.submission(
                of: ["sh", "-c", "pwd; ls; cat; tail -n +1 /dev/stdin"], on: place, in: "deep/er folder")
            launch.input = Array("this is for submit, not for the job\n".utf8)
            let finished = try await run(launch)
            #expect(finished.status == .exited(0))
            let folder = try #require(finished.job).run
            #expect(finished.output == "\(folder)/code/deep/er folder\nx\n")
        }
    }

    @Test(arguments: Place.availableByEachTransport, [0, 1, 255])
    func theExitStatusIsTheCommands(place: Place, status: Int32) async throws {
        try await withRepository { repository in
            let finished = try await repository.job(script: "exit \(status)", on: place)
            #expect(finished.status == .exited(status))
            #expect(finished.statusLines.last?.contains("ended with exit status \(status)") == true)
            #expect(finished.output == "")
        }
    }

    /// A shell's pipeline as a person types it; `PIPESTATUS` tells how submit ended.
    private func pipeline(_ script: String, on place: Place) async throws -> Finished {
        try await withRepository { repository in
            let launch = try await repository.submission(of: [], on: place, options: ["-q"])
            let quoted = launch.arguments.map { "'\($0)'" }.joined(separator: " ")
            let shell = Launch(
                program: "bash", arguments: ["-c", "job() { submit \(quoted) \"$@\"; }\n" + script],
                directory: repository.folder, environment: launch.environment)
            return try await run(shell)
        }
    }

    @Test(arguments: Place.available)
    func outputCanBePiped(place: Place) async throws {
        let finished = try await pipeline(
            #"job sh -c 'echo "{\"loss\": 0.5}"; echo chatter >&2' 2>/dev/null | python3 -m json.tool --compact"#,
            on: place)
        #expect(finished.output == "{\"loss\":0.5}\n")
        #expect(finished.status == .exited(0))
    }

    /// `| head -1` closes the pipe; the job goes on to its own end, and submit tells it.
    @Test(arguments: Place.available)
    func aReaderThatLeavesDoesNotEndTheJob(place: Place) async throws {
        let finished = try await pipeline(
            #"job sh -c 'seq 1 2000000; echo last words >&2; exit 7' | head -1; echo "${PIPESTATUS[0]}""#, on: place)
        #expect(finished.output == "1\n7\n")
        #expect(finished.errors == "last words\n")
    }

    @Test(arguments: Place.availableByEachTransport)
    func aSlowReaderGetsEverything(place: Place) async throws {
        let finished = try await pipeline("job seq 1 400000 | (sleep 2; cksum)", on: place)
        let expected = try await run(
            Launch(
                program: "sh", arguments: ["-c", "seq 1 400000 | cksum"], directory: "/",
                environment: ["PATH": "/usr/bin:/bin"]))
        #expect(finished.output == expected.output)
        #expect(finished.errors == "")
    }

    @Test func outputCanBeAppendedToAFile() async throws {
        try await withRepository { repository in
            let launch = try await repository.submission(of: ["seq", "1", "200000"], on: .thisMachine)
            let file = repository.desk.folder + "/log"
            let shell = Launch(
                program: "sh",
                arguments: ["-c", "echo before >\"$0\"; submit \"$@\" >>\"$0\"", file] + launch.arguments,
                directory: repository.folder, environment: launch.environment)
            _ = try await run(shell).checked("submit")
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
            #expect(firstDifference(bytes, Array("before\n".utf8) + numbers(to: 200_000)) == nil)
        }
    }
}
