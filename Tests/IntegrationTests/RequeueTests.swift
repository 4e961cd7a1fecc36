import Foundation
import Testing

/// `submit --requeue-before`: jobs that put themselves back in the queue before their time limit.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct RequeueTests {
    /// Runs until it is told of the limit, counts its starts in a file that it finds again, and is done with the second.
    private static let saver = """
        echo "start $SUBMIT_RESTART_COUNT: $(cat saved 2>/dev/null)"
        [ "$SUBMIT_RESTART_COUNT" = 0 ] || exit 6
        trap 'echo "USR1 came"; echo checkpoint >saved; eval "$1"' USR1
        echo ready
        while :; do sleep 0.05; done

        """

    /// Submits, warns the job as soon as it is ready, and lets it start again at once.
    private func requeue(
        _ workplace: Workplace, _ afterwards: String, _ cluster: DemoCluster,
        beforeWarning: @Sendable (_ job: String) async throws -> Void = { _ in },
        _ body: @Sendable (Terminal, _ job: String) async throws -> Void
    ) async throws {
        // The watch must hear of each step: nobody else looks after it.
        let launch = workplace.submit("--no-tensorboard", "--requeue-before", "20s", "sh", "saver.sh", afterwards)
        try await withTerminal(launch, pipes: [.output]) { terminal in
            let job = String(try await terminal.expect(#/job (\d+) on /#).1)
            try await terminal.expect("ready\n", on: .output, within: .seconds(30))
            try await beforeWarning(job)
            _ = try await cluster.ssh("scancel --batch --signal=USR1 \(job)").checked("scancel")
            try await terminal.expect("USR1 came\n", on: .output)
            try await body(terminal, job)
        }
    }

    /// Slurm lets some time pass before it starts a job again.
    private func startAgain(_ job: String, _ cluster: DemoCluster) async throws {
        try await eventually("requeued job", within: .seconds(40)) {
            let state = try await cluster.ssh("squeue -h -t all -j \(job) -o %T").output
            return state.hasPrefix("PENDING") ? true : nil
        }
        _ = try await cluster.ssh("scontrol update jobid=\(job) StartTime=now").checked("scontrol")
    }

    @Test(arguments: ["exit 75", "trap - USR1; kill -s USR1 $$"])
    func aCommandThatWantsToGoOnStartsAgain(afterwards: String) async throws {
        try await withWorkplace(.demoCluster, files: ["saver.sh": Self.saver]) { workplace in
            let cluster = try await withDemoCluster { $0 }
            try await requeue(workplace, afterwards, cluster) { terminal, job in
                try await startAgain(job, cluster)
                try await terminal.expect("job \(job) was requeued and starts again (restart 1)", within: .seconds(40))
                try await terminal.expect("start 1: checkpoint\n", on: .output)
                try await terminal.expect("job \(job) ended with exit status 6")
                #expect(try await terminal.finish() == .exited(6))
                #expect(await terminal.text(.output) == "start 0: \nready\nUSR1 came\nstart 1: checkpoint\n")
            }
        }
    }

    @Test func aCommandThatRunsOnIsEndedBeforeTheLimit() async throws {
        try await withWorkplace(.demoCluster, files: ["saver.sh": Self.saver]) { workplace in
            let cluster = try await withDemoCluster { $0 }
            try await requeue(workplace, "trap 'echo TERM came; exit 0' TERM", cluster) { terminal, job in
                // Fifteen of the twenty seconds are the command's.
                try await terminal.expect("TERM came\n", on: .output, within: .seconds(30))
                try await startAgain(job, cluster)
                try await terminal.expect("starts again (restart 1)", within: .seconds(40))
                #expect(try await terminal.finish(within: .seconds(30)) == .exited(6))
            }
        }
    }

    @Test(arguments: [("exit 0", 0), ("exit 3", 3)])
    func aCommandThatIsDoneOrFailsEndsTheJob(afterwards: String, status: Int32) async throws {
        try await withWorkplace(.demoCluster, files: ["saver.sh": Self.saver]) { workplace in
            let cluster = try await withDemoCluster { $0 }
            try await requeue(workplace, afterwards, cluster) { terminal, job in
                try await terminal.expect("job \(job) ended with exit status \(status)")
                #expect(try await terminal.finish() == .exited(status))
            }
            #expect(try await workplace.jobs() == [])
        }
    }

    @Test func whereSlurmRefusesTheReasonIsTold() async throws {
        try await withWorkplace(.demoCluster, files: ["saver.sh": Self.saver]) { workplace in
            let cluster = try await withDemoCluster { $0 }
            try await requeue(workplace, "exit 75", cluster) { job in
                _ = try await cluster.ssh("scontrol update jobid=\(job) Requeue=0").checked("scontrol")
            } _: { terminal, job in
                try await terminal.expect(
                    #/warning: job \d+ was not put back in the queue: .*disabled/#, within: .seconds(30))
                try await terminal.expect("job \(job) ended with exit status 75")
                #expect(try await terminal.finish() == .exited(75))
            }
        }
    }

    /// The real warning: Slurm looks at time limits twice a minute, and warns up to a minute early.
    @Test func slurmItselfWarns() async throws {
        try await withWorkplace(.demoCluster, files: ["saver.sh": Self.saver]) { workplace in
            let cluster = try await withDemoCluster { $0 }
            let launch = workplace.submit(
                "--no-tensorboard", "--sbatch_json", #"{"--time": "1"}"#, "--requeue-before", "55s", "sh", "saver.sh",
                "exit 75")
            try await withTerminal(launch, pipes: [.output]) { terminal in
                let job = String(try await terminal.expect(#/job (\d+) on /#).1)
                try await terminal.expect("USR1 came\n", on: .output, within: .seconds(75))
                try await startAgain(job, cluster)
                try await terminal.expect("start 1: checkpoint\n", on: .output, within: .seconds(40))
                #expect(try await terminal.finish(within: .seconds(30)) == .exited(6))
            }
        }
    }

    @Test func whatCannotBeDoneIsSaidBeforehand() async throws {
        try await withWorkplace(.thisMachine, files: ["a": "1"]) { workplace in
            let refused = try await run(workplace.submit("--requeue-before", "5m", "true"))
            #expect(refused.status == .exited(64))
            #expect(refused.errors.contains("a job on this machine has no time limit"))
            #expect(try workplace.leftovers() == [])
            let profile = try writeProfile(["hostname": "nowhere.invalid"], on: workplace.repository.desk)
            for (json, words) in [
                (#"{"--no-requeue": true}"#, "--no-requeue contradict"),
                (#"{"--signal": "TERM@9"}"#, "--signal=TERM@9"),
            ] {
                let clash = try await run(
                    workplace.repository.submit("-c", profile, "--sbatch_json", json, "--requeue-before", "5m", "true"))
                #expect(clash.status == .exited(64))
                #expect(clash.errors.contains(words), "\(clash.errors)")
            }
            let early = try await run(workplace.repository.submit("-c", profile, "--requeue-before", "20h", "true"))
            #expect(early.errors.contains("is more than Slurm can warn ahead"))
        }
    }
}
