import Foundation
import Testing

/// `cluster attach`: watching a job again, from another process.
@Suite(.timeLimit(.minutes(3))) struct AttachVerbTests {
    private let files = ["job.sh": PromptTests.job]

    @Test(arguments: Place.available) func everythingThatWatchingGives(place: Place) async throws {
        try await withWorkplace(place, files: files) { workplace in
            let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
            try await withTerminal(workplace.cluster("attach")) { terminal in
                try await terminal.expect("\nfirst\n", within: .seconds(30))
                await terminal.press(.interrupt)
                try await terminal.expect("Cancel job \(job.id)? [y/N/d] ")
                await terminal.type("n\n")
                try workplace.raise("go")
                try await terminal.expect("\nlast\n")
                try await terminal.expect("cluster: job \(job.id) ended with exit status 5")
                #expect(try await terminal.finish() == .exited(5))
            }
            // And after its end, as often as one likes.
            let again = try await run(workplace.cluster("attach", job.id))
            #expect(again.status == .exited(5))
            #expect(again.output == "first\nlast\n")
            #expect(again.errors.contains("last-error\n"))
            let tail = try await run(workplace.cluster("attach", "--tail", "1", job.id))
            #expect(tail.status == .exited(5))
            #expect(tail.output == "last\n")
            #expect(tail.errors.contains("last-error\n"))
            #expect(try await run(workplace.cluster("attach", "--tail", "0")).output == "")
        }
    }

    @Test func namesAndBeginningsMeanAJob() async throws {
        try await withWorkplace(.here, files: files) { workplace in
            try workplace.raise("go")
            _ = try await workplace.leave("--name", "sweep", "true")
            let newer = try await workplace.leave("--name", "sweep", "sh", "job.sh", workplace.signpost("go"))
            let attached = try await run(workplace.cluster("attach", "sweep"))
            #expect(attached.status == .exited(5))
            #expect(attached.errors.contains("cluster: 2 jobs are called sweep: this is the newest, \(newer.id)\n"))
            let wrong = try await run(workplace.cluster("attach", "sweeep"))
            #expect(wrong.status == .exited(66))
            #expect(wrong.errors.contains("hint: did you mean sweep?"))
        }
    }

    /// The profile is part of the record: its file is not needed any more.
    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aProfileThatIsGoneOrLeadsElsewhere() async throws {
        try await withDemoCluster { cluster in
            try await withWorkplace(.demo, files: files, cluster: cluster) { workplace in
                let profile = try cluster.profile(on: workplace.repository.desk, [:])
                try workplace.raise("go")
                let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"), profile: profile)
                var values = try cluster.profileValues()
                values["hostname"] = "elsewhere.invalid"
                try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: profile))
                let moved = try await run(workplace.cluster("attach", job.id))
                #expect(moved.status == .exited(5), "\(moved.errors)")
                #expect(moved.errors.contains("leads to elsewhere.invalid now, and job \(job.id) is on 127.0.0.1"))
                try FileManager.default.removeItem(atPath: profile)
                let gone = try await run(workplace.cluster("attach", job.id))
                #expect(gone.status == .exited(5), "\(gone.errors)")
                #expect(gone.output == "first\nlast\n")
                #expect(gone.errors.contains("warning: cannot read the profile \(profile)"))
            }
        }
    }
}
