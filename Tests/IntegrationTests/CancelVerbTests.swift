import Foundation
import Testing

/// `cluster cancel`: ends jobs, and says what became of each.
@Suite(.timeLimit(.minutes(3))) struct CancelVerbTests {
    @Test(arguments: Place.available) func aTerminalIsAsked(place: Place) async throws {
        try await withWorkplace(place, files: ["empty": ""]) { workplace in
            let job = try await workplace.leave("sleep", "300")
            try await workplace.job(job.id, comesTo: "running")
            for answer in ["n\n", "\n", "what\nNo\n"] {
                try await withTerminal(workplace.cluster("cancel", job.id)) { terminal in
                    try await terminal.expect("Cancel job \(job.id)? [y/N] ")
                    await terminal.type(answer)
                    try await terminal.expect("cluster: nothing was cancelled\n")
                    #expect(try await terminal.finish() == .exited(130))
                }
            }
            #expect(try await workplace.jobs() == [job.id])
            try await withTerminal(workplace.cluster("cancel", job.id)) { terminal in
                try await terminal.expect("Cancel job \(job.id)? [y/N] ")
                await terminal.press(.interrupt)
                #expect(try await terminal.finish() == .exited(130))
            }
            try await withTerminal(workplace.cluster("cancel", job.id)) { terminal in
                try await terminal.expect("Cancel job \(job.id)? [y/N] ")
                await terminal.type("y\n")
                try await terminal.expect("cluster: cancelling job \(job.id)\n")
                try await terminal.expect("cluster: job \(job.id) was cancelled\n")
                #expect(try await terminal.finish() == .exited(0))
            }
            try await workplace.allJobsEnd(within: .seconds(3))
            #expect(try workplace.record(of: job.id)["phase"] as? String == "ended")
        }
    }

    @Test(arguments: Place.available) func severalAtOnceAndWhatHadEnded(place: Place) async throws {
        try await withWorkplace(place, files: ["empty": ""]) { workplace in
            let first = try await workplace.leave("--name", "first", "sleep", "300")
            let second = try await workplace.leave("--name", "second", "sleep", "300")
            let done = try await workplace.leave("--name", "done", "true")
            try await eventually("end of the short job") {
                try workplace.state("end", of: URL(filePath: done.run).lastPathComponent)
            }
            // Nobody is there to ask: the names are clear enough.
            let finished = try await run(workplace.cluster("cancel", "first", second.id, "done", second.id))
            #expect(finished.status == .exited(0), "\(finished.errors)")
            let lines = Set(finished.errors.split(separator: "\n"))
            #expect(
                lines == [
                    "cluster: cancelling job \(first.id)", "cluster: cancelling job \(second.id)",
                    "cluster: job \(first.id) was cancelled", "cluster: job \(second.id) was cancelled",
                    "cluster: job \(done.id) had ended already: it ended with exit status 0",
                ])
            #expect(try await workplace.jobs() == [])
            let again = try await run(workplace.cluster("cancel", first.id))
            #expect(again.status == .exited(0))
            #expect(again.errors == "cluster: job \(first.id) has ended already: it was cancelled\n")
        }
    }

    @Test func allOfThemNeedAWord() async throws {
        try await withWorkplace(.here, files: ["empty": ""]) { workplace in
            let job = try await workplace.leave("sleep", "300")
            let refused = try await run(workplace.cluster("cancel", "--all"))
            #expect(refused.status == .exited(64))
            #expect(refused.errors.contains("cancel --all would end 1 job, and nobody is there to ask"))
            #expect(try await run(workplace.cluster("cancel", "--all", job.id)).status == .exited(64))
            #expect(try await run(workplace.cluster("cancel")).status == .exited(64))
            #expect(try await run(workplace.cluster("cancel", "nothing")).status == .exited(66))
            #expect(try await workplace.jobs() == [job.id])
            let finished = try await run(workplace.cluster("cancel", "--all", "--yes"))
            #expect(finished.status == .exited(0), "\(finished.errors)")
            #expect(try await workplace.jobs() == [])
            let nothing = try await run(workplace.cluster("cancel", "--all"))
            #expect(nothing.status == .exited(0))
            #expect(nothing.errors == "cluster: there is no job to cancel\n")
        }
    }

    /// A command that does not want to end takes the scheduler's whole patience.
    @Test func theEndIsWaitedFor() async throws {
        try await withWorkplace(.here, files: ["empty": ""]) { workplace in
            let job = try await workplace.leave("sh", "-c", "trap '' TERM; while :; do sleep 0.2; done")
            try await workplace.job(job.id, comesTo: "running")
            let finished = try await run(workplace.cluster("cancel", job.id))
            #expect(finished.status == .exited(0), "\(finished.errors)")
            #expect(try await workplace.jobs() == [])
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aClusterThatCannotBeReachedKeepsNoOtherJobAlive() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demo, files: ["empty": ""], cluster: cluster) { workplace in
                    let far = try await workplace.leave("sleep", "300", profile: profile)
                    let near = try await workplace.leave("sleep", "300")
                    link.cut(staysDown: true)
                    let finished = try await run(workplace.cluster("cancel", "--all", "--yes"))
                    #expect(finished.status == .exited(69), "\(finished.errors)")
                    #expect(finished.errors.contains("job \(near.id) was cancelled\n"))
                    #expect(finished.errors.contains("job \(far.id) was not cancelled: cannot connect to "))
                    #expect(try await workplace.jobs() == [far.id])
                    link.mend()
                    #expect(try await run(workplace.cluster("cancel", "--all", "--yes")).status == .exited(0))
                }
            }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aTaskOfAnArrayAlone() async throws {
        try await withWorkplace(.demo, files: ["empty": ""]) { workplace in
            let job = try await workplace.leave("--sbatch_json", #"{"--array": "0-2"}"#, "sleep", "300")
            try await workplace.job(job.id, comesTo: "running")
            let finished = try await run(workplace.cluster("cancel", "\(job.id)_1"))
            #expect(finished.status == .exited(0), "\(finished.errors)")
            #expect(finished.errors.contains("job \(job.id)_1 was cancelled\n"))
            #expect(try await workplace.jobs().sorted() == ["\(job.id)_0", "\(job.id)_2"])
            #expect(try workplace.record(of: job.id)["phase"] as? String == "submitted")
        }
    }
}
