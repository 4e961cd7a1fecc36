import Foundation
import Testing

/// `cluster jobs`: what is known of all jobs, on all clusters.
@Suite(.timeLimit(.minutes(3))) struct JobsVerbTests {
    private let files = ["job.sh": PromptTests.job]

    @Test(arguments: Place.available) func aJobIsListedThroughItsLife(place: Place) async throws {
        try await withWorkplace(place, files: files) { workplace in
            #expect(try await workplace.table() == [])
            let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
            try await workplace.job(job.id, comesTo: "running")
            let row = try #require(try await workplace.table().first)
            let name = URL(filePath: workplace.repository.folder).lastPathComponent
            #expect(row.count == 10)
            #expect(row[1] == name)
            let profile = workplace.profile.map { URL(filePath: $0).deletingPathExtension().lastPathComponent }
            #expect(row[2] == profile ?? "here")
            #expect(row[4].wholeMatch(of: #/running \d+ s on \S+/#) != nil, "\(row)")
            #expect(row[8] == job.run)
            #expect(row[9] == "sh job.sh \(workplace.signpost("go"))")
            #expect(
                (try workplace.record(of: job.id)["seen"] as? [String: Any])?["words"] as? String
                    == "running on \(row[5])")

            try workplace.raise("go")
            try await workplace.job(job.id, comesTo: "ended")
            let ended = try #require(try await workplace.table().first)
            #expect(ended[4].hasPrefix("ended with exit status 5, "))
            #expect(ended[6] == "5")
            #expect(try workplace.record(of: job.id)["phase"] as? String == "ended")

            let json = try await run(workplace.cluster("jobs", "--json")).checked("cluster jobs").output
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(object["state"] as? String == "ended")
            #expect(object["exit_status"] as? Int == 5)
            #expect(object["command"] as? [String] == ["sh", "job.sh", workplace.signpost("go")])
        }
    }

    @Test func aTerminalGetsATableThatFits() async throws {
        try await withWorkplace(.thisMachine, files: files) { workplace in
            let job = try await workplace.leave(
                "sh", "job.sh", workplace.signpost("go"), String(repeating: "x", count: 200))
            try await workplace.job(job.id, comesTo: "running")
            try await withTerminal(workplace.cluster("jobs"), size: .init(columns: 72, rows: 20)) { terminal in
                let status = try await terminal.finish()
                #expect(status == .exited(0))
                let lines = await terminal.screen.split(separator: "\n")
                #expect(lines.count == 2, "\(lines)")
                #expect(lines[0].hasPrefix("JOB"))
                #expect(lines[1].hasPrefix(job.id))
                #expect(lines.allSatisfy { $0.count <= 72 })
            }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aClusterThatDoesNotAnswerHidesNoOther() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demoCluster, files: files, cluster: cluster) { workplace in
                    let far = try await workplace.leave("sh", "job.sh", workplace.signpost("go"), profile: profile)
                    let near = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
                    for job in [far, near] { try await workplace.job(job.id, comesTo: "running") }
                    link.silence(true)
                    let began = ContinuousClock.now
                    let connections = link.connections
                    let rows = try await workplace.table()
                    #expect(ContinuousClock.now - began < .seconds(20))
                    #expect(rows.map { $0[0] } == [near.id, far.id])
                    #expect(rows.map { $0[3] } == ["running", "unknown"])
                    let name = URL(filePath: profile).deletingPathExtension().lastPathComponent
                    #expect(rows[1][2] == name)
                    let words = #/unknown: cannot connect to \S+: .*; \d+ s ago: running on n\d/#
                    #expect(rows[1][4].wholeMatch(of: words) != nil, "\(rows[1])")
                    #expect(link.connections == connections + 1)
                    link.silence(false)
                }
            }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aHundredJobsAreOneQuestion() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demoCluster, files: files, cluster: cluster) { workplace in
                    var workplace = workplace
                    workplace.profile = profile
                    let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
                    try await workplace.job(job.id, comesTo: "running")
                    var record = try workplace.record(of: job.id)
                    for number in 1...100 {
                        record["token"] = "token\(number)"
                        record["id"] = "\(9_000_000 + number)"
                        record["run"] = "\(cluster.scratch)/it's gone/\(number)"
                        try workplace.write(record: record)
                    }
                    let connections = link.connections
                    let began = ContinuousClock.now
                    let rows = try await workplace.table()
                    #expect(ContinuousClock.now - began < .seconds(10))
                    #expect(link.connections == connections + 1)
                    #expect(rows.count == 101)
                    #expect(rows.filter { $0[3] == "running" }.map { $0[0] } == [job.id])
                    let gone = "unknown: the queue has forgotten it, and its run folder is gone"
                    #expect(rows.filter { $0[4].hasPrefix(gone) }.count == 100)
                }
            }
        }
    }

    /// As after the time for which the controller remembers jobs, or after it lost its state.
    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aJobThatTheQueueHasForgottenIsKnownByItsFiles() async throws {
        try await withWorkplace(.demoCluster, files: files) { workplace in
            try workplace.raise("go")
            let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
            try await workplace.allJobsEnd()
            var record = try workplace.record(of: job.id)
            record["id"] = "9999999"
            try workplace.write(record: record)
            let row = try #require(try await workplace.table().first)
            #expect(row[3] == "ended")
            #expect(row[4].hasPrefix("ended with exit status 5, "), "\(row)")
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aRunFolderThatIsGoneLeavesTheQueue() async throws {
        try await withWorkplace(.demoCluster, files: files) { workplace in
            let job = try await workplace.leave("sh", "-c", "sleep 300")
            // The queue says so before the script has begun, which would end without its folder.
            let folder = URL(filePath: job.run).lastPathComponent
            try await eventually("start of the command", within: .seconds(30)) {
                try workplace.state("state", of: folder) == "running" ? true : nil
            }
            // In one step: the job writes there now and then.
            try FileManager.default.moveItem(atPath: job.run, toPath: workplace.signpost("away"))
            #expect(try await workplace.table().map { $0[3] } == ["running"])
            let logs = try await run(workplace.cluster("logs", job.id))
            #expect(logs.status == .exited(66))
            #expect(
                logs.errors.hasPrefix(
                    "cluster: error: the run folder of job \(job.id) is gone, and its output with it\n  \(job.run)"))
            let cancelled = try await run(workplace.cluster("cancel", job.id))
            #expect(cancelled.status == .exited(0), "\(cancelled.errors)")
            #expect(try await workplace.table().map { $0[4].prefix(13) } == ["was cancelled"])
        }
    }

    @Test(arguments: Place.available) func aSubmissionWithoutAnswerIsSaidToBeOne(place: Place) async throws {
        try await withWorkplace(place, files: files) { workplace in
            try workplace.raise("go")
            let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
            try await workplace.allJobsEnd()
            // As if submit had been killed before the answer came, and as if it had been before it had sent anything.
            var record = try workplace.record(of: job.id)
            let token = try #require(record["token"] as? String)
            record["phase"] = "submitting"
            for key in ["id", "run"] { record[key] = nil }
            try workplace.write(record: record)
            record["token"] = "nothing123"
            record["runName"] = "20200101-000000-nothing123"
            try workplace.write(record: record)
            #expect(Set(try await workplace.table().map { $0[3] }) == ["submitting"])

            let attached = try await run(workplace.cluster("attach", token))
            #expect(attached.status == .exited(5), "\(attached.errors)")
            #expect(attached.output == "first\nlast\n")
            let none = try await run(workplace.cluster("attach", "nothing123"))
            #expect(none.status == .exited(66))
            #expect(none.errors.contains("did not become a job"))
            #expect(try await workplace.table().map { [$0[0], $0[3]] } == [[job.id, "ended"]])
        }
    }

    @Test func manyProcessesAtOnceLoseNothing() async throws {
        try await withWorkplace(.thisMachine, files: files) { workplace in
            let jobs = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 1...4 {
                    group.addTask { try await workplace.leave("sh", "job.sh", workplace.signpost("go")).id }
                }
                for _ in 1...16 {
                    group.addTask {
                        _ = try await run(workplace.cluster("jobs")).checked("cluster jobs")
                        return ""
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.filter { !$0.isEmpty }
            }
            #expect(jobs.count == 4)
            try workplace.raise("go")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...20 {
                    group.addTask {
                        let finished = try await run(workplace.cluster("jobs")).checked("cluster jobs")
                        #expect(finished.errors == "")
                        #expect(finished.output.split(separator: "\n").count == 4)
                    }
                }
                try await group.waitForAll()
            }
            for id in jobs { try await workplace.job(id, comesTo: "ended") }
            #expect(try workplace.records().count == 4)
        }
    }

    @Test func aFileThatIsNoRecordIsToldAndHidesNothing() async throws {
        try await withWorkplace(.thisMachine, files: files) { workplace in
            try workplace.raise("go")
            let job = try await workplace.leave("sh", "job.sh", workplace.signpost("go"))
            let path = workplace.repository.desk.home + "/.local/state/cluster-tools/jobs/broken.json"
            try Data("{\"version\": 99}".utf8).write(to: URL(filePath: path))
            let finished = try await run(workplace.cluster("jobs"))
            #expect(finished.status == .exited(0))
            #expect(finished.output.hasPrefix(job.id))
            #expect(finished.errors == "cluster: warning: not a job's record: \(path) was written by a later version\n")
        }
    }
}
