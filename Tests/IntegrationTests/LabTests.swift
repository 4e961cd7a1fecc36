import Foundation
import Testing

/// The laboratory itself: if it cannot fail, nothing that uses it can.
@Suite(.timeLimit(.minutes(3))) struct LabTests {
    private func shell(_ script: String) -> Launch {
        Launch(
            program: "/bin/sh", arguments: ["-c", script], directory: "/tmp",
            environment: ["PATH": "/usr/bin:/bin", "TERM": "xterm"])
    }

    @Test func runKeepsTheStreamsApart() async throws {
        var launch = shell("cat; echo bad >&2; exit 3")
        launch.input = Array("in".utf8)
        let finished = try await run(launch)
        #expect(finished.status == .exited(3))
        #expect(finished.output == "in")
        #expect(finished.errors == "bad\n")
    }

    @Test func runReadsMoreThanAPipeHolds() async throws {
        let finished = try await run(shell("head -c 5000000 /dev/zero"))
        #expect(finished.outputBytes.count == 5_000_000)
    }

    @Test func aDeadlineEndsTheProgramAndItsChildren() async throws {
        let marker = "98\(UInt32.random(in: 1000...999_999))"
        await #expect(throws: LabError.self) {
            try await run(shell("trap '' TERM HUP; sleep \(marker); echo never"), within: .milliseconds(300))
        }
        let left = try await run(shell("ps -e -o stat= -o args= | grep '[s]leep \(marker)' | grep -v '^Z'"))
        #expect(left.output == "")
    }

    @Test func aProgramHasDefaultSignals() async throws {
        let finished = try await run(shell("kill -INT $$; echo survived"))
        #expect(finished.status == .signaled(SIGINT))
        #expect(finished.output == "")
    }

    @Test func terminalExpectsAndTypes() async throws {
        try await withTerminal(shell("test -t 0 && test -t 1 && printf 'Name? '; read name; echo \"Hello, $name.\"")) {
            try await $0.expect("Name? ")
            await $0.type("Ada\n")
            try await $0.expect("Hello, Ada.")
            #expect(try await $0.finish() == .exited(0))
        }
    }

    @Test func controlCReachesTheForegroundProgram() async throws {
        try await withTerminal(shell("trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.05; done")) {
            try await $0.expect("ready")
            await $0.press(.interrupt)
            try await $0.expect("caught")
            #expect(try await $0.finish() == .exited(7))
        }
    }

    @Test func pipedStreamsAreKeptFromTheTerminal() async throws {
        try await withTerminal(shell("echo data; echo status >&2; test -t 0 && echo tty >/dev/tty"), pipes: [.output]) {
            let status = try await $0.finish()
            #expect(status == .exited(0))
            #expect(await $0.text(.output) == "data\n")
            #expect(await $0.text() == "status\ntty\n")
        }
    }

    @Test func aMissingTextIsATimeoutThatShowsWhatCame() async throws {
        try await withTerminal(shell("echo something else; sleep 60")) { terminal in
            let error = try await #require(throws: LabError.self) {
                try await terminal.expect("awaited", within: .milliseconds(500))
            }
            #expect(error.code == .timeout)
            #expect(error.message.contains("something else"))
        }
    }

    @Test func theScreenShowsWhatAPersonSees() {
        #expect(Screen(Array("queued 1 s\rqueued 2 s\u{1b}[K\r\ndone\r\n".utf8)).text == "queued 2 s\ndone")
        #expect(Screen(Array("\u{1b}[1;31merror\u{1b}[0m: no\r\n\u{1b}[1A\u{1b}[2Kgone".utf8)).text == "gone")
        #expect(Screen(Array("long line\rshort\u{1b}[K".utf8)).text == "short")
        #expect(Screen(Array("\u{1b}]0;title\u{7}a\u{8}b\tc".utf8)).text == "b       c")
        #expect(Screen(Array("one\r\ntwo\r\n\u{1b}[2A\u{1b}[Jnew".utf8)).text == "new")
    }

    @Test func repositoriesAreSeparateAndClean() async throws {
        try await withRepository(files: ["a b.txt": "x"]) { repository in
            let changes = try await repository.git("status", "--porcelain")
            let files = try await repository.git("ls-files")
            let name = try await repository.git("config", "--get", "user.name")
            #expect([changes, files, name] == ["", "a b.txt", "Ada Example"])
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func theSharedClusterRunsJobs() async throws {
        try await withDemoCluster { cluster in
            let started = ContinuousClock.now
            let finished = try await cluster.ssh("srun --quiet hostname").checked("srun")
            #expect(finished.output != "")
            #expect(ContinuousClock.now - started < .seconds(10))
            try await withDemoCluster { again in #expect(again.state == cluster.state) }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func anOwnClusterCanBeBrokenAndIsTakenDown() async throws {
        let state = try await withOwnDemoCluster(.init(tensorboard: false, slurm: ["MinJobAge=5"])) { cluster in
            try await cluster.fault("ssh", "stop")
            #expect(try await cluster.ssh("true").succeeded == false)
            try await cluster.fault("ssh", "start")
            #expect(try await cluster.ssh("true").succeeded)
            #expect(try await cluster.ssh("grep MinJobAge \"$SLURM_CONF\"").output == "MinJobAge=5\n")
            let job = try await cluster.ssh("cd /; sbatch --parsable --no-requeue -o /dev/null --wrap 'sleep 600'")
                .checked("sbatch").output.split(separator: "\n").joined()
            try await eventually("running job") {
                try await cluster.ssh("squeue -h -o %T").output == "RUNNING\n" ? true : nil
            }
            let node = try await cluster.ssh("squeue -h -o %N").output.split(separator: "\n").joined()
            try await cluster.fault(node, "fail")
            try await eventually("failed node's job") {
                try await cluster.ssh("squeue -h -t all -j \(job) -o %T").output == "NODE_FAIL\n" ? true : nil
            }
            return cluster.state
        }
        #expect(!FileManager.default.fileExists(atPath: state))
    }

    @Test(
        .enabled(if: DemoCluster.rootObstacle == nil, "\(DemoCluster.rootObstacle ?? "")"),
        arguments: ["tcsh", "fish", "zsh"])
    func otherLoginShellsAreNoisyAndKnowSlurmOnlyAtLogin(shell: String) async throws {
        let options = DemoCluster.Options(
            tensorboard: false, loginShell: shell, isNoisy: true, hasSlurmInLoginShellOnly: true)
        try await withOwnDemoCluster(options) { cluster in
            let plain = try await cluster.ssh("sbatch --version")
            #expect(!plain.succeeded)
            #expect(plain.output.contains("Welcome"))
            let login = try await cluster.ssh("bash -lc 'sbatch --version; id -un'").checked("login shell")
            #expect(login.output.contains("slurm"))
            #expect(login.output.contains("ctdemo"))
        }
    }

    @Test(.enabled(if: DemoCluster.rootObstacle == nil, "\(DemoCluster.rootObstacle ?? "")"))
    func hostsAreHosts() async throws {
        try await withOwnDemoCluster(.init(tensorboard: false, hasHosts: true)) { cluster in
            #expect(try await cluster.ssh("hostname").output == "login\n")
            let names = try await cluster.ssh("srun --quiet -N2 hostname").checked("srun").output
            #expect(names.split(separator: "\n").sorted() == ["n1", "n2"])
            try await cluster.fault("link", "laptop", "down")
            await #expect(throws: LabError.self) { try await cluster.ssh("true", within: .seconds(2)) }
            try await cluster.fault("link", "laptop", "up")
            #expect(try await cluster.ssh("true").succeeded)
        }
    }
}
