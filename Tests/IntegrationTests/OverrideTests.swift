import Foundation
import Testing

/// Options for sbatch: which layer wins, and that Slurm hears it.
@Suite(.timeLimit(.minutes(2))) struct OverrideTests {
    /// The `#SBATCH` lines of a dry run, without the ones that every job has.
    private func directives(_ launch: Launch) async throws -> [String] {
        let finished = try await run(launch).checked("submit --dry-run")
        let own = ["--output=", "--error=", "--open-mode="]
        return finished.output.split(separator: "\n").filter { $0.hasPrefix("#SBATCH ") }
            .map { String($0.dropFirst("#SBATCH ".count)) }
            .filter { line in !own.contains(where: line.hasPrefix) }
    }

    private func profile(_ options: [String: Any], on repository: Repository) throws -> String {
        try writeProfile(
            ["hostname": "cluster.example.org", "sbatch_options": options], on: repository.desk)
    }

    @Test func eachLayerWinsOverTheOneBelow() async throws {
        try await withRepository(named: "fluid") { repository in
            let profile = try profile(["--mem": "1G", "-t": "1:00", "--account": "a", "--nodes": 3], on: repository)
            try repository.write("deep/sbatch.json", #"{"--time": "2:00", "-A": "b", "--qos": "low"}"#)
            try repository.write("sbatch.json", #"{"--time": "9:00"}"#)
            let json = #"{"-A": "c", "--mem": null, "--exclusive": true, "--qos": "high", "-N": 1}"#
            // The one of the folder that the user stands in counts.
            let lines = try await directives(
                repository.submit("-c", profile, "--dry-run", "--sbatch_json", json, "true", in: "deep"))
            #expect(
                lines.sorted() == [
                    "--account=c", "--exclusive", "--job-name=fluid", "--nodes=1", "--qos=high", "--time=2:00",
                ])
            #expect(
                try await directives(repository.submit("-c", profile, "--dry-run", "true")).sorted() == [
                    "--account=a", "--job-name=fluid", "--mem=1G", "--nodes=3", "--time=9:00",
                ])
        }
    }

    @Test(arguments: [
        ([], "{}", "fluid"), ([], #"{"-J": "own"}"#, "own"),
        (["-n", "typed name"], #"{"-J": "own"}"#, "\"typed name\""),
        (["--name=x"], "{}", "x"), ([], #"{"--job-name": null}"#, "fluid"),
    ])
    func theJobsName(options: [String], json: String, name: String) async throws {
        try await withRepository(named: "fluid") { repository in
            let profile = try profile([:], on: repository)
            let words = ["-c", profile, "--dry-run", "--sbatch-json=\(json)"] + options + ["true"]
            let lines = try await directives(repository.desk.submit(words, in: repository.folder))
            #expect(lines == ["--job-name=\(name)"])
        }
    }

    @Test func whereOutputGoesIsSubmitsToSay() async throws {
        try await withRepository { repository in
            let profile = try profile(["--output": "/dev/null", "-e": "elsewhere", "--chdir": "/"], on: repository)
            let finished = try await run(repository.submit("-c", profile, "--dry-run", "true"))
            #expect(finished.status == .exited(0))
            #expect(
                finished.statusLines.filter { $0.hasPrefix("warning") }.sorted() == [
                    "warning: --chdir is not used: the job runs in its run folder",
                    "warning: --error is not used: standard error goes to slurm.err in the run folder",
                    "warning: --output is not used: standard output goes to slurm.out in the run folder",
                ])
            #expect(finished.output.contains("#SBATCH --output=slurm.out\n#SBATCH --error=slurm.err\n"))
            #expect(!finished.output.contains("elsewhere"))
        }
    }

    @Test(arguments: [
        (#"{"--mem": "1G", "--mem": "2G"}"#, "--mem"), (#"{"-c": 1, "--cpus-per-task": 2}"#, "given twice"),
        (#"{"mem": "1G"}"#, "--mem"), ("{", "--sbatch_json"), (#"{"--wrap": "x"}"#, "--wrap cannot be used"),
        (#"{"--mem": {"a": 1}}"#, "--mem"), (#"{"--time": true}"#, "--time needs a value"),
    ])
    func whatCannotBeMeantIsRefused(json: String, message: String) async throws {
        try await withRepository { repository in
            let finished = try await run(repository.submit("--sbatch_json", json, "true"))
            #expect(finished.status == .exited(64))
            #expect(finished.errors.contains(message), "\(finished.errors)")
            #expect(try entries(of: repository.desk.home) == [])
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func slurmHearsThem() async throws {
        try await withDemoCluster { cluster in
            try await withRepository(named: "fluid") { repository in
                let profile = try cluster.profile(
                    on: repository.desk,
                    ["sbatch_options": ["--time": "9:00", "--mem": "300M", "-c": "1", "--comment": "from the profile"]])
                try repository.write("sbatch.json", #"{"-t": "8:00", "--requeue": true}"#)
                let json = #"{"--time": "7:00", "-c": 3, "--comment": "it's \"a\" #b \\c", "--mem": null}"#
                let finished = try await run(
                    repository.submit(
                        "-c", profile, "--no-tensorboard", "--sbatch_json", json, "sh", "-c",
                        "scontrol show job $SLURM_JOB_ID"))
                for value in [
                    "JobName=fluid\n", "TimeLimit=00:07:00 ", "NumCPUs=3 ", "Requeue=1 ", "MinMemoryCPU=500M ",
                    "Comment=it's \"a\" #b \\c \n",
                ] { #expect(finished.output.contains(value), "\(value) in \(finished.output)") }
            }
        }
    }

    /// submit on the access node itself, whose environment has the user's defaults for sbatch.
    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func theEnvironmentsDefaultsDoNotWin() async throws {
        try await withDemoCluster { cluster in
            try await withRepository { repository in
                let profile = try writeProfile(
                    [
                        "scheduler": "slurm", "untar_path": "\(repository.desk.folder)/runs",
                        "sbatch_options": ["--time": "9:00", "--comment": "profile"],
                    ], on: repository.desk)
                var launch = repository.submit(
                    "-c", profile, "--no-tensorboard", "-n", "mine", "sh", "-c", "scontrol show job $SLURM_JOB_ID")
                launch.environment.merge([
                    "SLURM_CONF": cluster.state + "/slurm.conf", "SBATCH_TIMELIMIT": "1:00",
                    "SBATCH_JOB_NAME": "theirs",
                    "SBATCH_OUTPUT": "/dev/null", "SBATCH_ERROR": "/dev/null", "SBATCH_OPEN_MODE": "truncate",
                    "SBATCH_ARRAY_INX": "0-1", "SBATCH_WAIT": "1", "SBATCH_PARTITION": "debug",
                ]) { $1 }
                let finished = try await run(launch)
                #expect(finished.status == .exited(0), "\(finished.errors)")
                let run = try #require(finished.job).run
                for value in [
                    "JobName=mine\n", "TimeLimit=00:09:00 ", "Comment=profile", "StdOut=\(run)/slurm.out\n",
                    "StdErr=\(run)/slurm.err\n",
                ] { #expect(finished.output.contains(value), "\(value) in \(finished.output)") }
            }
        }
    }
}
