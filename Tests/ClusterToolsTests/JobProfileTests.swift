import Foundation
import Testing

@testable import ClusterTools

/// The profile that leads to a job, long after it was submitted.
@Suite struct JobProfileTests {
    private func withJob(_ body: (Job, _ path: String, _ write: (String) throws -> Void) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "/job-profile-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/fir.json"
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
        try write(#"{"hostname": "fir.example.org", "port": 22, "ssh_key": "keys/id"}"#)
        var job = Job.example(profile: path)
        job.profile = try Profile.load(path, home: "/").source
        // As a later process has it.
        try body(try Job(record: job.record, document: "record"), path, write)
    }

    @Test func theFileCounts() throws {
        try withJob { job, path, write in
            try write(#"{"hostname": "fir.example.org", "port": 2222}"#)
            let current = try job.currentProfile(home: "/")
            #expect(current.profile.port == 2222)
            #expect(current.notice == nil)
        }
    }

    @Test func aFileThatIsGoneIsNotNeeded() throws {
        try withJob { job, path, _ in
            try FileManager.default.removeItem(atPath: path)
            let current = try job.currentProfile(home: "/")
            #expect(current.profile.hostname == "fir.example.org")
            #expect(current.profile.sshKey == LocalPath.folder(of: path) + "/keys/id")
            #expect(current.profile.name == "fir")
            #expect(current.notice?.contains(path) == true)
        }
    }

    @Test func aFileThatIsBrokenIsNotNeeded() throws {
        try withJob { job, path, write in
            try write("{")
            let current = try job.currentProfile(home: "/")
            #expect(current.profile.hostname == "fir.example.org")
            #expect(current.notice?.contains("\(path):1:2") == true)
        }
    }

    @Test func aFileThatLeadsElsewhereNowIsNoticed() throws {
        try withJob { job, path, write in
            try write(#"{"hostname": "cedar.example.org"}"#)
            let current = try job.currentProfile(home: "/")
            #expect(current.profile.hostname == "fir.example.org")
            #expect(
                current.notice == "\(path) leads to cedar.example.org now, and job 42 is on fir.example.org: using the "
                    + "profile that was recorded with it")
        }
    }

    @Test func withoutAFileAndARecordedProfileThereIsAnError() throws {
        try withJob { job, path, _ in
            try FileManager.default.removeItem(atPath: path)
            var old = job
            old.profile = nil
            let failure = #expect(throws: Failure.self) { try old.currentProfile(home: "/") }
            #expect(failure?.status == Exit.noInput)
        }
    }

    @Test func thisMachineNeedsNone() throws {
        #expect(try Job.example().currentProfile(home: "/").profile == .thisMachine)
    }

    @Test func jobsOfOneClusterAreAskedAboutTogether() throws {
        func profile(_ hostname: String, user: String = "ada") -> Profile {
            var profile = Profile(name: hostname, hostname: hostname)
            profile.user = user
            return profile
        }
        let jobs = (1...5).map { Job.example(token: "t\($0)", id: "\($0)", profile: "/\($0).json") }
        let (groups, lost) = JobGroup.grouping(jobs) { job throws(Failure) in
            switch job.id {
            case "1", "4": profile("fir")
            case "2": profile("oak")
            case "3": profile("fir", user: "eve")
            default: throw Failure(Exit.noInput, "gone")
            }
        }
        #expect(groups.map { $0.jobs.map(\.title) } == [["1", "4"], ["2"], ["3"]])
        #expect(lost.map(\.job.title) == ["5"])
    }
}
