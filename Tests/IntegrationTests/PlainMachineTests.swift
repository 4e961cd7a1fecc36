import Foundation
import Testing

/// Machines with an SSH server and a POSIX shell, and no scheduler (`"scheduler": "none"`).
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(3)))
struct PlainMachineTests {
    /// Goes on until the test says so, and then ends with 5.
    private static let waiting = ["job.sh": PromptTests.job]

    @Test(arguments: Place.clusters) func everyVerbWorks(place: Place) async throws {
        try await withPlainMachine(by: place, files: Self.waiting) { machine in
            let workplace = machine.workplace
            let done = try await run(
                workplace.submit("--no-tensorboard", "sh", "-c", "echo \"$1\"; echo bad >&2; exit 3", "sh", "a  b"))
            #expect(done.status == .exited(3), "\(done.errors)")
            #expect(done.output == "a  b\n")
            #expect(done.errors.contains("\nbad\n"))

            let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
            try await workplace.job(job.id, comesTo: "running")
            #expect(try await run(workplace.cluster("logs", job.id)).output == "first\n")
            try await withChild(workplace.cluster("attach", job.id)) { child in
                try await Terminal(child).expect("first\n", on: .output)
                try workplace.raise("go")
                #expect(try await child.finish(within: .seconds(30)) == .exited(5))
            }
            #expect(try await run(workplace.cluster("logs", job.id)).output == "first\nlast\n")

            let other = try await workplace.leave("sleep", "300")
            let cancelled = try await run(workplace.cluster("cancel", other.id))
            #expect(cancelled.status == .exited(0), "\(cancelled.errors)")
            let words = try await workplace.table().map { $0[4].prefix { $0 != "," } }
            #expect(words == ["was cancelled", "ended with exit status 5", "ended with exit status 3"])
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"), arguments: Place.clusters)
    func tensorBoardIsReached(place: Place) async throws {
        let activation = try await withDemoCluster {
            try #require(try $0.profileValues()["activate_python"] as? String)
        }
        try await withPlainMachine(
            by: place, files: TensorBoardTests.files, profile: ["activate_python": activation]
        ) { machine in
            let workplace = machine.workplace
            let submitted = try await run(workplace.submit("--detach", "python", "train.py", workplace.signpost("go")))
            let job = try #require(submitted.job, "\(submitted.errors)")
            try await withChild(workplace.cluster("open", job.id)) { child in
                let address = try await Terminal(child).expect(
                    #/TensorBoard:? (http\S+)/#, on: .errors, within: .seconds(60)
                ).1
                #expect(try await fetch(String(address)).text.contains("<title>TensorBoard</title>"))
                try workplace.raise("go")
                #expect(try await child.finish(within: .seconds(30)) == .exited(0))
            }
        }
    }

    /// Whoever logs in and what that login started may end in any way: the job is nobody's child.
    @Test(arguments: Place.clusters) func aJobOutlivesTheLogin(place: Place) async throws {
        try await withPlainMachine(by: place, files: Self.waiting) { machine in
            let workplace = machine.workplace
            try await withChild(workplace.submit("--no-tensorboard", "sh", "job.sh", workplace.signpost("go"))) {
                child in
                try await Terminal(child).expect("first\n", on: .output)
                try await machine.server.dropConnections()
                // submit comes back by itself, but it is not what keeps the job.
                await child.signal(SIGKILL)
            }
            let job = try #require(try await workplace.jobs().first)
            try await workplace.job(job, comesTo: "running")
            try workplace.raise("go")
            try await workplace.job(job, comesTo: "ended")
            #expect(try await workplace.table()[0][6] == "5")
        }
    }

    @Test func howItEndedIsKnownDaysLater() async throws {
        try await withPlainMachine { machine in
            let workplace = machine.workplace
            let job = try await workplace.leave("sh", "-c", "exit 7")
            try await workplace.allJobsEnd()
            // After days and a restart its number is somebody else's.
            try machine.change("end", of: job) { "\((Int($0.dropLast()) ?? 0) - 3 * 86400 - 60)\n" }
            try machine.change("leader", of: job) { _ in "1 0123-another-boot\n" }
            let row = try #require(try await workplace.table("-a").first)
            #expect(row[4] == "ended with exit status 7, 3 d 00 h ago")
            #expect(try await run(workplace.cluster("attach", job.id)).status == .exited(7))
        }
    }

    @Test func aJobThatARestartTookIsSaidToBeLost() async throws {
        try await withPlainMachine { machine in
            let workplace = machine.workplace
            let job = try await workplace.leave("sleep", "300")
            try await workplace.job(job.id, comesTo: "running")
            try machine.change("leader", of: job) { $0.replacing(#/ .*/#, with: " 0123-another-boot") }
            let attached = try await run(workplace.cluster("attach", job.id))
            #expect(attached.status == .exited(75))
            #expect(
                attached.errors.contains("job \(job.id) was lost to a restart of its machine"), "\(attached.errors)")
            #expect(try await workplace.table()[0][4].hasPrefix("was lost to a restart of its machine"))
        }
    }

    /// What has the job's number by now is left alone, and not taken for the job.
    @Test func aNumberThatIsSomebodyElsesByNow() async throws {
        try await withPlainMachine { machine in
            let workplace = machine.workplace
            let bystander = Launch(
                program: "sleep", arguments: ["300"], directory: "/", environment: ["PATH": "/usr/bin:/bin"])
            try await withChild(bystander) { child in
                let job = try await workplace.leave("sleep", "300")
                try await workplace.job(job.id, comesTo: "running")
                kill(-(try #require(pid_t(job.id))), SIGKILL)
                try await workplace.allJobsEnd()
                var record = try workplace.record(of: job.id)
                record["id"] = "\(child.process)"
                try workplace.write(record: record)
                let cancelled = try await run(workplace.cluster("cancel", "\(child.process)"))
                #expect(cancelled.status == .exited(0), "\(cancelled.errors)")
                #expect(cancelled.errors.contains("was killed"), "\(cancelled.errors)")
                try await Task.sleep(for: PlainMachine.killWait + .seconds(1))
                #expect(await child.status == nil)
            }
        }
    }

    // MARK: All of a job

    /// Processes of the test machine that sleep for exactly so long.
    private func sleepers(_ seconds: [Int]) async throws -> [Int] {
        let listing = try await run(
            Launch(
                program: "ps", arguments: ["-eo", "stat=,args="], directory: "/", environment: ["PATH": "/usr/bin:/bin"]
            ))
        return seconds.filter { listing.output.contains(" sleep \($0)\n") }
    }

    /// Numbers of seconds that no other test sleeps for.
    private func unusual(_ count: Int) -> [Int] {
        let first = Int.random(in: 100_000...900_000)
        return Array(first..<first + count)
    }

    @Test(arguments: Place.clusters) func aJobThatDoesNotWantToEnd(place: Place) async throws {
        try await withPlainMachine(by: place) { machine in
            let workplace = machine.workplace
            // A grandchild, one that is deaf, one in a group of its own, and a daemon.
            let times = unusual(4)
            let script = """
                trap 'echo TERM came' TERM
                (sleep \(times[0]); :) &
                (trap '' TERM; sleep \(times[1])) &
                bash -mc 'sleep \(times[2]) & wait' &
                (trap '' TERM; setsid sleep \(times[3]) &)
                echo ready
                while :; do sleep 1; done
                """
            let job = try await workplace.leave("bash", "-c", script)
            try await eventually("the job's processes") { try await sleepers(times) == times ? true : nil }
            let began = ContinuousClock.now
            let cancelled = try await run(workplace.cluster("cancel", job.id))
            #expect(cancelled.status == .exited(0), "\(cancelled.errors)")
            #expect(ContinuousClock.now - began >= PlainMachine.killWait - .milliseconds(500))
            try await eventually("the end of its processes", within: .seconds(5)) {
                try await sleepers(times) == [] ? true : nil
            }
            #expect(try await run(workplace.cluster("logs", job.id)).output == "ready\nTERM came\n")
            #expect(try await workplace.table()[0][4].hasPrefix("was cancelled"))
        }
    }

    @Test func whatAJobLeavesBehindEndsToo() async throws {
        try await withPlainMachine { machine in
            let times = unusual(3)
            let script = """
                sleep \(times[0]) &
                (trap '' TERM; sleep \(times[1])) &
                setsid sleep \(times[2]) &
                echo done; exit 4
                """
            let finished = try await run(machine.workplace.submit("--no-tensorboard", "sh", "-c", script))
            #expect(finished.status == .exited(4), "\(finished.errors)")
            try await eventually("the end of its processes", within: .seconds(10)) {
                try await sleepers(times) == [] ? true : nil
            }
        }
    }

    /// As when the system was short of memory.
    @Test func aJobWhoseLeaderWasKilledEndsAsAWhole() async throws {
        try await withPlainMachine { machine in
            let times = unusual(1)
            let job = try await machine.workplace.leave("sleep", "\(times[0])")
            try await eventually("the job's process") { try await sleepers(times) == times ? true : nil }
            kill(try #require(pid_t(job.id)), SIGKILL)
            #expect(try await machine.workplace.table()[0][4].hasPrefix("was killed"))
            try await eventually("the end of its processes", within: .seconds(10)) {
                try await sleepers(times) == [] ? true : nil
            }
        }
    }

    @Test func aRunFolderThatIsGoneHidesNoJob() async throws {
        try await withPlainMachine { machine in
            let workplace = machine.workplace
            let times = unusual(1)
            let job = try await workplace.leave("sleep", "\(times[0])")
            try await eventually("the job's process") { try await sleepers(times) == times ? true : nil }
            try FileManager.default.removeItem(atPath: job.run)
            #expect(try await workplace.table()[0][3] == "running")
            let cancelled = try await run(workplace.cluster("cancel", job.id))
            #expect(cancelled.status == .exited(0), "\(cancelled.errors)")
            try await eventually("the end of its processes", within: .seconds(10)) {
                try await sleepers(times) == [] ? true : nil
            }
        }
    }

    // MARK: Few programs

    /// A machine whose `/bin/sh` is this one, which has no bash, no Python, no Perl, and no other programs than busybox's.
    @Test(
        .enabled(if: PlainMachineTests.busyboxObstacle == nil, "\(PlainMachineTests.busyboxObstacle ?? "")"),
        arguments: ["dash", "busybox"])
    func aPOSIXShellIsEnough(shell: String) async throws {
        try await withDesk { desk in
            // A world of mounts of its own, which ends with the server.
            let script = """
                programs=$1 shell=$2
                shift 2
                mkdir "$programs"
                for name in $(busybox --list); do ln -s /usr/bin/busybox "$programs/$name"; done
                rm -f "$programs/sh" && ln -s /bin/sh "$programs/sh"
                mount --bind "/usr/bin/$shell" "$(readlink -f /bin/sh)"
                # The start files of this machine have a PATH with everything in it.
                mount --bind /dev/null /etc/profile
                exec "$@"
                """
            let programs = desk.folder + "/programs"
            let start = ["/usr/bin/unshare", "--mount", "/bin/bash", "-ec", script, "start", programs, shell]
            try await withPlainMachine(
                files: Self.waiting, environment: ["PATH": programs, "SHELL": "/bin/sh"], startedBy: start
            ) { machine in
                let workplace = machine.workplace
                let words = ["it's", "a  b", "$HOME", "*", "日本", "-c"]
                let finished = try await run(
                    workplace.submit(
                        [
                            "--no-tensorboard", "sh", "-c",
                            "command -v bash python3 perl; printf '<%s>' \"$@\"; exit 6", "sh",
                        ] + words))
                #expect(finished.status == .exited(6), "\(finished.errors)")
                #expect(finished.output == words.map { "<\($0)>" }.joined())

                let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
                try await workplace.job(job.id, comesTo: "running")
                let inside = try await run(workplace.cluster("ssh", job.id, "sh", "-c", "pwd -P; exit 3"))
                #expect(inside.status == .exited(3), "\(inside.errors)")
                #expect(inside.output == job.run + "/code\n")
                let use = try await run(workplace.cluster("top", job.id, "--once"))
                #expect(use.output.contains(#/\n +\d+ \S+ +\d+\.\d .* sh job\.sh /#), "\(use.output)\(use.errors)")
                try workplace.raise("go")
                #expect(try await run(workplace.cluster("attach", job.id)).status == .exited(5))

                let times = unusual(2)
                let deaf = try await workplace.leave(
                    "sh", "-c", "sleep \(times[0]) & trap 'echo TERM came' TERM; while :; do sleep \(times[1]); done")
                try await eventually("the job's processes") { try await sleepers(times) == times ? true : nil }
                let cancelled = try await run(workplace.cluster("cancel", deaf.id))
                #expect(cancelled.status == .exited(0), "\(cancelled.errors)")
                try await eventually("the end of its processes", within: .seconds(5)) {
                    try await sleepers(times) == [] ? true : nil
                }
                #expect(try await run(workplace.cluster("logs", deaf.id)).output == "TERM came\n")
            }
        }
    }

    static let busyboxObstacle: String? =
        geteuid() != 0
        ? "this test needs root, to mount"
        : FileManager.default.isExecutableFile(atPath: "/usr/bin/busybox") ? nil : "busybox is not installed"
}
