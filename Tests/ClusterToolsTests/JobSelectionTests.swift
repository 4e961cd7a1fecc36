import Testing

@testable import ClusterTools

@Suite struct JobSelectionTests {
    private let fir = "/home/ada/fir.json"
    private let oak = "/home/ada/oak.json"

    /// The newest first, as the store gives them.
    private var selection: JobSelection {
        JobSelection(jobs: [
            .example(token: "hhh", id: nil, submitted: 9),
            .example(token: "ggg", id: "7001", name: "sweep", profile: fir, submitted: 8, isArray: true),
            .example(token: "fff", id: "500", profile: oak, submitted: 7),
            .example(token: "eee", id: "500", profile: fir, submitted: 6),
            .example(token: "ddd", id: "90", name: "again", profile: fir, submitted: 5),
            .example(token: "ccc", id: "90", name: "again", profile: fir, submitted: 4),
            .example(token: "bbb", id: "421", name: "other", submitted: 2),
            .example(token: "aaa", id: "420", submitted: 1),
        ])
    }

    private func token(_ word: String?) throws -> String { try selection.job(word).job.token }

    @Test func withoutAWordTheNewest() throws {
        #expect(try token(nil) == "hhh")
        let failure = #expect(throws: Failure.self) { try JobSelection(jobs: []).job(nil) }
        #expect(failure?.status == Exit.noInput)
    }

    @Test(arguments: [
        ("420", "aaa"), ("aaa", "aaa"), ("other", "bbb"), ("c", "ccc"), ("oth", "bbb"), ("7", "ggg"),
        ("here:420", "aaa"),
        ("here:42", ""), ("oak:500", "fff"), ("fir:500", "eee"), ("fir:5", "eee"), ("oak:project", "fff"),
    ])
    func wordsThatMeanAJob(word: String, token: String) throws {
        if token.isEmpty {
            #expect(throws: Failure.self) { try self.token(word) }
        } else {
            #expect(try self.token(word) == token)
        }
    }

    @Test func aNameMeansTheNewestAndSaysSo() throws {
        let choice = try selection.job("project")
        #expect(choice.job.token == "hhh")
        #expect(choice.note == "4 jobs are called project: this is the newest, hhh")
        #expect(try selection.job("other").note == nil)
    }

    @Test func aNumberThatAClusterGaveTwiceMeansTheLaterJob() throws {
        #expect(try token("90") == "ddd")
        #expect(selection.jobs[5].isSuperseded(among: selection.jobs))
        #expect(!selection.jobs[4].isSuperseded(among: selection.jobs))
        #expect(!selection.jobs[3].isSuperseded(among: selection.jobs))
    }

    @Test func aNumberOnTwoClustersNeedsTheCluster() {
        let failure = #expect(throws: Failure.self) { try selection.job("500") }
        #expect(failure?.status == Exit.usage)
        #expect(failure?.what == "500 can mean 2 jobs")
        #expect(failure?.why == "oak:500  project  fff\nfir:500  project  eee")
        #expect(failure?.remedy == "say which cluster's: oak:500")
    }

    @Test func aBeginningThatSeveralHaveIsListed() {
        let failure = #expect(throws: Failure.self) { try selection.job("42") }
        #expect(failure?.what == "42 can mean 2 jobs")
        #expect(failure?.why == "here:421  other  bbb\nhere:420  project  aaa")
    }

    @Test func aTaskOfAnArray() throws {
        let job = try selection.job("7001_3").job
        #expect(job.task == 3)
        #expect(job.title == "7001_3")
        #expect(!job.isArray)
        #expect(try selection.job("sweep_12").job.title == "7001_12")
        #expect(try selection.job("fir:7001_3").job.title == "7001_3")
        let failure = #expect(throws: Failure.self) { try selection.job("420_3") }
        #expect(failure?.what == "job 420 is no array: it has no task 3")
    }

    @Test(arguments: ["8", "", "fir:", "fir:420", ":", "nowhere:420", "420_", "7001_x", "-1"])
    func whatMeansNoJobIsRefused(word: String) {
        let failure = #expect(throws: Failure.self) { try selection.job(word) }
        #expect(failure?.status == Exit.noInput)
    }

    @Test func whatWasNearlyRightIsSuggested() {
        let failure = #expect(throws: Failure.self) { try selection.job("othre") }
        #expect(failure?.remedy == "did you mean other?")
    }
}
