import Testing

@testable import ClusterTools

/// What `cluster clean` takes, and what it leaves.
@Suite struct CleaningPlanTests {
    private static let now = 1_000_000

    private func findings(_ lines: String...) -> Findings {
        var answer = Answer()
        for line in ["base 0|/s"] + lines {
            let parts = line.split(separator: " ", maxSplits: 1)
            answer.lines.append((String(parts[0]), parts.count > 1 ? String(parts[1]) : ""))
        }
        return Findings(answer)
    }

    private func job(_ run: String, ended status: Int32? = 0) -> Job {
        var job = Job.example(token: run, id: "7")
        job.run = "/s/p/" + run
        if let status { job.end(Ending(cause: .finished, status: status), at: Self.now - 100) }
        return job
    }

    private func reason(_ line: String, _ jobs: [Job], _ change: (inout CleaningPlan.Rules) -> Void = { _ in })
        -> String?
    {
        var rules = CleaningPlan.Rules(now: Self.now, age: 50)
        change(&rules)
        let plan = CleaningPlan(findings(line), jobs: jobs, rules)
        return plan.items.first.map { $0.reason ?? "remove" } ?? "nothing"
    }

    private let old = "run 0|p/a|no|999900|0|12|no|no"

    @Test func aRunGoesWhenNothingSpeaksForIt() {
        #expect(reason(old, [job("a")]) == "remove")
        #expect(reason("run 0|p/a|yes|999900|0|12|no|no", [job("a")]) == "its job has not ended")
        // What cannot be told counts as the worse.
        #expect(reason("run 0|p/a||999900|0|12||", [job("a")]) == "its job has not ended")
        #expect(reason("run 0|p/a|no|999990|0|12|no|no", [job("a")]) == "it is not that old")
        #expect(reason("run 0|p/a|no|999900|0|12|yes|no", [job("a")]) == "its results were not fetched (--unpulled)")
        #expect(reason("run 0|p/a|no|999900|0|12|yes|yes", [job("a")]) == "remove")
        #expect(reason("run 0|p/a|no|999900|0|12|yes|no", [job("a")]) { $0.takesUnpulled = true } == "remove")
        var pulled = job("a")
        pulled.pulled = 999_950
        #expect(reason("run 0|p/a|no|999900|0|12|yes|no", [pulled]) == "remove")
        #expect(reason(old, []) == "no job of this machine (--all)")
        #expect(reason(old, []) { $0.takesUnknown = true } == "remove")
        #expect(reason(old, [job("a")]) { $0.onlyFailed = true } == "it ended well")
        #expect(reason(old, [job("a", ended: 3)]) { $0.onlyFailed = true } == "remove")
        #expect(reason(old, [job("a")]) { $0.only = ["b"] } == "nothing")
    }

    @Test func whatIsDamagedIsPassedOver() {
        for line in [
            "run 0|p/a|no", "run x|p/a|no|1|0|1|no|no", "run 0|p/a|no|x|0|1|no|no", "environment 0|a", "leftover ",
        ] {
            #expect(findings(line).runs.isEmpty && findings(line).environments.isEmpty, "\(line)")
        }
    }

    @Test func environmentsStayWhileSomethingNeedsThem() {
        #expect(reason("environment 0|1-2|999000|5", []) == "remove")
        #expect(reason("environment 0|1-2|999000|5|", []) == "remove")
        #expect(reason("environment 0|1-2|999990|5|", []) == "it is not that old")
        #expect(reason("environment 0|1-2|999000|5|in use by job 7", []) == "in use by job 7")
    }

    @Test func aRecordGoesWithItsFolder() {
        let plan = CleaningPlan(findings(), jobs: [job("a"), job("b", ended: nil)], .init(now: Self.now, age: 50))
        #expect(plan.removed.map(\.path) == ["/s/p/a"])
        #expect(plan.removed.first?.thing == .record)
        // A folder that was not looked at says nothing.
        var elsewhere = job("c")
        elsewhere.run = "/other/p/c"
        #expect(CleaningPlan(findings(), jobs: [elsewhere], .init(now: Self.now, age: 50)).items == [])
    }
}
