import Foundation
import Testing

@testable import ClusterTools

@Suite struct JobStoreTests {
    private func withStore(_ body: (JobStore, String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "/job-store-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(JobStore(environment: ["XDG_STATE_HOME": folder, "HOME": "/nowhere"]), folder)
    }

    private func job(_ token: String, id: String?, name: String = "project", at submitted: Int) -> Job {
        Job(
            token: token, name: name, phase: .submitted, id: id, run: "/scratch/\(token)", runName: token,
            project: "project", profilePath: nil, commit: "c0ffee", reference: nil, repository: "/home/ada/project",
            command: ["python", "main.py", "a b", ""], isArray: false, hasTensorBoard: true, lingers: false,
            submitted: submitted, ending: nil)
    }

    @Test func whatIsSavedIsReadBack() throws {
        try withStore { store, _ in
            let job = job("aaa", id: "42", at: 1)
            try store.save(job)
            #expect(try store.all().jobs == [job])
            var ended = job
            ended.phase = .ended
            try store.save(ended)
            #expect(try store.all().jobs == [ended])
            try store.remove(ended)
            #expect(try store.all().jobs == [])
            try store.remove(ended)
        }
    }

    @Test func recordsAreTheUsersOwn() throws {
        try withStore { store, folder in
            try store.save(job("aaa", id: "42", at: 1))
            let jobs = folder + "/cluster-tools/jobs"
            for (path, mode) in [(jobs, 0o700), (jobs + "/aaa.json", 0o600)] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.posixPermissions] as? Int == mode)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: jobs) == ["aaa.json"])
        }
    }

    @Test func wordsThatMeanAJob() throws {
        try withStore { store, _ in
            try store.save(job("aaa", id: "420", at: 1))
            try store.save(job("bbb", id: "421", name: "other", at: 2))
            try store.save(job("ccc", id: nil, at: 3))
            #expect(try store.job(nil).token == "ccc")
            #expect(try store.job("420").token == "aaa")
            #expect(try store.job("other").token == "bbb")
            #expect(try store.job("project").token == "ccc")
            #expect(try store.job("c").token == "ccc")
            #expect(throws: Failure.self) { try store.job("42") }
            #expect(throws: Failure.self) { try store.job("7") }
        }
    }

    @Test func aDamagedRecordIsNamedAndHidesNoOther() throws {
        try withStore { store, folder in
            try store.save(job("aaa", id: "42", at: 1))
            let damaged = folder + "/cluster-tools/jobs/bbb.json"
            try Data("{".utf8).write(to: URL(filePath: damaged))
            let all = try store.all()
            #expect(all.jobs.map(\.token) == ["aaa"])
            #expect(all.unreadable == [damaged])
        }
    }

    @Test func withoutAJobThereIsNoNewest() throws {
        try withStore { store, _ in
            #expect(throws: Failure.self) { try store.job(nil) }
        }
    }
}
