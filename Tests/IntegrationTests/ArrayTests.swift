import Foundation
import Testing

/// Jobs that are more than one process on one node.
@Suite(
    .timeLimit(.minutes(2)), .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
struct ArrayTests {
    @Test func theTasksOfAnArrayAreListedWithTheirOutput() async throws {
        try await withRepository { repository in
            let script =
                "echo out $SLURM_ARRAY_TASK_ID; echo err $SLURM_ARRAY_TASK_ID >&2; exit $((SLURM_ARRAY_TASK_ID / 3))"
            let finished = try await repository.job(
                script: script, on: .demoCluster, options: ["--sbatch_json", #"{"--array": "0-3"}"#])
            let job = try #require(finished.job)
            // One task has failed, and so has the array.
            #expect(finished.status == .exited(1))
            #expect(finished.statusLines.last == "job \(job.id) ended with exit status 1")
            #expect(finished.output == "")
            for task in 0...3 {
                let output = "\(job.run)/slurm-\(task).out"
                #expect(try String(contentsOfFile: output, encoding: .utf8) == "out \(task)\n")
                #expect(try String(contentsOfFile: "\(job.run)/slurm-\(task).err", encoding: .utf8) == "err \(task)\n")
                let line = finished.statusLines.last { $0.hasPrefix("task \(job.id)_\(task) ") }
                #expect(
                    line?.firstMatch(of: /ended with exit status (\d) on n[12], output in (.*)/)?.output.1
                        == "\(task / 3)")
                #expect(line?.hasSuffix(", output in \(output)") == true)
                #expect(
                    try String(contentsOfFile: "\(job.run)/job/\(task)/exit", encoding: .utf8) == "\(task / 3)\n")
            }
        }
    }

    @Test func anArrayOfWhichAllTasksSucceedSucceeds() async throws {
        try await withRepository { repository in
            let finished = try await repository.job(
                "true", on: .demoCluster, options: ["--sbatch_json", #"{"-a": "2,5%1"}"#])
            #expect(finished.status == .exited(0))
            let ended = finished.statusLines.filter { $0.contains(" ended with exit status 0 on ") }
            #expect(ended.count == 2, "\(finished.errors)")
        }
    }

    @Test func aJobOnTwoNodes() async throws {
        try await withRepository { repository in
            let finished = try await repository.job(
                "srun", "sh", "-c", "echo $SLURM_PROCID $SLURMD_NODENAME $(pwd); exit $SLURM_PROCID", on: .demoCluster,
                options: ["--sbatch_json", #"{"--nodes": 2, "--ntasks-per-node": 2}"#])
            let job = try #require(finished.job)
            #expect(
                finished.output.split(separator: "\n").sorted() == [
                    "0 n1 \(job.run)/code", "1 n1 \(job.run)/code", "2 n2 \(job.run)/code", "3 n2 \(job.run)/code",
                ])
            // srun's own status: the highest of its tasks.
            #expect(finished.status == .exited(3))
            // The worker that is shown is the one on which the script runs.
            #expect(finished.statusLines.last?.hasSuffix(" on n1") == true)
        }
    }

    /// The environment reaches srun's tasks although nothing is exported to the job.
    @Test func stepsHaveTheScriptsEnvironmentWithoutExport() async throws {
        try await withDemoCluster { cluster in
            try await withRepository { repository in
                let profile = try cluster.profile(
                    on: repository.desk,
                    [
                        "environment": ["GREETING": "hello from the profile"],
                        "sbatch_options": ["--export": "NONE", "--time": "5:00", "--mem": "200M"],
                    ])
                let finished = try await run(
                    repository.submit("-c", profile, "--no-tensorboard", "srun", "sh", "-c", "echo $GREETING"))
                #expect(finished.output == "hello from the profile\n", "\(finished.errors)")
            }
        }
    }
}
