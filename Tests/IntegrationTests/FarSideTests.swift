import Foundation
import Testing

/// Access nodes as real clusters have them: any login shell, start files that print, Slurm at a login only, few programs.
@Suite(
    .timeLimit(.minutes(3)), .enabled(if: DemoCluster.rootObstacle == nil, "\(DemoCluster.rootObstacle ?? "")"))
struct FarSideTests {
    /// The scratch folder is known after a login only, and its name has a space in it.
    private func setScratch(of cluster: DemoCluster) throws {
        for file in [".profile", ".zprofile"] {
            try cluster.append("export SCRATCH=\"$HOME/my scratch\"; umask 027", to: file)
        }
        try cluster.append("setenv SCRATCH \"$HOME/my scratch\"; umask 027", to: ".login")
        try cluster.append(
            "status is-login; and set -gx SCRATCH \"$HOME/my scratch\"; and umask 027", to: ".config/fish/config.fish")
    }

    @Test(arguments: ["bash", "zsh", "tcsh", "fish"])
    func anyLoginShellThatPrints(shell: String) async throws {
        let options = DemoCluster.Options(
            tensorboard: false, loginShell: shell, isNoisy: true, hasSlurmInLoginShellOnly: true)
        try await withOwnDemoCluster(options) { cluster in
            try setScratch(of: cluster)
            try await withRepository(files: ["deep/show": "#!/bin/sh\nprintf '<%s>' \"$@\"\nprintf bad >&2\nexit 5\n"])
            {
                try $0.write("deep/show", try $0.read("deep/show"), executable: true)
                let profile = try cluster.profile(on: $0.desk, ["untar_path": "$SCRATCH/runs"])
                let words = ["it's", "a  b", "$HOME", "`id`", "!", "x\ny", "", "*", "日本", "-c"]
                let finished = try await run(
                    $0.desk.submit(
                        ["-q", "-c", profile, "--no-tensorboard", "./show"] + words, in: $0.folder + "/deep"))
                #expect(finished.status == .exited(5), "\(finished.errors)")
                #expect(finished.output == words.map { "<\($0)>" }.joined())
                #expect(finished.errors == "bad")

                let project = cluster.state + "/home/my scratch/runs/example"
                let names = try entries(of: project)
                #expect(names.count == 1)
                let mode = try FileManager.default.attributesOfItem(atPath: "\(project)/\(names.first ?? "")")
                #expect(mode[.posixPermissions] as? Int == 0o700)
                #expect((mode[.ownerAccountName] as? String)?.hasPrefix("ctdemo") == true)
            }
        }
    }

    /// A refusal, a cancellation and a detached job go through the same shells as a job that goes well.
    @Test func aNoisyShellInAllOtherMatters() async throws {
        let options = DemoCluster.Options(
            tensorboard: false, loginShell: "tcsh", isNoisy: true, hasSlurmInLoginShellOnly: true)
        try await withOwnDemoCluster(options) { cluster in
            try await withRepository { repository in
                let refused = try await run(
                    repository.submit("-c", cluster.profile, "--sbatch_json", #"{"-p": "nosuch"}"#, "true"))
                #expect(refused.status == .exited(69))
                #expect(refused.errors.contains("\n  sbatch: error: invalid partition specified: nosuch\n"))
                #expect(!refused.errors.contains("Welcome"))
                #expect(try entries(of: cluster.scratch + "/example") == [])

                let detached = try await run(
                    repository.submit("-c", cluster.profile, "--no-tensorboard", "--detach", "sleep", "60"))
                let job = try #require(detached.job, "\(detached.errors)")
                #expect(detached.output == "\(job.id)\n")
                #expect(try String(contentsOfFile: job.run + "/job/id", encoding: .utf8) == job.id + "\n")

                let unknown = try cluster.profile(on: repository.desk, ["untar_path": "$NO_SUCH_VARIABLE/runs"])
                let finished = try await run(repository.submit("-c", unknown, "true"))
                #expect(finished.status == .exited(78))
                #expect(finished.errors.contains("NO_SUCH_VARIABLE"))
            }
        }
    }

    /// Neither Python nor Perl nor a compression program but gzip, on the access node and on the worker.
    @Test func fewPrograms() async throws {
        let options = DemoCluster.Options(tensorboard: false, loginShell: "bash", hasSlurmInLoginShellOnly: true)
        try await withOwnDemoCluster(options) { cluster in
            let programs = """
                sh bash dd tar gzip mkdir mv rm cat chmod id hostname wc tail head sed grep date sleep env readlink tr \
                dirname touch
                """
            // `bin` is what sessions that are no login have.
            let script = """
                cd "$1" && rm -r bin && mkdir bin slurm && chmod 755 bin slurm
                for name in \(programs); do ln -s "$(command -v "$name")" bin/ || exit; done
                for name in sbatch squeue scancel srun; do ln -s "$(command -v "$name")" slurm/ || exit; done
                """
            let make = Launch(
                program: "sh", arguments: ["-c", script, "sh", cluster.state], directory: "/",
                environment: ["PATH": "/usr/bin:/bin"])
            _ = try await run(make).checked("folders of few programs")
            try cluster.append("PATH=\(cluster.state)/bin:\(cluster.state)/slurm", to: ".profile")
            try await withRepository { repository in
                let finished = try await run(
                    repository.submit(
                        "-c", cluster.profile, "sh", "-c", "command -v python3 python perl zstd; echo ran; exit 3"))
                #expect(finished.output == "ran\n", "\(finished.errors)")
                #expect(finished.status == .exited(3))
                #expect(
                    finished.statusLines.contains(
                        "no TensorBoard: not installed where the job runs; pip install tensorboard there"),
                    "\(finished.errors)")
            }
        }
    }
}
