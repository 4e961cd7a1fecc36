import Foundation
import Testing

/// The command itself: what it prints where, and what its own options do.
@Suite(.timeLimit(.minutes(2))) struct CommandLineTests {
    // MARK: --dry-run

    /// A profile whose host would take the connection and say nothing: whoever connects is noticed.
    @Test func aDryRunTouchesAndConnectsToNothing() async throws {
        try await withRepository(files: ["src/main.py": "print('x')\n"]) { repository in
            let profile = try writeProfile(
                [
                    "hostname": "nowhere.invalid", "untar_path": "$SCRATCH/my runs",
                    "activate_python": "source ~/env/bin/activate",
                    "sbatch_options": ["--time": "1:00"],
                ], on: repository.desk)
            try repository.write("src/new file", "1234567")
            let watched = repository.desk.folder + "/watched"
            let launch = Launch(
                program: "sh",
                arguments: ["-c", "find . ../home -printf '%p %m %s %T@ %C@\\n' | sort >\"$0\"", watched],
                directory: repository.folder, environment: repository.desk.environment)
            _ = try await run(launch).checked("find")
            let before = try String(contentsOfFile: watched, encoding: .utf8)

            let finished = try await run(
                repository.submit("-c", profile, "--dry-run", "python", "main.py", "a b", in: "src"))
            #expect(finished.status == .exited(0))
            _ = try await run(launch).checked("find")
            #expect(try String(contentsOfFile: watched, encoding: .utf8) == before)

            for line in [
                "run on       nowhere.invalid, with Slurm", "command      python main.py 'a b'",
                "in           code/src",
                "sbatch       '--time=1:00' '--job-name=example'", "#SBATCH --time=1:00",
                "set -- python main.py 'a b'",
                "source ~/env/bin/activate", "# 2 files, 18 B", "          11  src/main.py",
                "           7  src/new file",
            ] {
                #expect(
                    finished.output.split(separator: "\n").contains(Substring(line)), "\(line) in \(finished.output)")
            }
            #expect(finished.output.contains("run folder   $SCRATCH/my runs/example/"))
        }
    }

    /// The system's own account: no socket, no new process, no file that is written.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), "needs strace"))
    func aDryRunAsksTheSystemForNothing() async throws {
        try await withRepository { repository in
            let profile = try writeProfile(["hostname": "localhost"], on: repository.desk)
            let trace = repository.desk.folder + "/trace"
            try repository.write("untracked", "x")
            let launch = Launch(
                program: "strace",
                arguments: [
                    "-f", "-qq", "-e", "trace=%network,execve,unlink,rename,mkdir,openat", "-o", trace, Programs.submit,
                    "-c",
                    profile, "--dry-run", "true",
                ],
                directory: repository.folder, environment: repository.desk.environment)
            _ = try await run(launch).checked("submit --dry-run")
            let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            #expect(calls.filter { $0.contains("execve(") }.count == 1)
            for call in calls {
                let opensToWrite = call.contains("openat(") && (call.contains("O_WRONLY") || call.contains("O_RDWR"))
                #expect(!opensToWrite || call.contains("\"/dev/"), "\(call)")
                // The C library asks a local name service for the user's name.
                #expect(!call.contains(#/(socket|connect)\(.*AF_INET/#), "\(call)")
                #expect(!call.contains(#/ (unlink|rename|mkdir)\(/#), "\(call)")
            }
        }
    }

    // MARK: What is printed

    /// The status lines as objects, by their `event`.
    private func events(_ finished: Finished) throws -> [[String: Any]] {
        try finished.errors.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line) is no object")
        }
    }

    @Test(arguments: Place.available)
    func jsonIsOneObjectALine(place: Place) async throws {
        try await withRepository { repository in
            try repository.write("new", "")
            let finished = try await repository.job(script: "echo data; exit 3", on: place, options: ["--json"])
            #expect(finished.status == .exited(3))
            #expect(finished.output == "data\n")
            let events = try events(finished)
            let names = events.compactMap { $0["event"] as? String }
            #expect(names.count == events.count)
            #expect(names.first == "snapshot")
            #expect(names.last == "ended")
            let submitted = try #require(events.first { $0["event"] as? String == "submitted" })
            let ended = try #require(events.last)
            #expect(ended["job"] as? String == submitted["job"] as? String)
            #expect(ended["cause"] as? String == "finished")
            #expect(ended["exit_status"] as? Int == 3)
            #expect(ended["status"] as? Int == 3)
            #expect((submitted["run"] as? String)?.hasPrefix("/") == true)
        }
    }

    @Test func jsonTellsFailuresToo() async throws {
        try await withRepository { repository in
            let finished = try await run(repository.submit("--json", "-c", "nosuch.json", "true"))
            let failure = try #require(try events(finished).first)
            #expect(failure["event"] as? String == "failure")
            #expect(failure["status"] as? Int == 66)
            #expect(finished.status == .exited(66))
            #expect((failure["what"] as? String)?.contains("nosuch.json") == true)
        }
    }

    @Test(arguments: Place.available)
    func quietIsQuiet(place: Place) async throws {
        try await withRepository { repository in
            let finished = try await repository.job(script: "echo out; echo err >&2", on: place, options: ["-q"])
            #expect(finished.output == "out\n")
            #expect(finished.errors == "err\n")
            let failure = try await run(repository.submit("-q", "-c", "nosuch.json", "true"))
            #expect(failure.errors.hasPrefix("submit: error: "))
        }
    }

    @Test func helpAndVersionNeedNothing() async throws {
        try await withDesk { desk in
            for (words, start) in [
                (["--help"], "Usage: submit [options] [--] COMMAND [ARG...]\n"), (["--version"], "submit 0."),
                (["-c", "nosuch", "-h", "x"], "Usage: "),
            ] {
                let finished = try await run(desk.submit(words, in: "/"))
                #expect(finished.status == .exited(0))
                #expect(finished.output.hasPrefix(start), "\(finished.output)")
                #expect(finished.errors == "")
            }
            let mistyped = try await run(desk.submit(["--detatch", "true"], in: "/"))
            #expect(mistyped.status == .exited(64))
            #expect(mistyped.errors == "submit: error: unknown option --detatch\n  hint: did you mean --detach?\n")
            let nothing = try await run(desk.submit([], in: "/"))
            #expect(nothing.status == .exited(64))
            #expect(nothing.errors.contains("there is no command to run"))
        }
    }

    // MARK: --detach, and more than one

    @Test(arguments: Place.available)
    func detachLeavesTheJobRunning(place: Place) async throws {
        try await withRepository { repository in
            let gate = repository.desk.folder + "/go"
            let script = "while [ ! -e \(gate) ]; do sleep 0.05; done; echo done; exit 4"
            let finished = try await repository.job(script: script, on: place, options: ["--detach"])
            let job = try #require(finished.job)
            #expect(finished.status == .exited(0))
            // For `job=$(submit --detach …)`.
            #expect(finished.output == "\(job.id)\n")
            #expect(
                finished.statusLines.last
                    == "job \(job.id) goes on without this terminal; to come back: cluster attach \(job.id)")
            #expect(!FileManager.default.fileExists(atPath: job.run + "/job/exit"))
            #expect(FileManager.default.createFile(atPath: gate, contents: nil))
            try await eventually("end of the job") {
                FileManager.default.fileExists(atPath: job.run + "/job/end") ? true : nil
            }
            #expect(try String(contentsOfFile: job.run + "/job/exit", encoding: .utf8) == "4\n")
            #expect(try String(contentsOfFile: job.run + "/slurm.out", encoding: .utf8) == "done\n")
        }
    }

    @Test(arguments: Place.available)
    func manyAtOnce(place: Place) async throws {
        try await withRepository { repository in
            try repository.write("new", "dirty")
            let finished = try await withThrowingTaskGroup(of: (Int32, Finished).self) { group in
                for number in Int32(1)...4 {
                    group.addTask {
                        (number, try await repository.job(script: "echo \(number); exit \(number)", on: place))
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for number in Int32(1)...4 {
                #expect(finished[number]?.status == .exited(number), "\(finished[number]?.errors ?? "")")
                #expect(finished[number]?.output == "\(number)\n")
            }
            #expect(Set(finished.values.compactMap { $0.job?.run }).count == 4)
        }
    }
}
