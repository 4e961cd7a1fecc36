import Foundation
import Testing

/// `cluster ssh`: a shell, or a command, in a running job.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(3)))
struct SshVerbTests {
    /// Lends a job that runs until its place is gone, in the folder `sub`, with a variable of its profile's.
    private func withJob(
        _ place: Place, cluster: DemoCluster? = nil, profile: String? = nil, options: [String: String] = [:],
        _ body: @Sendable (Workplace, _ id: String, _ run: String) async throws -> Void
    ) async throws {
        try await withWorkplace(place, files: ["sub/empty": ""], cluster: cluster) { workplace in
            var workplace = workplace
            if let profile { workplace.profile = profile }
            let path = workplace.signpost("ssh.json")
            var values: [String: Any] = [:]
            if let profile = workplace.profile {
                let data = try Data(contentsOf: URL(filePath: profile))
                values = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
            }
            values["environment"] = ["MARK": "it's \\ \"here\""]
            try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: path))
            workplace.profile = path
            let sbatch =
                options.isEmpty
                ? [] : ["--sbatch_json", String(decoding: try JSONEncoder().encode(options), as: UTF8.self)]
            var launch = workplace.submit(["--detach", "--no-tensorboard"] + sbatch + ["sleep", "300"])
            launch.directory += "/sub"
            let job = try #require(try await run(launch).checked("submit").job)
            try await workplace.job(job.id, comesTo: "running")
            try await eventually("the job's script") {
                FileManager.default.fileExists(atPath: job.run + "/job/state") ? true : nil
            }
            try await body(workplace, job.id, job.run)
        }
    }

    // MARK: Commands

    @Test(arguments: Place.availableByEachTransport) func aCommandGetsItsWordsAndBytes(place: Place) async throws {
        try await withJob(place) { workplace, id, folder in
            let words = ["a  b", "$HOME", "it's", "*", "-w", "日本", "", "--json"]
            var launch = workplace.cluster(
                "ssh", id, "sh", "-c", "pwd -P; echo \"$MARK\"; printf '<%s>' \"$@\"; echo bad >&2; exit 7", "sh")
            launch.arguments += words
            let finished = try await run(launch)
            #expect(finished.status == .exited(7), "\(finished.errors)")
            #expect(
                finished.output == "\(folder)/code/sub\nit's \\ \"here\"\n" + words.map { "<\($0)>" }.joined())
            #expect(finished.errors == "bad\n")

            var copy = workplace.cluster("ssh", id, "cat")
            copy.input = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
            let copied = try await run(copy)
            #expect(copied.outputBytes == copy.input)
            #expect(copied.status == .exited(0))
            // Whoever reads no more ends it.
            let head = Launch(
                program: "sh", arguments: ["-c", "\(Programs.cluster) ssh \(id) yes | head -n 2"],
                directory: workplace.repository.folder, environment: workplace.repository.desk.environment)
            #expect(try await run(head).output == "y\ny\n")
            // Nothing of them goes on there.
            let pause = "\(Int.random(in: 100_000...900_000))"
            try await withChild(workplace.cluster("ssh", id, "sleep", pause)) { child in
                try await eventually("the command") { try await processes("sleep \(pause)") == 1 ? true : nil }
                await child.signal(SIGINT)
                #expect(try await child.finish(within: .seconds(10)) == .exited(130))
            }
            try await eventually("its end", within: .seconds(10)) {
                try await processes("sleep \(pause)") == 0 ? true : nil
            }
            try await eventually("an empty folder", within: .seconds(10)) {
                try entries(of: folder + "/job").contains { $0.hasPrefix(".shell") } ? nil : true
            }
        }
    }

    /// How many processes of this machine are this.
    private func processes(_ command: String) async throws -> Int {
        let listing = try await run(
            Launch(program: "ps", arguments: ["-eo", "args="], directory: "/", environment: ["PATH": "/usr/bin:/bin"]))
        return listing.output.split(separator: "\n").count { $0 == command }
    }

    // MARK: Shells

    @Test(arguments: Place.availableByEachTransport) func aShellOnATerminal(place: Place) async throws {
        try await withJob(place) { workplace, id, folder in
            let launch = workplace.cluster("ssh", id, "--no-keep")
            try await withTerminal(launch, size: .init(columns: 101, rows: 33)) { terminal in
                try await terminal.expect(#/[#$] $/#, within: .seconds(60))
                await terminal.type("echo $(stty size) $TERM \"$MARK\"; pwd -P\r")
                try await terminal.expect("33 101 xterm-256color it's \\ \"here\"\n")
                try await terminal.expect("\(folder)/code/sub\n")
                await terminal.child.resize(.init(columns: 77, rows: 22))
                // It hears of it a moment later.
                try await Task.sleep(for: .milliseconds(500))
                await terminal.type("echo =$(stty size)=\r")
                try await terminal.expect("=22 77=")
                // Ctrl-C is the shell's.
                await terminal.type("sleep 100\r")
                try await Task.sleep(for: .milliseconds(300))
                await terminal.press(.interrupt)
                await terminal.type("echo status $?\r")
                try await terminal.expect("status 130\n")
                await terminal.type("exit 5\r")
                #expect(try await terminal.finish(within: .seconds(20)) == .exited(5))
            }
            #expect(try await workplace.jobs() == [id])
        }
    }

    /// Where the shell is kept there is nothing of it left when it has ended.
    private func expectNothingKept(_ run: String) async throws {
        try await eventually("end of what keeps the shell", within: .seconds(10)) {
            let names = try FileManager.default.contentsOfDirectory(atPath: run + "/job")
            return names.contains { $0.hasPrefix(".shell") && !$0.hasSuffix(".status") } ? nil : true
        }
    }

    /// What was written down of the shell that is kept.
    private func kept(_ run: String) throws -> String? {
        let names = try FileManager.default.contentsOfDirectory(atPath: run + "/job")
        let name = names.first { $0.hasPrefix(".shell-") && !$0.hasSuffix(".status") }
        return try name.map { try String(contentsOfFile: "\(run)/job/\($0)", encoding: .utf8) }
    }

    static let tmuxObstacle: String? =
        FileManager.default.isExecutableFile(atPath: "/usr/bin/tmux") ? nil : "tmux is not installed"

    @Test(
        .enabled(if: SshVerbTests.tmuxObstacle == nil, "\(SshVerbTests.tmuxObstacle ?? "")"),
        arguments: Place.clusters)
    func aShellSurvivesABrokenLink(place: Place) async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster, for: place) { link, profile in
                try await withJob(place, cluster: cluster, profile: profile) { workplace, id, folder in
                    try await withTerminal(workplace.cluster("ssh", id)) { terminal in
                        try await terminal.expect("code/sub", within: .seconds(60))
                        await terminal.type("word=kept; echo ${word}1\r")
                        try await terminal.expect("kept1\n")
                        let logins = link.connections
                        link.cut()
                        try await terminal.expect("the link is down")
                        try await terminal.expect("the link is back", within: .seconds(60))
                        #expect(link.connections > logins)
                        try await terminal.expect("code/sub", within: .seconds(60))
                        await terminal.type("echo ${word}2\r")
                        try await terminal.expect("kept2\n")
                        // Leaving it leaves it be.
                        await terminal.type("\r~.")
                        try await terminal.expect("the shell goes on; to come back: cluster ssh \(id)")
                        #expect(try await terminal.finish(within: .seconds(20)) == .exited(0))
                    }
                    let place = try #require(try kept(folder)?.split(separator: " ").last).dropLast()
                    #expect(FileManager.default.fileExists(atPath: String(place)))
                    try await withTerminal(workplace.cluster("ssh", id)) { terminal in
                        try await terminal.expect("kept2", within: .seconds(60))
                        await terminal.type("echo ${word}3; exit 6\r")
                        try await terminal.expect("kept3\n")
                        let status = try await terminal.finish(within: .seconds(20))
                        let text = await terminal.text()
                        #expect(status == .exited(6), "\(text.suffix(500))")
                    }
                    try await expectNothingKept(folder)
                    try await eventually("end of what served the shell", within: .seconds(10)) {
                        FileManager.default.fileExists(atPath: String(place)) ? nil : true
                    }
                    try await eventually("end of the steps", within: .seconds(10)) {
                        let steps = try await cluster.ssh("bash -lc 'squeue -h -s -j \(id) -o %i'").output
                        return steps == "\(id).batch\n" ? true : nil
                    }
                }
            }
        }
    }

    @Test(.enabled(if: SshVerbTests.tmuxObstacle == nil, "\(SshVerbTests.tmuxObstacle ?? "")"))
    func aKeptShellEndsWithItsJob() async throws {
        try await withJob(.demoCluster) { workplace, id, folder in
            try await withTerminal(workplace.cluster("ssh", id)) { terminal in
                try await terminal.expect("code/sub", within: .seconds(60))
                await terminal.type("sleep 543210 &\r")
                try await Task.sleep(for: .milliseconds(500))
                _ = try await run(workplace.cluster("cancel", id)).checked("cancel")
                try await terminal.expect("the shell in job \(id) was ended with it", within: .seconds(30))
                #expect(try await terminal.finish(within: .seconds(20)) == .exited(75))
            }
            try await eventually("end of what ran in it", within: .seconds(10)) {
                try await processes("sleep 543210") == 0 ? true : nil
            }
        }
    }

    /// Lends a plain machine with a job, and all programs of this one but some.
    private func withoutPrograms(
        _ missing: [String], _ body: @Sendable (PlainMachine, (id: String, run: String)) async throws -> Void
    ) async throws {
        try await withDesk { desk in
            let programs = desk.folder + "/programs"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            for name in try entries(of: "/usr/bin") where !missing.contains(name) {
                symlink("/usr/bin/\(name)", "\(programs)/\(name)")
            }
            try await withPlainMachine(environment: ["PATH": programs]) { machine in
                let job = try await machine.workplace.leave("sleep", "300")
                try await machine.workplace.job(job.id, comesTo: "running")
                try await body(machine, job)
            }
        }
    }

    @Test func withoutTmuxTheShellGoesWithTheLink() async throws {
        try await withoutPrograms(["tmux", "screen"]) { machine, job in
            try await withTerminal(machine.workplace.cluster("ssh", job.id)) { terminal in
                try await terminal.expect(
                    "this shell will not survive a broken link: there is no tmux or screen on", within: .seconds(60))
                await terminal.type("echo $((6 * 7))\r")
                try await terminal.expect("42\n")
                try await machine.server.dropConnections()
                try await terminal.expect("broke, and the shell in job \(job.id) with it")
                #expect(try await terminal.finish(within: .seconds(20)) == .exited(75))
            }
        }
    }

    static let screenObstacle: String? =
        FileManager.default.isExecutableFile(atPath: "/usr/bin/screen") ? nil : "screen is not installed"

    @Test(.enabled(if: SshVerbTests.screenObstacle == nil, "\(SshVerbTests.screenObstacle ?? "")"))
    func screenWillDoInPlaceOfTmux() async throws {
        try await withoutPrograms(["tmux"]) { machine, job in
            try await withTerminal(machine.workplace.cluster("ssh", job.id)) { terminal in
                try await terminal.expect("/code", within: .seconds(60))
                await terminal.type("word=kept; echo ${word}1\r")
                try await terminal.expect("kept1\n")
                try await machine.server.dropConnections()
                try await terminal.expect("the link is back", within: .seconds(60))
                await terminal.type("echo ${word}2; exit 6\r")
                try await terminal.expect("kept2\n")
                #expect(try await terminal.finish(within: .seconds(20)) == .exited(6))
            }
            try await expectNothingKept(job.run)
        }
    }

    // MARK: The user's own terminal

    /// Runs the verb below a shell, which then tells the terminal's modes.
    private func below(_ workplace: Workplace, _ words: String) -> Launch {
        Launch(
            program: "sh",
            arguments: [
                "-c",
                "\(Programs.cluster) \(words); status=$?; echo; stty -a | grep -c -w -e icanon -e '-echo '; echo status=$status",
            ],
            directory: workplace.repository.folder, environment: workplace.repository.desk.environment)
    }

    @Test(arguments: [SIGTERM, SIGSEGV, SIGABRT]) func theTerminalIsAsBefore(signal: Int32) async throws {
        try await withJob(.thisMachine) { workplace, id, _ in
            var launch = below(workplace, "ssh \(id) --no-keep")
            launch.environment["SWIFT_BACKTRACE"] = "enable=no"
            try await withTerminal(launch) { terminal in
                await terminal.type("")
                try await terminal.expect(#/[#$] $/#, within: .seconds(30))
                await terminal.type("echo $((6 * 7))\r")
                try await terminal.expect("42\n")
                let children = try await run(
                    Launch(
                        program: "pgrep", arguments: ["-P", "\(terminal.child.process)", "cluster"], directory: "/",
                        environment: ["PATH": "/usr/bin:/bin"]))
                kill(try #require(Int32(children.output.dropLast())), signal)
                try await terminal.expect("1\nstatus=\(128 + signal)\n", within: .seconds(20))
            }
        }
    }

    @Test func aStopFromOutsideAndBack() async throws {
        try await withJob(.thisMachine) { workplace, id, _ in
            try await withTerminal(workplace.cluster("ssh", id, "--no-keep")) { terminal in
                try await terminal.expect(#/[#$] $/#, within: .seconds(30))
                let path = "/proc/\(terminal.child.process)"
                func state() throws -> String {
                    let stat = try String(contentsOfFile: path + "/stat", encoding: .utf8)
                    return String(stat.split(separator: ")").last?.dropFirst().prefix(1) ?? "")
                }
                func modes() async throws -> String {
                    let name = try FileManager.default.destinationOfSymbolicLink(atPath: path + "/fd/0")
                    return try await run(
                        Launch(
                            program: "stty", arguments: ["-F", name, "-a"], directory: "/",
                            environment: ["PATH": "/usr/bin:/bin"])
                    ).checked("stty").output
                }
                #expect(try await modes().contains(" -icanon"))
                await terminal.child.signal(SIGTSTP)
                try await eventually("stop") { try state() == "T" ? true : nil }
                #expect(try await modes().contains(" icanon"))
                await terminal.child.resize(.init(columns: 66, rows: 20))
                await terminal.child.signal(SIGCONT)
                try await eventually("raw modes") { try await modes().contains(" -icanon") ? true : nil }
                await terminal.type("echo =$(stty size)=\r")
                try await terminal.expect("=20 66=")
                await terminal.type("exit\r")
                #expect(try await terminal.finish(within: .seconds(20)) == .exited(0))
            }
        }
    }

    // MARK: Which job, and where

    @Test func aJobThatDoesNotRun() async throws {
        try await withWorkplace(.demoCluster, files: ["sub/empty": ""]) { workplace in
            let waiting = try await run(
                workplace.submit(
                    "--detach", "--no-tensorboard", "--sbatch_json", #"{"--begin": "now+1hour"}"#, "true")
            ).checked("submit")
            let first = try #require(waiting.job)
            let refused = try await run(workplace.cluster("ssh", first.id, "true"))
            #expect(refused.status == .exited(75))
            #expect(refused.errors.contains("job \(first.id) does not run yet\n  queued: "), "\(refused.errors)")

            let job = try await workplace.leave("sh", "-c", "echo result >found; exit 3")
            try await workplace.job(job.id, comesTo: "ended")
            let late = try await run(workplace.cluster("ssh", job.id, "true"))
            #expect(late.status == .exited(69))
            #expect(late.errors.contains("job \(job.id) does not run any more\n  it ended with exit status 3"))
            #expect(late.errors.contains("cluster ssh --access \(job.id)"))
            let there = try await run(workplace.cluster("ssh", "--access", job.id, "cat", "found"))
            #expect(there.output == "result\n", "\(there.errors)")
        }
    }

    @Test func nodesAndTasks() async throws {
        try await withJob(.demoCluster, options: ["--nodes": "2"]) { workplace, id, _ in
            let name = ["sh", "-c", "echo $SLURMD_NODENAME"]
            @Sendable func ask(_ words: [String]) async throws -> Finished {
                var launch = workplace.cluster("ssh")
                launch.arguments += words + name
                return try await run(launch)
            }
            #expect(try await ask([id]).output == "n1\n")
            #expect(try await ask(["-w", "n2", id]).output == "n2\n")
            let wrong = try await ask(["--node=n3", id])
            #expect(wrong.status == .exited(64))
            #expect(wrong.errors.contains("has no node n3\n  hint: it has n1, n2"), "\(wrong.errors)")
        }
        try await withWorkplace(.demoCluster, files: ["empty": ""]) { workplace in
            let array = try await run(
                workplace.submit(
                    "--detach", "--no-tensorboard", "--sbatch_json", #"{"--array": "3-4"}"#, "sh", "-c",
                    "echo $SLURM_ARRAY_TASK_ID >mark; sleep 300")
            ).checked("submit")
            let id = try #require(array.job).id
            try await eventually("both tasks", within: .seconds(30)) {
                let tasks = try entries(of: try #require(array.job).run + "/job").filter { Int($0) != nil }
                return tasks.count == 2 ? true : nil
            }
            for (words, task) in [([id], 3), (["\(id)_4"], 4)] {
                var launch = workplace.cluster("ssh")
                launch.arguments += words + ["sh", "-c", "echo $SLURM_ARRAY_TASK_ID"]
                let found = try await eventually("the task", within: .seconds(30)) {
                    let finished = try await run(launch)
                    return finished.status == .exited(75) ? nil : finished
                }
                #expect(found.status == .exited(0), "\(found.errors)")
                #expect(words == [id] ? found.errors.contains("in task \(id)_\(task), on n") : found.errors == "")
            }
        }
    }
}
