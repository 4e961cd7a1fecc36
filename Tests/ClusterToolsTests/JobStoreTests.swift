import Foundation
import Slurm
import Testing

@testable import ClusterTools

@Suite struct JobStoreTests {
    private func withStore(_ body: (JobStore, _ jobs: String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "/job-store-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(JobStore(environment: ["XDG_STATE_HOME": folder, "HOME": "/nowhere"]), folder + "/cluster-tools/jobs")
    }

    private func job(_ token: String, id: String?, at submitted: Int = 1) -> Job {
        .example(token: token, id: id, submitted: submitted)
    }

    @Test func whatIsSavedIsReadBack() throws {
        try withStore { store, _ in
            let job = job("aaa", id: "42")
            try store.save(job)
            #expect(store.all().jobs == [job])
            var ended = job
            ended.end(Ending(cause: .timedOut, status: 143, state: "TIMEOUT", problem: "a\nb"), at: 77)
            try store.save(ended)
            #expect(store.all().jobs == [ended])
            try store.remove(ended)
            #expect(store.all().jobs == [])
            try store.remove(ended)
        }
    }

    @Test func everythingOfAJobIsInItsRecord() throws {
        var job = job("aaa", id: "42")
        job.profilePath = "/home/ada/fir.json"
        job.profile = .object([
            .init("hostname", "fir"), .init("sbatch_options", .object([.init("--mem", .number("1.0"))])),
        ])
        job.reference = "refs/heads/main.dirty/1"
        job.command = ["python", "", "a b", "\u{1B}[1m\"'\\\n", "ü"]
        job.node = "n1"
        job.seen = .init(words: "running on n1", at: 99)
        var options = SbatchOptions()
        try options.set("--mem", to: .text("1 \"G\""))
        try options.set("--requeue", to: .flag)
        try options.set("--gres", to: .removed)
        job.plan = JobPlan(
            options: options, ownOptions: SbatchOptions(), directory: "a b", logdir: ".", lingers: true,
            requeueBefore: 300)
        let record = String(decoding: job.record, as: UTF8.self)
        #expect(try Job(record: job.record, document: "x") == job)
        // For a person: a line for each thing that is known.
        #expect(record.hasPrefix("{\n  \"version\": 2,\n  \"token\": \"aaa\",\n  \"id\": \"42\",\n"))
        #expect(record.contains("\n  \"profile\": {\n    \"hostname\": \"fir\",\n"))
    }

    @Test func aRecordOfTheFirstVersionIsRead() throws {
        let record = """
            {"command": ["true"], "commit": "c0ffee", "hasTensorBoard": false, "id": "7", "isArray": false, "lingers": false,
             "name": "p", "phase": "ended", "project": "p", "repository": "/r", "run": "/s/p/1", "runName": "1",
             "ending": {"cause": "finished", "status": 3}, "submitted": 5, "token": "abc"}
            """
        let job = try Job(record: Array(record.utf8), document: "x")
        #expect(job.ending?.exitStatus == 3)
        #expect(job.phase == .ended)
        #expect(job.id == "7")
    }

    @Test func recordsAreTheUsersOwn() throws {
        try withStore { store, jobs in
            try store.save(job("aaa", id: "42"))
            for (path, mode) in [(jobs, 0o700), (jobs + "/aaa.json", 0o600), (jobs + ".lock", 0o600)] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.posixPermissions] as? Int == mode)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: jobs) == ["aaa.json"])
        }
    }

    @Test(arguments: [
        ("{", "bbb.json"), ("", "bbb.json"), ("[]", "bbb.json"), ("{\"a\": 1}", "there is no \"token\""),
        ("\u{0}\u{1}", "bbb.json"), ("{\"version\": 3}", "was written by a later version"),
    ])
    func aFileThatIsNoRecordIsNamedAndHidesNoOther(text: String, words: String) throws {
        try withStore { store, jobs in
            try store.save(job("aaa", id: "42"))
            try Data(text.utf8).write(to: URL(filePath: jobs + "/bbb.json"))
            let all = store.all()
            #expect(all.jobs.map(\.token) == ["aaa"])
            #expect(all.problems.count == 1)
            #expect(all.problems[0].description.contains(jobs + "/bbb.json"))
            #expect(all.problems[0].description.contains(words))
        }
    }

    @Test func aFolderInPlaceOfARecordHidesNoOther() throws {
        try withStore { store, jobs in
            try store.save(job("aaa", id: "42"))
            try FileManager.default.createDirectory(atPath: jobs + "/ccc.json", withIntermediateDirectories: false)
            #expect(store.all().jobs.map(\.token) == ["aaa"])
        }
    }

    @Test func anUpdateSeesWhatOthersWrote() throws {
        try withStore { store, _ in
            try store.save(job("aaa", id: "42"))
            try store.update("aaa") { $0.node = "n1" }
            try store.update("aaa") { $0.end(Ending(cause: .finished), at: 5) }
            #expect(store.all().jobs.first?.node == "n1")
            // What has ended stays as it ended.
            try store.update("aaa") { $0.learn(.running(state: .running, node: "n2", elapsed: 1, tasks: nil), now: 6) }
            #expect(store.all().jobs.first?.phase == .ended)
        }
    }

    @Test func anUpdateOfARecordThatIsGoneBringsNoneBack() throws {
        try withStore { store, jobs in
            try store.save(job("aaa", id: nil))
            try store.remove(job("aaa", id: nil))
            try store.update("aaa") { $0.node = "n1" }
            #expect(store.all().jobs == [])
        }
    }

    @Test func whatKilledProcessesLeftIsRemovedInTime() throws {
        try withStore { store, jobs in
            try store.save(job("aaa", id: "1"))
            for (name, age) in [(".old.12", 7200.0), (".new.13", 60)] {
                try Data("{".utf8).write(to: URL(filePath: "\(jobs)/\(name)"))
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: "\(jobs)/\(name)")
            }
            try store.save(job("bbb", id: "2"))
            let names = try FileManager.default.contentsOfDirectory(atPath: jobs).sorted()
            #expect(names == [".new.13", "aaa.json", "bbb.json"])
        }
    }

    @Test func aFolderThatCannotBeMadeIsToldWithAWayOut() throws {
        let store = JobStore(environment: ["XDG_STATE_HOME": "/dev/null"])
        let failure = #expect(throws: Failure.self) { try store.save(job("aaa", id: "1")) }
        #expect(failure?.status == Exit.cannotCreate)
        #expect(failure?.description.contains("/dev/null/cluster-tools/jobs") == true)
        #expect(store.all().jobs == [])
    }
}

extension Job {
    static func example(
        token: String = "token12345", id: String? = "42", name: String = "project", profile: String? = nil,
        submitted: Int = 1, isArray: Bool = false
    ) -> Job {
        Job(
            token: token, name: name, phase: id == nil ? .submitting : .submitted, id: id,
            run: id == nil ? nil : "/scratch/\(token)", runName: token, project: "project", profilePath: profile,
            commit: "c0ffee", repository: "/home/ada/project", command: ["python", "main.py", "a b", ""],
            isArray: isArray, hasTensorBoard: true, submitted: submitted)
    }
}
