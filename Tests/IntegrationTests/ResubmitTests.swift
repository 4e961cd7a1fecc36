import Foundation
import Testing

/// `submit --resubmit`: an earlier job once more.
@Suite(.timeLimit(.minutes(3))) struct ResubmitTests {
    private static let files = [
        "show.sh": """
        echo "in $(basename "$PWD"): $(cat version)"
        printf '<%s>' "$@"
        echo
        printf 'name %s\\n' "${SLURM_JOB_NAME:-none}"

        """,
        "sub/show.sh": ". ../show.sh\n", "sub/version": "one\n",
    ]

    @Test(arguments: Place.available) func theFilesOptionsAndWordsOfThen(place: Place) async throws {
        try await withWorkplace(place, files: Self.files) { workplace in
            try workplace.repository.write("sub/version", "two, not committed\n")
            var launch = workplace.submit("--no-tensorboard", "-n", "mine", "sh", "show.sh", "a b", "$HOME", "")
            launch.directory += "/sub"
            let first = try await run(launch).checked("submit")
            let name = place == .thisMachine ? "none" : "mine"
            #expect(first.output == "in sub: two, not committed\n<a b><$HOME><>\nname \(name)\n")
            // What changes here is not for the same job.
            try workplace.repository.write("sub/version", "three\n")
            try await workplace.repository.commit("Later")
            let job = try #require(first.job)
            let again = try await run(workplace.submitAgain("--resubmit", job.id))
            #expect(again.status == .exited(0), "\(again.errors)")
            #expect(again.output == first.output)
            #expect(try #require(again.job).run != job.run)
            #expect(again.statusLines.first == first.statusLines.first?.replacing(#/ \(.*/#, with: ""))
            // The command can be another; the snapshot stays.
            let other = try await run(workplace.submitAgain("--resubmit", job.id, "cat", "version"))
            #expect(other.output == "two, not committed\n", "\(other.errors)")
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func optionsAreMergedOverThoseOfThen() async throws {
        let script = "echo $SLURM_JOB_NAME $SLURM_CPUS_PER_TASK $SLURM_MEM_PER_NODE ${SLURM_ARRAY_TASK_ID-}\n"
        try await withWorkplace(.demoCluster, files: ["show.sh": script]) { workplace in
            try workplace.repository.write("sbatch.json", #"{"--mem": "64M"}"#)
            let first = try await run(
                workplace.submit("--no-tensorboard", "--sbatch_json", #"{"-c": 2}"#, "sh", "show.sh")
            ).checked("submit")
            let name = URL(filePath: workplace.repository.folder).lastPathComponent
            #expect(first.output == "\(name) 2 64\n")
            try workplace.repository.remove("sbatch.json")
            let job = try #require(first.job)
            let again = try await run(
                workplace.submitAgain("--resubmit", job.id, "--sbatch_json", #"{"--mem": "32M"}"#, "-n", "other"))
            #expect(again.output == "other 2 32\n", "\(again.errors)")
            // Another cluster's own options are of that cluster; the user's go along.
            let elsewhere = try await withDemoCluster {
                try $0.profile(on: workplace.repository.desk, ["sbatch_options": ["--time": "5", "--mem": "16M"]])
            }
            let moved = try await run(workplace.submitAgain("-c", elsewhere, "--resubmit", job.id))
            #expect(moved.output == "\(name) 2 64\n", "\(moved.errors)")
            // One task of an array.
            let array = try await workplace.leave("--sbatch_json", #"{"--array": "3-4"}"#, "sh", "show.sh")
            try await workplace.allJobsEnd()
            let task = try await run(workplace.submitAgain("--resubmit", "\(array.id)_4"))
            let run = try #require(task.job).run
            #expect(try String(contentsOfFile: "\(run)/slurm-4.out", encoding: .utf8).contains("\(name) 1 1024 4\n"))
            #expect(!FileManager.default.fileExists(atPath: "\(run)/slurm-3.out"))
        }
    }

    @Test func whatCannotBeRepeatedIsRefusedWithTheReason() async throws {
        try await withWorkplace(.thisMachine, files: ["a": "1"]) { workplace in
            let unknown = try await run(workplace.submitAgain("--resubmit", "4242"))
            #expect(unknown.status == .exited(66))
            #expect(unknown.errors.contains("no job 4242 was submitted from this machine"))
            try workplace.repository.write("a", "2")
            let job = try await workplace.leave("true")
            try await workplace.allJobsEnd()
            var record = try workplace.record(of: job.id)
            let branch = try #require(record["reference"] as? String).dropFirst("refs/heads/".count)
            try await workplace.repository.git("branch", "-D", String(branch))
            try await workplace.repository.git("gc", "--prune=now", "--quiet")
            let gone = try await run(workplace.submitAgain("--resubmit", job.id))
            #expect(gone.status == .exited(66))
            #expect(gone.errors.contains("(\(branch)), is not in \(workplace.repository.folder)"), "\(gone.errors)")
            record["plan"] = nil
            try workplace.write(record: record)
            let old = try await run(workplace.submitAgain("--resubmit", job.id))
            #expect(old.status == .exited(65))
            #expect(old.errors.contains("does not say how it was submitted"))
        }
    }
}

extension Workplace {
    /// `submit` without naming the profile: that of the earlier job is meant.
    func submitAgain(_ words: String...) -> Launch { repository.desk.submit(words, in: repository.folder) }
}
