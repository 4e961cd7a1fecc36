import Foundation
import Testing

/// `submit --pull`: results come home by themselves.
@Suite(.timeLimit(.minutes(3))) struct ResultsTests {
    private static let script = """
        [ -z "$1" ] || until [ -e "$1" ]; do sleep 0.1; done
        mkdir -p outputs && echo result >outputs/a && echo log >run.log && echo other >other; exit 3

        """

    @Test(arguments: Place.available) func comeWhenTheJobEnds(place: Place) async throws {
        try await withWorkplace(place, files: ["sub/job.sh": Self.script]) { workplace in
            var submit = workplace.submit(
                "--no-tensorboard", "--pull", "outputs/**", "--pull=*.log", "sh", "job.sh")
            submit.directory += "/sub"
            let finished = try await run(submit)
            // The command's own status, whatever is fetched afterwards.
            #expect(finished.status == .exited(3), "\(finished.errors)")
            #expect(finished.errors.contains("submit: pulled 2 files"), "\(finished.errors)")
            #expect(try workplace.repository.read("sub/outputs/a") == "result\n")
            #expect(try entries(of: workplace.repository.folder + "/sub") == ["job.sh", "outputs", "run.log"])
            let job = try #require(finished.job)
            #expect(try workplace.record(of: job.id)["pulled"] is Int)
            // What cluster clean asks for.
            #expect(FileManager.default.fileExists(atPath: job.run + "/job/pulled"))
        }
    }

    @Test(arguments: Place.available) func comeAtTheNextContact(place: Place) async throws {
        try await withWorkplace(place, files: ["job.sh": Self.script]) { workplace in
            for verb in ["jobs", "attach", "pull"] {
                let job = try await workplace.leave(
                    "--pull", "outputs", "sh", "job.sh", workplace.signpost("go-" + verb))
                #expect(try workplace.record(of: job.id)["pulled"] == nil)
                // A list while it runs fetches nothing.
                let early = try await run(workplace.cluster("jobs")).checked("cluster jobs")
                #expect(!early.errors.contains("pulled"), "\(early.errors)")
                try workplace.raise("go-" + verb)
                try await workplace.allJobsEnd()
                if verb == "pull" { _ = try await run(workplace.cluster("attach", "-q", job.id)) }
                let contact = try await run(workplace.cluster(verb, "-v"))
                #expect(
                    contact.errors.contains(verb == "pull" ? "nothing to be pulled: 1 file" : "pulled 1 file"),
                    "\(contact.errors)")
                #expect(try workplace.repository.read("outputs/a") == "result\n")
                #expect(try workplace.record(of: job.id)["pulled"] is Int)
                let again = try await run(workplace.cluster("jobs")).checked("cluster jobs")
                #expect(!again.errors.contains("pulled"), "\(again.errors)")
                try workplace.repository.remove("outputs")
            }
        }
    }

    @Test func aPatternThatLeadsOutIsRefusedBeforeAnythingIsDone() async throws {
        try await withWorkplace(.thisMachine, files: ["job.sh": Self.script]) { workplace in
            let finished = try await run(workplace.submit("--pull", "../x", "sh", "job.sh"))
            #expect(finished.status == .exited(64))
            #expect(try workplace.records() == [])
        }
    }
}
