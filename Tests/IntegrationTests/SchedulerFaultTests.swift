import Foundation
import Testing

/// A scheduler that refuses, is gone, answers too late, or moves a job elsewhere.
@Suite(
    .enabled(if: DemoCluster.rootObstacle == nil, "\(DemoCluster.rootObstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct SchedulerFaultTests {
    /// Prints what it does until a file appears.
    private let job = """
        echo begin ${SLURM_RESTART_COUNT:-0} on $SLURMD_NODENAME
        until [ -e "$1" ]; do sleep 0.05; done
        echo end; exit 4

        """

    /// A cluster of its own whose `sbatch` is a script that may do anything before and after the real one.
    private func withWrapper(
        _ script: String, _ body: @Sendable (DemoCluster, Workplace) async throws -> Void
    ) async throws {
        let options = DemoCluster.Options(tensorboard: false, loginShell: "bash", hasSlurmInLoginShellOnly: true)
        try await withOwnDemoCluster(options) { cluster in
            let folder = cluster.state + "/home/wrapper"
            let make = "mkdir \(folder) && cat >\(folder)/sbatch && chmod 755 \(folder)/sbatch"
            var write = Launch(
                program: "sh", arguments: ["-c", make], directory: "/", environment: ["PATH": "/usr/bin:/bin"])
            write.input = Array("#!/bin/sh\n\(script)\n".utf8)
            _ = try await run(write).checked("a wrapper of sbatch")
            chmod(folder, 0o777)
            try cluster.append("real=$(dirname \"$(command -v sbatch)\"); export real", to: ".profile")
            try cluster.append("PATH=\(folder):$PATH", to: ".profile")
            try await withWorkplace(.demoCluster, files: ["job.sh": "echo run >>~/runs\n"], cluster: cluster) {
                try await body(cluster, $0)
            }
        }
    }

    /// What the jobs have written.
    private func runs(_ cluster: DemoCluster) -> String? {
        FileManager.default.contents(atPath: cluster.state + "/home/runs").map { String(decoding: $0, as: UTF8.self) }
    }

    /// The answer says that it failed, and the job is there.
    @Test func sbatchTimesOutAfterAccepting() async throws {
        let late = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
        try await withWrapper("\"$real/sbatch\" \"$@\" >/dev/null; echo '\(late)' >&2; exit 1") { cluster, workplace in
            let finished = try await run(
                workplace.submit("--no-tensorboard", "sh", "job.sh"))
            #expect(finished.succeeded, "\(finished.errors)")
            #expect(runs(cluster) == "run\n")
            #expect(try workplace.leftovers().count == 1)
        }
    }

    /// The program on the access node dies between sbatch and its answer, or before sbatch.
    @Test(arguments: [true, false])
    func theProgramThereDies(afterAccepting: Bool) async throws {
        let submit = afterAccepting ? "\"$real/sbatch\" \"$@\" >/dev/null" : ":"
        // Only once: the next attempt finds a sound access node.
        let script = """
            mark=${0%/*}.mark
            if [ ! -e "$mark" ]; then : >"$mark"; \(submit); kill -KILL "$PPID"; exit 1; fi
            exec "$real/sbatch" "$@"
            """
        try await withWrapper(script) { cluster, workplace in
            let finished = try await run(
                workplace.submit("--no-tensorboard", "sh", "job.sh"), within: .seconds(120))
            #expect(finished.succeeded, "\(finished.errors)")
            #expect(runs(cluster) == "run\n", "\(finished.errors)")
            #expect(try workplace.leftovers().filter { !$0.hasPrefix(".") }.count == 1)
        }
    }

    @Test func maintenanceAndRestarts() async throws {
        let options = DemoCluster.Options(
            tensorboard: false, slurm: ["PreemptType=preempt/partition_prio", "PreemptMode=REQUEUE"])
        try await withOwnDemoCluster(options) { cluster in
            try await withWorkplace(.demoCluster, files: ["job.sh": job], cluster: cluster) { workplace in
                try await underMaintenance(cluster, workplace)
                try await withoutController(cluster, workplace)
                try await restart(cluster, workplace)
                try await preemption(cluster, workplace)
            }
        }
    }

    private func scontrol(_ words: String, _ cluster: DemoCluster) async throws {
        _ = try await cluster.ssh("bash -lc 'scontrol \(words)'").checked("scontrol \(words)")
    }

    /// Slurm takes no job: its words say why, and nothing is left.
    private func underMaintenance(_ cluster: DemoCluster, _ workplace: Workplace) async throws {
        try await scontrol("update PartitionName=debug State=DRAIN", cluster)
        let refused = try await run(workplace.submit("--no-tensorboard", "sh", "job.sh", "-"))
        #expect(refused.status == .exited(69), "\(refused.errors)")
        #expect(refused.errors.contains("the job was not accepted"))
        #expect(refused.errors.contains("Required partition not available (inactive or drain)"), "\(refused.errors)")
        #expect(try workplace.leftovers() == [])
        #expect(try workplace.records() == [])
        try await scontrol("update PartitionName=debug State=UP", cluster)
    }

    private func withoutController(_ cluster: DemoCluster, _ workplace: Workplace) async throws {
        try await cluster.fault("slurmctld", "stop")
        let refused = try await run(workplace.submit("--no-tensorboard", "sh", "job.sh", "-"), within: .seconds(120))
        #expect(refused.status == .exited(69), "\(refused.errors)")
        #expect(refused.errors.contains("Unable to contact slurm controller"), "\(refused.errors)")
        #expect(try workplace.leftovers() == [])
        #expect(try workplace.records() == [])
        try await cluster.fault("slurmctld", "start")
    }

    /// A controller that is away for a while does not disturb a job, nor those who watch it.
    private func restart(_ cluster: DemoCluster, _ workplace: Workplace) async throws {
        let launch = workplace.submit("--no-tensorboard", "sh", "job.sh", workplace.signpost("one"))
        try await withTerminal(launch, pipes: [.output]) { terminal in
            try await terminal.expect("begin 0", on: .output, within: .seconds(60))
            try await cluster.fault("slurmctld", "stop")
            try await Task.sleep(for: .seconds(2))
            try await cluster.fault("slurmctld", "start")
            try workplace.raise("one")
            try await terminal.expect("end", on: .output)
            #expect(try await terminal.finish() == .exited(4))
            #expect(await terminal.text().contains("ended with exit status 4"))
        }
    }

    /// A more important job takes the nodes; ours starts again on them afterwards, and is watched on.
    private func preemption(_ cluster: DemoCluster, _ workplace: Workplace) async throws {
        try await scontrol("create PartitionName=urgent Nodes=ALL PriorityTier=10 PreemptMode=off", cluster)
        let launch = workplace.submit(
            "--no-tensorboard", "--sbatch_json", #"{"--nodes": 2, "--exclusive": true, "--requeue": true}"#, "sh",
            "job.sh", workplace.signpost("two"))
        try await withTerminal(launch, pipes: [.output]) { terminal in
            let id = try await terminal.expect(#/job (\d+) on /#).1
            try await terminal.expect("begin 0", on: .output, within: .seconds(60))
            let urgent = "sbatch -p urgent -N2 --exclusive -t 1 -o /dev/null --wrap \"sleep 2\""
            _ = try await cluster.ssh("bash -lc '\(urgent)'").checked("sbatch")
            try await terminal.expect("job \(id) is queued: ", within: .seconds(60))
            // Slurm lets some time pass before it tries again.
            try await eventually("queue without the urgent job") {
                try await cluster.jobs() == [String(id)] ? true : nil
            }
            try await scontrol("update jobid=\(id) StartTime=now", cluster)
            try await terminal.expect("job \(id) was requeued and starts again (restart 1)", within: .seconds(60))
            try await terminal.expect("begin 1", on: .output)
            try workplace.raise("two")
            #expect(try await terminal.finish() == .exited(4))
        }
    }
}
