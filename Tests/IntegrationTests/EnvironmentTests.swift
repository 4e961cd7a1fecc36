import Foundation
import Testing

/// The environments of a profile's `requirements`, as jobs and `cluster env` have them.
@Suite(.timeLimit(.minutes(4))) struct EnvironmentTests {
    /// A place with a pool of its own, and a profile that makes environments from wheels that lie here.
    private func withEnvironments(
        _ place: Place, requirements: any Sendable = true, usesUv: Bool = true, files: [String: String] = [:],
        _ body: @Sendable (Workplace, _ pool: String) async throws -> Void
    ) async throws {
        guard let tools = try await PythonTools.obtain() else { return }
        let files = ["wait.sh": PromptTests.job].merging(files) { $1 }
        try await withWorkplace(place, files: files) { workplace in
            let desk = workplace.repository.desk
            _ = try await desk.makeWheel("tinyone")
            let values: [String: any Sendable] = [
                "untar_path": desk.folder + "/runs", "requirements": requirements,
                "activate_python": usesUv ? "export PATH=$PATH:'\(tools.uv)'" : "true",
                "environment": [
                    "PIP_NO_INDEX=1", "PIP_FIND_LINKS='\(desk.folder)/wheels'", "SIGNPOST='\(desk.folder)/signpost'",
                    "export PIP_NO_INDEX PIP_FIND_LINKS SIGNPOST",
                ],
            ]
            var workplace = workplace
            workplace.profile =
                try workplace.cluster?.profile(on: desk, values) ?? writeProfile(values, on: desk)
            try await body(workplace, desk.folder + "/runs/.environments")
        }
    }

    /// The lines of `cluster env`, as fields.
    private func list(_ workplace: Workplace) async throws -> [[String]] {
        let launch = workplace.cluster("env", "-c", workplace.profile ?? "")
        return try await run(launch).checked("cluster env").output.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private let program = ["python", "-c", "import sys, tinyone; print(sys.prefix, tinyone.NAME)"]

    @Test(arguments: Place.available) func oneIsMadeInTheJobForEachContent(place: Place) async throws {
        let files = ["requirements.txt": "tinyone\n"]
        // As many have it: by venv and pip.
        try await withEnvironments(place, usesUv: false, files: files) { workplace, pool in
            let launch = workplace.submit(["--no-tensorboard"] + program)
            async let one = run(launch, within: .seconds(100))
            async let other = run(launch, within: .seconds(100))
            let (first, second) = try await (one, other)
            let key = try #require(try entries(of: pool).first)
            for finished in [first, second] {
                #expect(finished.status == .exited(0), "\(finished.errors)")
                #expect(finished.output == "\(pool)/\(key) the package tinyone\n")
            }
            #expect([first, second].filter { $0.errors.contains("Successfully installed tinyone-1.0") }.count == 1)
            let third = try await run(launch)
            #expect(third.output == first.output)
            #expect(!third.errors.contains("environment"), "\(third.errors)")
            let state = try #require(third.job).run + "/job/"
            #expect(try String(contentsOfFile: state + "environment", encoding: .utf8) == "\(pool)/\(key)\n")
            // What cannot be had ends the job with the log, and leaves nothing under its name.
            try workplace.repository.write("requirements.txt", "nonesuch==0\n")
            let missing = try await run(launch)
            #expect(missing.status == .exited(69))
            #expect(missing.errors.contains("No matching distribution found for nonesuch==0"), "\(missing.errors)")
            #expect(missing.errors.contains("did not start its command: no Python environment (see above)"))
            #expect(try entries(of: pool).filter { !$0.hasPrefix(".") } == [key])
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func theTasksOfAnArrayShareOne() async throws {
        let files = SlowPackage.files(in: "slow").merging(["requirements.txt": "./slow\n"]) { $1 }
        try await withEnvironments(.demoCluster, files: files) { workplace, pool in
            try workplace.raise("signpost")
            // What a task writes into a folder that is part of the content makes no other.
            let script =
                "python -c 'import slow; print(slow.NAME)' >slow/$SLURM_ARRAY_TASK_ID; cat slow/$SLURM_ARRAY_TASK_ID"
            let launch = workplace.submit(
                "--no-tensorboard", "--sbatch_json", #"{"--array": "0-3%2"}"#, "sh", "-c", script)
            let finished = try await run(launch)
            #expect(finished.status == .exited(0), "\(finished.errors)")
            let run = try #require(finished.job).run
            let outputs = try (0...3).map { try String(contentsOfFile: "\(run)/slurm-\($0).out", encoding: .utf8) }
            #expect(outputs.allSatisfy { $0.hasSuffix("the slow package\n") }, "\(outputs)")
            let errors = try (0...3).map { try String(contentsOfFile: "\(run)/slurm-\($0).err", encoding: .utf8) }
            #expect(errors.filter { $0.contains("submit: making the environment") }.count == 1, "\(errors)")
            #expect(try entries(of: pool).count == 1)
        }
    }

    @Test func aJobThatIsCancelledMeanwhileLeavesNothing() async throws {
        let files = SlowPackage.files(in: "slow").merging(["requirements.txt": "./slow\n"]) { $1 }
        for place in Place.available {
            try await withEnvironments(place, files: files) { workplace, pool in
                let job = try await workplace.leave("true")
                try await eventually("a build") {
                    FileManager.default.fileExists(atPath: workplace.signpost("signpost.begun")) ? true : nil
                }
                _ = try await run(workplace.cluster("cancel", job.id)).checked("cluster cancel")
                try await eventually("empty pool", within: .seconds(10)) {
                    try entries(of: pool).isEmpty ? true : nil
                }
            }
        }
    }

    // MARK: On the access node

    @Test(arguments: Place.available) func oneIsMadeOnTheAccessNode(place: Place) async throws {
        let files = ["requirements.txt": "tinyone\n"]
        try await withEnvironments(place, requirements: ["build": "access"], files: files) { workplace, pool in
            let plan = try await run(workplace.submit(["--no-tensorboard", "--dry-run"] + program))
            #expect(plan.succeeded && !FileManager.default.fileExists(atPath: pool), "\(plan.errors)")
            let first = try await run(workplace.submit(["--no-tensorboard"] + program))
            let key = try #require(try entries(of: pool).first)
            #expect(first.status == .exited(0), "\(first.errors)")
            #expect(first.output == "\(pool)/\(key) the package tinyone\n")
            // Before there is a job, and not by it.
            let lines = first.statusLines
            let made = try #require(lines.firstIndex { $0 == "made the environment \(key) (requirements.txt)" })
            let submitted = try #require(lines.firstIndex { $0.hasPrefix("job ") })
            #expect(made < submitted && lines.count { $0.hasPrefix("making the environment") } == 1, "\(lines)")
            let second = try await run(workplace.submit(["--no-tensorboard"] + program))
            #expect(second.output == first.output)
            #expect(!second.errors.contains("environment"), "\(second.errors)")

            // What fails there is no job, and nothing of it is left but the log.
            try workplace.repository.write("requirements.txt", "nonesuch\n")
            let (runs, records) = (try entries(of: pool + "/../\(workplace.project)"), try workplace.records())
            let failed = try await run(workplace.submit(["--no-tensorboard"] + program))
            #expect(failed.status == .exited(69))
            #expect(failed.errors.contains("the environment could not be made on "), "\(failed.errors)")
            #expect(failed.errors.contains("nonesuch was not found"), "\(failed.errors)")
            let log = try #require(failed.errors.firstMatch(of: /; the whole log: (.+)/)).output.1
            #expect(try String(contentsOfFile: String(log), encoding: .utf8).contains("nonesuch"))
            #expect(try entries(of: pool + "/../\(workplace.project)") == runs)
            #expect(try workplace.records() == records)
            #expect(try entries(of: pool).filter { !$0.hasPrefix(".") } == [key])
        }
    }

    @Test(arguments: Place.available) func interruptsEndItThere(place: Place) async throws {
        let files = SlowPackage.files(in: "slow").merging(["requirements.txt": "./slow\n"]) { $1 }
        try await withEnvironments(place, requirements: ["build": "access"], files: files) { workplace, pool in
            let begun = workplace.signpost("signpost.begun")
            for launch in [
                workplace.submit("--no-tensorboard", "true"),
                workplace.cluster("env", "build", "-c", try #require(workplace.profile)),
            ] {
                try await withTerminal(launch) { terminal in
                    try await terminal.expect("making the environment")
                    try await terminal.expect("environment: ")
                    try await eventually("a build") { FileManager.default.fileExists(atPath: begun) ? true : nil }
                    await terminal.press(.interrupt)
                    #expect(try await terminal.finish() == .exited(130))
                }
                try await eventually("empty pool", within: .seconds(20)) {
                    // An empty folder keeps the place of a submission that was given up.
                    let runs = try entries(of: pool + "/../\(workplace.project)").filter { !$0.hasPrefix(".incoming-") }
                    return try entries(of: pool).isEmpty && runs.isEmpty ? true : nil
                }
                try FileManager.default.removeItem(atPath: begun)
            }
            #expect(try workplace.records() == [])
            #expect(try await workplace.jobs() == [])
        }
    }

    /// The next login waits for what is made there, or has it made anew: there is one job, and one environment.
    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aLinkThatBreaksMeanwhile() async throws {
        let files = SlowPackage.files(in: "slow").merging(["requirements.txt": "./slow\n"]) { $1 }
        try await withEnvironments(.demoCluster, requirements: ["build": "access"], files: files) { workplace, pool in
            let cluster = try #require(workplace.cluster)
            try await withFaultyLink(to: cluster) { link, profile in
                func values(_ path: String?) throws -> [String: Any] {
                    let data = try Data(contentsOf: URL(filePath: path ?? ""))
                    return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
                }
                let byLink = try values(profile).filter { ["port", "known_hosts"].contains($0.key) }
                var workplace = workplace
                workplace.profile = try writeProfile(
                    try values(workplace.profile).merging(byLink) { $1 }, on: workplace.repository.desk)
                let launch = workplace.submit(
                    "--no-tensorboard", "python", "-c", "import sys, slow; print(sys.prefix, slow.NAME)")
                let signpost = workplace.signpost("signpost")
                let finished = try await withChild(launch) { child in
                    try await eventually("a build") {
                        FileManager.default.fileExists(atPath: signpost + ".begun") ? true : nil
                    }
                    link.cut()
                    try await Task.sleep(for: .seconds(1))
                    try Data().write(to: URL(filePath: signpost))
                    let status = try await child.finish(within: .seconds(60))
                    return (status, await child.bytes(.output), await child.bytes(.errors))
                }
                let context = String(decoding: finished.2, as: UTF8.self)
                #expect(finished.0 == .exited(0), "\(context)")
                let key = try #require(try entries(of: pool).first)
                #expect(finished.1 == Array("\(pool)/\(key) the slow package\n".utf8), "\(context)")
                #expect(context.contains("the link is back"), "\(context)")
                let runs = try entries(of: pool + "/../\(workplace.project)").filter { !$0.hasPrefix(".") }
                #expect(runs.count == 1)
            }
        }
    }

    // MARK: cluster env

    @Test(arguments: Place.available) func theyAreListedMadeAheadAndRemoved(place: Place) async throws {
        let files = ["requirements.txt": "tinyone\n"]
        try await withEnvironments(place, files: files) { workplace, pool in
            let profile = try #require(workplace.profile)
            #expect(try await list(workplace) == [])
            // The files as they are now.
            try workplace.repository.write("requirements.txt", "tinyone==1.0\n")
            let before = try await workplace.repository.git("for-each-ref")
            let built = try await run(workplace.cluster("env", "build", "-c", profile))
            #expect(built.status == .exited(0), "\(built.errors)")
            let key = try #require(try entries(of: pool).first)
            #expect(built.output == "\(pool)/\(key)\n")
            #expect(built.errors.contains("made the environment \(key) (requirements.txt)"), "\(built.errors)")
            #expect(try await workplace.repository.git("for-each-ref") == before)
            #expect(try entries(of: pool + "/../\(workplace.project)") == [])

            let job = try await workplace.leave("sh", "wait.sh", workplace.signpost("go"))
            try await workplace.job(job.id, comesTo: "running")
            // A job that runs may still be looking for it.
            let row = try await eventually("use of it", within: .seconds(20)) {
                try await list(workplace).first { $0[9] == job.id }
            }
            #expect(row[0...4] == [key, "ready", workplace.project, "requirements.txt", "uv"])
            #expect(row[5].hasPrefix("3.") && row[6] == "1" && Int(row[7]) ?? 0 > 10_000, "\(row)")
            #expect(abs((Int(row[8]) ?? 0) - Int(Date().timeIntervalSince1970)) < 60)
            #expect(row[10] == "\(pool)/\(key)")
            let json = try await run(workplace.cluster("env", "-c", profile, "--json"))
            let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(object?["jobs"] as? [String] == [job.id])
            #expect(object?["packages"] as? Int == 1)

            // What a job uses stays; nothing goes unasked.
            let busy = try await run(workplace.cluster("env", "remove", String(key.prefix(6)), "-c", profile, "--yes"))
            #expect(busy.status == .exited(75))
            #expect(busy.errors.contains("kept: \(key): in use by job \(job.id)"), "\(busy.errors)")
            try workplace.raise("go")
            try await workplace.job(job.id, comesTo: "ended")
            let unasked = try await run(workplace.cluster("env", "remove", key, "-c", profile))
            #expect(unasked.status == .exited(64) && unasked.errors.contains("nobody is there to ask"))
            let unknown = try await run(workplace.cluster("env", "remove", "0000", "-c", profile, "--yes"))
            #expect(unknown.status == .exited(64) && unknown.errors.contains("there is no environment 0000"))
            #expect(try entries(of: pool) == [key])
            try await withTerminal(workplace.cluster("env", "remove", key, "-c", profile)) { terminal in
                try await terminal.expect("Remove \(key) (")
                await terminal.type("y\n")
                #expect(try await terminal.finish() == .exited(0))
            }
            #expect(try entries(of: pool) == [])

            // A build that fails is in the list, with its log, until it is removed.
            try workplace.repository.write("requirements.txt", "nonesuch\n")
            #expect(try await run(workplace.cluster("env", "build", "-c", profile)).status == .exited(69))
            let failed = try #require(try await list(workplace).first)
            #expect(failed[1...3] == ["failed", workplace.project, "requirements.txt"])
            #expect(FileManager.default.fileExists(atPath: failed[10]), "\(failed)")
            _ = try await run(workplace.cluster("env", "remove", failed[0], "-c", profile, "--yes")).checked("remove")
            #expect(try await list(workplace) == [])
        }
    }

    @Test func whatIsTypedWrongIsSaid() async throws {
        try await withRepository { repository in
            for (words, text) in [
                (["env", "lst"], "did you mean list?"), (["env", "remove"], "which keys?"),
                (["env", "build", "x"], "\"x\" is one word too many"),
            ] {
                let finished = try await run(repository.desk.cluster(words, in: repository.folder))
                #expect(finished.status == .exited(64))
                #expect(finished.errors.contains(text), "\(finished.errors)")
            }
        }
    }
}

extension Workplace {
    /// What its runs and environments are named after.
    fileprivate var project: String { URL(filePath: repository.folder).lastPathComponent }
}
