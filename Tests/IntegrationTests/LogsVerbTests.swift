import Foundation
import Testing

/// `cluster logs`: a job's output, at any time.
@Suite(.timeLimit(.minutes(3))) struct LogsVerbTests {
    /// Prints every byte there is, many times, and a line at the end that has no end.
    private static let script = """
        import os, sys
        os.write(2, b"problem 1\\nproblem 2\\n")
        for number in range(2000):
            sys.stdout.buffer.write(bytes(range(256)) * 2)
        sys.stdout.buffer.write(b"\\nnext to last\\nlast")

        """

    private static let output =
        (0..<2000).flatMap { _ in (0..<512).map { UInt8($0 % 256) } } + Array("\nnext to last\nlast".utf8)

    @Test(arguments: Place.available) func everyByteAfterTheEnd(place: Place) async throws {
        try await withWorkplace(place, files: ["print.py": Self.script]) { workplace in
            let job = try await workplace.leave("python3", "print.py")
            try await workplace.allJobsEnd()
            let finished = try await run(workplace.cluster("logs", job.id))
            #expect(finished.status == .exited(0), "\(finished.errors)")
            #expect(firstDifference(finished.outputBytes, Self.output) == nil)
            #expect(finished.errors == "")
            #expect(try await run(workplace.cluster("logs", "--stderr")).output == "problem 1\nproblem 2\n")
            #expect(try await run(workplace.cluster("logs", "--tail", "2")).output == "next to last\nlast")
            #expect(try await run(workplace.cluster("logs", "--tail", "1", "--stderr")).output == "problem 2\n")
            // One that has ended is not waited for.
            #expect(try await run(workplace.cluster("logs", "-f", "--tail", "1")).output == "last")
            #expect(try await run(workplace.cluster("logs", "--tail", "-1")).status == .exited(64))
        }
    }

    @Test(arguments: Place.available) func whatThereIsOfAJobThatRuns(place: Place) async throws {
        try await withWorkplace(place, files: ["job.sh": PromptTests.job]) { workplace in
            let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
            try await eventually("first output", within: .seconds(30)) {
                let finished = try await run(workplace.cluster("logs", job.id)).checked("cluster logs")
                return finished.output == "first\n" ? true : nil
            }
            try await withTerminal(workplace.cluster("logs", "-f", job.id)) { terminal in
                try await terminal.expect("first\n")
                await terminal.press(.interrupt)
                #expect(try await terminal.finish() == .exited(130))
                #expect(await !terminal.text().contains("Cancel"))
            }
            #expect(try await workplace.jobs() == [job.id])
            try await withChild(workplace.cluster("logs", "-f", "--stderr", "-q")) { child in
                try workplace.raise("go")
                #expect(try await child.finish(within: .seconds(30)) == .exited(0))
                #expect(await child.bytes(.output) == Array("last-error\n".utf8))
                #expect(await child.bytes(.errors) == [])
            }
            #expect(try workplace.record(of: job.id)["phase"] as? String == "ended")
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func followingOverALinkThatBreaks() async throws {
        let script = "n=0; until [ -e \"$1\" ]; do n=$((n + 1)); echo line $n; sleep 0.01; done; echo all $n\n"
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demoCluster, files: ["job.sh": script], cluster: cluster) { workplace in
                    let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"), profile: profile)
                    try await withChild(workplace.cluster("logs", "-f", job.id)) { child in
                        let terminal = Terminal(child)
                        for count in 1...3 {
                            try await terminal.expect("line \(count * 30)\n", on: .output)
                            link.cut()
                            try await terminal.expect("cluster: the link is back\n", on: .errors)
                        }
                        try workplace.raise("go")
                        #expect(try await child.finish(within: .seconds(30)) == .exited(0))
                        let output = await terminal.text(.output)
                        let count = try #require(output.firstMatch(of: #/all (\d+)\n/#).flatMap { Int($0.output.1) })
                        let expected = (1...count).map { "line \($0)\n" }.joined() + "all \(count)\n"
                        #expect(output == expected)
                    }
                }
            }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func theTasksOfAnArray() async throws {
        try await withWorkplace(.demoCluster, files: ["empty": ""]) { workplace in
            let job = try await workplace.leave(
                "--sbatch_json", #"{"--array": "1-3"}"#, "sh", "-c",
                "echo out $SLURM_ARRAY_TASK_ID; echo err >&2; sleep 1")
            let followed = try await run(workplace.cluster("logs", "-f", "\(job.id)_2"))
            #expect(followed.status == .exited(0), "\(followed.errors)")
            #expect(followed.output == "out 2\n")
            // All of them, as they come.
            let all = try await run(workplace.cluster("logs", "-f", job.id))
            #expect(all.status == .exited(0), "\(all.errors)")
            #expect(
                Set(all.output.split(separator: "\n").filter { $0 != "" })
                    == Set(
                        (1...3).flatMap {
                            ["==> task \($0) <==", "out \($0)"].map { Substring($0) }
                        }), "\(all.output)")
            try await workplace.allJobsEnd()
            #expect(
                try await run(workplace.cluster("logs", job.id)).output
                    == "==> task 1 <==\nout 1\n\n==> task 2 <==\nout 2\n\n==> task 3 <==\nout 3\n")
            #expect(try await run(workplace.cluster("logs", "\(job.id)_3", "--stderr")).output == "err\n")
            let attached = try await run(workplace.cluster("attach", "\(job.id)_1"))
            #expect(attached.status == .exited(0), "\(attached.errors)")
            #expect(attached.output == "out 1\n")
        }
    }

    @Test(arguments: Place.availableByEachTransport) func manyJobsAndWhatIsWantedOfThem(place: Place) async throws {
        let script =
            "for n in 1 2 3; do echo $1 $n; done; printf 'end of %s' $1; until [ -e \"$2\" ]; do sleep 0.1; done; echo; echo $1 4\n"
        try await withWorkplace(place, files: ["job.sh": script]) { workplace in
            let a = try await workplace.leave("sh", "job.sh", "a", workplace.signpost("go"))
            let b = try await workplace.leave("sh", "job.sh", "b", workplace.signpost("go"))
            for job in [a, b] { try await workplace.job(job.id, comesTo: "running") }
            let name = URL(filePath: workplace.repository.folder).lastPathComponent
            try await eventually("output of both", within: .seconds(20)) {
                try await run(workplace.cluster("logs", a.id, b.id)).output
                    == """
                    ==> \(a.id) (\(name)) <==
                    a 1
                    a 2
                    a 3
                    end of a
                    ==> \(b.id) (\(name)) <==
                    b 1
                    b 2
                    b 3
                    end of b
                    """ ? true : nil
            }
            let found = try await run(workplace.cluster("logs", "-a", "--grep", "^b [23]|end", "--tail", "2"))
            #expect(
                found.output
                    == "==> \(a.id) (\(name)) <==\nend of a\n==> \(b.id) (\(name)) <==\nb 3\nend of b",
                "\(found.errors)")
            try await withChild(workplace.cluster("logs", "-f", "--grep", "4", a.id, b.id)) { child in
                try await Task.sleep(for: .seconds(2))
                try workplace.raise("go")
                #expect(try await child.finish(within: .seconds(60)) == .exited(0))
                let lines = String(decoding: await child.bytes(.output), as: UTF8.self).split(separator: "\n")
                #expect(lines.filter { !$0.hasPrefix("==>") }.sorted() == ["a 4", "b 4"])
            }
            // Lines have no times; files have.
            #expect(
                try await run(workplace.cluster("logs", "-a", "--since", "1h", "--tail", "1")).output.contains("b 4"))
            let stdout = a.run + "/slurm.out"
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: stdout)
            let recent = try await run(workplace.cluster("logs", a.id, b.id, "--since", "1h", "--tail", "1"))
            #expect(recent.output == "==> \(b.id) (\(name)) <==\nb 4\n", "\(recent.errors)")
            let wrong = try await run(workplace.cluster("logs", "--grep", "("))
            #expect(wrong.status == .exited(64))
            #expect(wrong.errors.contains("is no regular expression"))
        }
    }

    @Test func nobodyReadsItAnyMore() async throws {
        try await withWorkplace(.thisMachine, files: ["empty": ""]) { workplace in
            _ = try await workplace.leave("seq", "1", "1000000")
            try await workplace.allJobsEnd()
            var launch = workplace.cluster("logs")
            launch.arguments = ["-c", "\(launch.program) logs | head -n 3; echo ${PIPESTATUS[0]}"]
            launch.program = "/bin/bash"
            let finished = try await run(launch)
            #expect(finished.output == "1\n2\n3\n0\n")
            #expect(finished.errors == "")
        }
    }
}
