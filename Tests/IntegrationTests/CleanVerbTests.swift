import Foundation
import Testing

/// `cluster clean`: what submit made goes, and nothing else.
@Suite(.timeLimit(.minutes(4))) struct CleanVerbTests {
    /// A place whose runs are this test's alone.
    private func withOwnRuns(
        _ place: Place, _ body: @Sendable (Workplace, _ base: String) async throws -> Void
    ) async throws {
        try await withWorkplace(place, files: ["job.sh": "echo new >result; echo out\n", "wait.sh": PromptTests.job]) {
            workplace in
            let base = workplace.repository.desk.folder + "/all runs"
            var workplace = workplace
            if let cluster = workplace.cluster {
                workplace.profile = try cluster.profile(on: workplace.repository.desk, ["untar_path": base])
            } else {
                workplace.profile = try writeProfile(["untar_path": base], on: workplace.repository.desk)
            }
            try await body(workplace, base)
        }
    }

    private func branches(_ workplace: Workplace) async throws -> [String] {
        try await workplace.repository.git("branch", "--list", "*.dirty/*", "--format=%(refname:short)")
            .split(separator: "\n").map(String.init)
    }

    /// The lines of `cluster clean` without a terminal, as fields, by their last path component.
    private func list(_ workplace: Workplace, _ words: String...) async throws -> [String: [String]] {
        var launch = workplace.cluster("clean", "--dry-run")
        launch.arguments += words
        let finished = try await run(launch).checked("cluster clean")
        let lines = finished.output.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        return Dictionary(lines.map { (URL(filePath: $0[5]).lastPathComponent, $0) }) { $1 }
    }

    @Test(arguments: Place.available) func oldRunsGoWithWhatIsHereOfThem(place: Place) async throws {
        try await withOwnRuns(place) { workplace, base in
            let plain = try await workplace.leave("true")
            try workplace.repository.write("wait.sh", PromptTests.job + "\n# changed\n")
            let dirty = try await workplace.leave("sh", "job.sh")
            try workplace.repository.write("wait.sh", PromptTests.job + "\n# changed again\n")
            let running = try await workplace.leave("sh", "wait.sh", workplace.signpost("go"))
            try await workplace.job(plain.id, comesTo: "ended")
            try await workplace.job(dirty.id, comesTo: "ended")
            try await workplace.job(running.id, comesTo: "running")
            let names = [plain, dirty, running].map { URL(filePath: $0.run).lastPathComponent }
            let project = URL(filePath: plain.run).deletingLastPathComponent().path

            // None is thirty days old.
            #expect(try await list(workplace).values.allSatisfy { $0[0] == "keep" })
            let now = try await list(workplace, "--older-than", "0s")
            #expect(now[names[0]]?.prefix(3) == ["remove", "run", plain.id])
            #expect(now[names[1]]?.last == "its results were not fetched (--unpulled)")
            #expect(now[names[2]]?.last == "its job has not ended")
            #expect(try entries(of: project) == names.sorted())
            // Without a terminal somebody has to have said yes.
            let unasked = try await run(workplace.cluster("clean", "--older-than", "0s"))
            #expect(unasked.status == .exited(64))
            #expect(unasked.errors.contains("nobody is there to ask"))
            try await withTerminal(workplace.cluster("clean", "--older-than", "0s")) { terminal in
                try await terminal.expect("Remove 1 run folder (")
                await terminal.type("n\n")
                #expect(try await terminal.finish() == .exited(0))
            }
            #expect(try entries(of: project).count == 3)

            // What is not a run, or only leads to one, is none of ours.
            let own = URL(filePath: base).appending(path: "mine/20200101-000000-aaaaaaaaaa").path
            for folder in ["", "/code", "/job"] {
                try FileManager.default.createDirectory(atPath: own + folder, withIntermediateDirectories: true)
            }
            try FileManager.default.createSymbolicLink(
                atPath: "\(project)/20200101-000000-bbbbbbbbbb", withDestinationPath: plain.run)
            let cleaned = try await run(
                workplace.cluster("clean", "--older-than", "0s", "--yes", "--all", "--unpulled"))
            #expect(cleaned.status == .exited(0), "\(cleaned.errors)")
            #expect(cleaned.errors.contains("removed 2 run folders ("), "\(cleaned.errors)")
            #expect(try entries(of: project) == ["20200101-000000-bbbbbbbbbb", names[2]])
            #expect(FileManager.default.fileExists(atPath: own))
            #expect(try workplace.records().count == 1)
            let kept = try #require(try workplace.record(of: running.id)["reference"] as? String)
            #expect(try await branches(workplace) == [String(kept.dropFirst("refs/heads/".count))])
            #expect(try await workplace.table().map { $0[0] } == [running.id])
            try workplace.raise("go")
            try await workplace.job(running.id, comesTo: "ended")
        }
    }

    @Test func whatSomebodyWorkedOnStays() async throws {
        try await withOwnRuns(.thisMachine) { workplace, base in
            try workplace.repository.write("new", "1")
            let job = try await workplace.leave("true")
            try await workplace.job(job.id, comesTo: "ended")
            let branch = try #require(try await branches(workplace).first)
            try await workplace.repository.git("checkout", "--quiet", "--force", branch)
            let cleaned = try await run(workplace.cluster("clean", "--yes", job.id)).checked("cluster clean")
            #expect(cleaned.errors.contains("kept: the branch \(branch)"), "\(cleaned.errors)")
            #expect(try await branches(workplace) == [branch])
            #expect(!FileManager.default.fileExists(atPath: job.run))
            #expect(try entries(of: base).contains(".environments") == false)
        }
    }

    @Test func fetchedResultsFailuresAndEnvironments() async throws {
        try await withOwnRuns(.thisMachine) { workplace, base in
            let fetched = try await workplace.leave("sh", "job.sh")
            let failed = try await workplace.leave("false")
            for job in [fetched, failed] { try await workplace.job(job.id, comesTo: "ended") }
            // The mark that fetching makes.
            try Data("1\n".utf8).write(to: URL(filePath: fetched.run + "/job/pulled"))
            let environment = base + "/.environments/1-2"
            try FileManager.default.createDirectory(atPath: environment, withIntermediateDirectories: true)
            for file in ["pyvenv.cfg", ".complete"] { try Data().write(to: URL(filePath: "\(environment)/\(file)")) }
            let all = try await list(workplace, "--older-than", "0s")
            #expect(all.values.map { $0[0] } == ["remove", "remove", "remove"])
            #expect(all["1-2"]?[1] == "environment")
            let failures = try await list(workplace, "--older-than", "0s", "--failed")
            #expect(failures.values.filter { $0[0] == "remove" }.map { $0[2] } == [failed.id])
            // What a job uses stays as long as it runs.
            let running = try await workplace.leave("sh", "wait.sh", workplace.signpost("go"))
            try Data((environment + "\n").utf8).write(to: URL(filePath: running.run + "/job/environment"))
            let busy = try await list(workplace, "--older-than", "0s")
            #expect(busy["1-2"]?[0] == "keep")
            #expect(busy["1-2"]?.last == "in use by job \(running.id)")
            try workplace.raise("go")
            try await workplace.job(running.id, comesTo: "ended")
            // A record whose folder is gone is all that is left of a job.
            try FileManager.default.removeItem(atPath: failed.run)
            let last = try await run(workplace.cluster("clean", "--older-than", "0s", "--yes", "--unpulled", "--json"))
            #expect(last.status == .exited(0), "\(last.errors)")
            #expect(try workplace.records() == [])
            #expect(try entries(of: base + "/.environments") == [])
            let objects = try last.output.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
            #expect(Set(objects.compactMap { $0?["what"] as? String }) == ["run", "record", "environment"])
        }
    }
}
