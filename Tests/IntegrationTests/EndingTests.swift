import Foundation
import Testing

/// How jobs end, what submit says about it, and the status that it exits with.
@Suite(.timeLimit(.minutes(3))) struct EndingTests {
    /// Says when it is ready, and of each signal that it came; ends with TERM.
    private static let attentive = """
        trap 'echo USR1 came' USR1
        trap 'echo USR2 came' USR2
        trap 'echo INT came' INT
        trap 'echo TERM came; echo saving >&2; exit 4' TERM
        echo ready
        while :; do sleep 0.05; done
        """

    /// The last status line without the job's number, times and nodes.
    private func ending(_ finished: Finished) -> String? {
        finished.statusLines.last.map {
            String($0.replacing(#/^job \d+ /#, with: "").replacing(#/( after \d+ \S+)?( on \S+)?$/#, with: ""))
        }
    }

    /// Submits, lets `body` act on the job as soon as it has printed "ready", and waits for the end.
    private func whenReady(
        _ repository: Repository, _ command: [String], on place: Place, options: [String] = [],
        within limit: Duration = .seconds(60), _ body: @Sendable (Child, _ job: String) async throws -> Void
    ) async throws -> Finished {
        let launch = try await repository.submission(of: command, on: place, options: options)
        return try await withChild(launch) { child in
            try await eventually("job that is ready") {
                await child.summary
            } check: {
                String(decoding: await child.bytes(.output), as: UTF8.self).hasPrefix("ready") ? true : nil
            }
            let errors = String(decoding: await child.bytes(.errors), as: UTF8.self)
            try await body(child, try #require(submittedJob(in: errors)).id)
            let status = try await child.finish(within: limit)
            return Finished(
                status: status, outputBytes: await child.bytes(.output), errorBytes: await child.bytes(.errors))
        }
    }

    @Test(arguments: Place.available)
    func aCommandThatFails(place: Place) async throws {
        try await withRepository { repository in
            let failed = try await repository.job(script: "echo no >&2; exit 3", on: place)
            #expect(failed.status == .exited(3))
            #expect(ending(failed) == "ended with exit status 3")
            #expect(failed.errors.contains("\nno\nsubmit: job "))
        }
    }

    @Test(arguments: Place.available)
    func aCommandThatIsNotThere(place: Place) async throws {
        try await withRepository { repository in
            let finished = try await repository.job("nosuchcommand", "x", on: place)
            #expect(finished.status == .exited(127))
            #expect(ending(finished) == "ended with exit status 127")
            #expect(finished.errors.contains("nosuchcommand: command not found\n"))
            try repository.write("data.txt", "no program")
            let data = try await repository.job("./data.txt", on: place)
            #expect(data.status == .exited(126))
            #expect(data.errors.contains("data.txt: Permission denied\n"))
        }
    }

    @Test(arguments: Place.available)
    func aCommandThatASignalEnds(place: Place) async throws {
        try await withRepository { repository in
            let finished = try await repository.job(script: "echo last; echo words >&2; kill -9 $$", on: place)
            #expect(finished.status == .exited(137))
            #expect(ending(finished) == "ended with exit status 137 (SIGKILL)")
            #expect(finished.output == "last\n")
            // Nothing of what a shell says about its children.
            #expect(finished.errors.split(separator: "\n").filter { !$0.hasPrefix("submit: ") } == ["words"])
        }
    }

    @Test(arguments: Place.available)
    func aCommandThatLeavesProcessesBehind(place: Place) async throws {
        try await withRepository { repository in
            // They have the job's output open; nobody waits for them.
            let finished = try await repository.job(
                script: "sleep 50 & echo begun; exit 2", on: place, within: .seconds(30))
            #expect(finished.status == .exited(2))
            #expect(finished.output == "begun\n")
        }
    }

    @Test(arguments: Place.available)
    func signalsReachTheCommand(place: Place) async throws {
        try await withRepository { repository in
            let finished = try await whenReady(repository, ["sh", "-c", Self.attentive], on: place) { child, job in
                for signal in ["USR1", "USR2", "INT", "TERM"] {
                    try await send(signal, to: job, on: place)
                    try await eventually(signal) {
                        await child.summary
                    } check: {
                        String(decoding: await child.bytes(.output), as: UTF8.self).hasSuffix("\(signal) came\n")
                            ? true : nil
                    }
                }
            }
            #expect(finished.output == "ready\nUSR1 came\nUSR2 came\nINT came\nTERM came\n")
            #expect(finished.status == .exited(4))
            #expect(ending(finished) == "ended with exit status 4")
        }
    }

    /// Sends a signal to the job's script, as Slurm's `--signal=B:…` does before the time limit.
    private func send(_ signal: String, to job: String, on place: Place) async throws {
        switch place {
        case .thisMachine:
            _ = try await run(
                Launch(
                    program: "sh", arguments: ["-c", "kill -s \(signal) \(job)"], directory: "/",
                    environment: ["PATH": "/usr/bin:/bin"])
            ).checked("kill")
        case .demoCluster, .demoClusterByOpenSSH:
            try await withDemoCluster { cluster in
                _ = try await cluster.ssh("scancel --batch --signal=\(signal) \(job)").checked("scancel")
            }
        }
    }

    @Test func aJobThatIsKilledWithAllItsProcesses() async throws {
        try await withRepository { repository in
            let finished = try await whenReady(repository, ["sh", "-c", Self.attentive], on: .thisMachine) { _, job in
                kill(-(try #require(pid_t(job))), SIGKILL)
            }
            #expect(finished.status == .exited(137))
            #expect(ending(finished) == "was killed")
        }
    }

    // MARK: Slurm

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aJobThatSomeoneElseCancels() async throws {
        try await withRepository { repository in
            let finished = try await whenReady(repository, ["sh", "-c", Self.attentive], on: .demoCluster) { _, job in
                try await withDemoCluster { _ = try await $0.ssh("scancel \(job)").checked("scancel") }
            }
            #expect(finished.status == .exited(143))
            #expect(ending(finished) == "was cancelled")
            // The command had time to put its things in order, and what it said is here.
            #expect(finished.output == "ready\nTERM came\n")
            #expect(finished.errors.contains("saving\n"))
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aJobThatIsCancelledInTheQueue() async throws {
        try await withRepository { repository in
            let launch = try await repository.submission(
                of: ["true"], on: .demoCluster, options: ["--sbatch_json", #"{"--hold": true}"#])
            try await withTerminal(launch, pipes: [.output]) { terminal in
                let id = try await terminal.expect(#/job (\d+) on /#).1
                try await terminal.expect("is queued: ")
                try await withDemoCluster { _ = try await $0.ssh("scancel \(id)").checked("scancel") }
                try await terminal.expect("job \(id) was cancelled")
                #expect(try await terminal.finish() == .exited(143))
            }
        }
    }

    /// Slurm looks at time limits twice a minute: this takes up to half of one.
    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aJobThatReachesItsTimeLimit() async throws {
        try await withRepository { repository in
            let command = ["sh", "-c", Self.attentive]
            let finished = try await whenReady(repository, command, on: .demoCluster, within: .seconds(90)) { _, job in
                try await withDemoCluster {
                    _ = try await $0.ssh("scontrol update jobid=\(job) EndTime=now+1").checked("scontrol")
                }
            }
            #expect(finished.status == .exited(124))
            #expect(ending(finished) == "ran into its time limit")
            #expect(finished.output == "ready\nTERM came\n")
        }
    }

    @Test(
        .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
        arguments: [
            ("BOOT_FAIL", 75, "was ended by a failure of its node"),
            ("PREEMPTED", 75, "was ended by the scheduler (PREEMPTED)"),
            ("DEADLINE", 75, "was ended by the scheduler (DEADLINE)"),
        ])
    func whatTheQueueSaysCounts(state: String, status: Int32, words: String) async throws {
        try await withDemoCluster { cluster in
            try await withRepository { repository in
                // Nothing here ends jobs like this: only the queue's word for it is another.
                try repository.write(
                    "../bin/squeue", "#!/bin/sh\n/usr/bin/squeue \"$@\" | sed 's/|FAILED|/|\(state)|/'\n",
                    executable: true)
                let profile = try writeProfile(
                    ["scheduler": "slurm", "untar_path": "\(repository.desk.folder)/runs"], on: repository.desk)
                var launch = repository.submit("-c", profile, "--no-tensorboard", "sh", "-c", "exit 7")
                launch.environment["SLURM_CONF"] = cluster.state + "/slurm.conf"
                launch.environment["PATH"] = repository.desk.folder + "/bin:" + (launch.environment["PATH"] ?? "")
                let finished = try await run(launch)
                #expect(ending(finished) == words, "\(finished.errors)")
                #expect(finished.status == .exited(status))
            }
        }
    }

    /// The one test with a cluster of this kind: there can be only one at a time.
    @Test(.enabled(if: DemoCluster.memoryObstacle == nil, "\(DemoCluster.memoryObstacle ?? "")"))
    func aJobThatNeedsTooMuchMemory() async throws {
        try await withOwnDemoCluster(.init(tensorboard: false, hasMemoryLimits: true)) { cluster in
            try await withRepository { repository in
                let finished = try await run(
                    repository.submit(
                        "-c", cluster.profile, "--no-tensorboard", "--sbatch_json", #"{"--mem": "60M"}"#, "sh", "-c",
                        "echo begun; head -c 400M /dev/zero | tail"))
                #expect(finished.output.hasPrefix("begun\n"))
                #expect(ending(finished) == "ran out of memory", "\(finished.errors)")
                #expect(finished.status == .exited(137))
            }
        }
    }

    /// One node fails under two jobs: one that starts again on the other node, and one that must not.
    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aNodeThatFails() async throws {
        try await withOwnDemoCluster(.init(tensorboard: false)) { cluster in
            try await withRepository { repository in
                let command = [
                    "--no-tensorboard", "sh", "-c",
                    "echo ready ${SLURM_RESTART_COUNT:-0}; [ -n \"$SLURM_RESTART_COUNT\" ] || sleep 100; exit 5",
                ]
                @Sendable func submit(_ json: String) -> Launch {
                    repository.desk.submit(
                        ["-c", cluster.profile, "--sbatch_json", json] + command, in: repository.folder)
                }
                let final = submit(#"{"-w": "n1", "--no-requeue": true}"#)
                try await withTerminal(final, pipes: [.output]) { final in
                    try await withTerminal(submit(#"{"--requeue": true}"#), pipes: [.output]) { again in
                        let job = try await again.expect(#/job (\d+) on /#).1
                        try await again.expect("ready 0", on: .output)
                        try await final.expect("ready 0", on: .output)
                        try await cluster.fault("n1", "fail")
                        try await final.expect("was ended by a failure of its node")
                        let status = try await final.finish()
                        #expect(status == .exited(75))
                        // Slurm lets some time pass before it tries again.
                        _ = try await cluster.ssh("scontrol update jobid=\(job) StartTime=now").checked("scontrol")
                        try await again.expect(
                            "job \(job) was requeued and starts again (restart 1)", within: .seconds(60))
                        try await again.expect(#/job \d+ ended with exit status 5 after \d+ s on n2/#)
                        #expect(try await again.finish() == .exited(5))
                        #expect(await again.text(.output) == "ready 0\nready 1\n")
                    }
                }
            }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aJobThatSlurmRefusesLeavesNothing() async throws {
        try await withDemoCluster { cluster in
            try await withRepository(named: "refused-\(UInt32.random(in: 0...(.max)))") { repository in
                let finished = try await repository.job(
                    "true", on: .demoCluster, options: ["--sbatch_json", #"{"--partition": "nosuch"}"#])
                #expect(finished.status == .exited(69))
                #expect(
                    finished.errors.hasSuffix(
                        """
                          sbatch: error: invalid partition specified: nosuch
                          sbatch: error: Batch job submission failed: Invalid partition name specified

                        """), "\(finished.errors)")
                #expect(finished.errors.contains("submit: error: 127.0.0.1: the job was not accepted on "))
                let name = URL(filePath: repository.folder).lastPathComponent
                #expect(try entries(of: cluster.scratch + "/" + name) == [])
                #expect(try entries(of: repository.desk.home + "/.local/state/cluster-tools/jobs") == [])
            }
        }
    }
}
