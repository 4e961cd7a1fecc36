import Slurm
import Testing

@testable import ClusterTools

@Suite struct JobTableTests {
    private let now = 10_000

    private func table() -> JobTable {
        var lost = Job.example(token: "ddd", id: "9", name: "an-experiment-with-a-long-name", profile: "/h/fir.json")
        lost.seen = .init(words: "running on fc1", at: 4_000)
        var hostile = Job.example(token: "eee", id: "8", name: "a\tb\n\u{1B}[31m", profile: "/h/fir.json")
        hostile.command = ["printf", "x\ty\n"]
        var queued = Job.example(token: "bbb", id: "4242", profile: "/h/fir.json")
        queued.command = ["python", "main.py"] + (1...20).map { "--option-\($0)" }
        return JobTable(
            rows: [
                .init(job: .example(token: "ccc12345", id: nil), status: .submitting),
                .init(job: queued, status: .queued(reason: "other jobs come first", start: nil)),
                .init(job: lost, status: .unknown(why: "cannot connect to fir")),
                .init(job: hostile, status: .running(state: .running, node: "n1", elapsed: 60, tasks: nil)),
                .init(
                    job: .example(id: "7"),
                    status: .ended(Ending(cause: .finished, status: 3), at: 9_940, isCertain: true)),
            ], now: now)
    }

    @Test(arguments: [20, 40, 60, 80, 100, 200]) func noLineIsWiderThanTheTerminal(width: Int) {
        let lines = table().aligned(width: width)
        #expect(lines.count == 6)
        // Where there is next to no room the first columns and the beginning of the state are what remains.
        #expect(lines.allSatisfy { TerminalText.width($0) <= max(width, 55) })
    }

    @Test func columnsStandBelowEachOther() {
        let lines = table().aligned(width: 120)
        #expect(
            lines == [
                "JOB       NAME                  CLUSTER  STATE                                    COMMAND",
                "ccc12345  project               here     submitting (cluster attach settles it)   python main.py 'a b' ''",
                "4242      project               fir      queued: other jobs come first            python main.py --option-1 --option-2 …",
                "9         an-experiment-with-…  fir      unknown; 1 h 40 min ago: running on fc1  python main.py 'a b' ''",
                "8         a b  [31m             fir      running 1 min on n1                      printf 'x y '",
                "7         project               here     ended with exit status 3, 1 min ago      python main.py 'a b' ''",
            ])
    }

    @Test func aPipeGetsTheSameFieldsInEveryLine() {
        let lines = table().tabSeparated()
        #expect(lines.allSatisfy { $0.split(separator: "\t", omittingEmptySubsequences: false).count == 10 })
        #expect(lines.allSatisfy { !$0.contains("\n") && !$0.contains("\u{1B}") })
        #expect(
            lines[4] == "7\tproject\there\tended\tended with exit status 3, 1 min ago\t\t3\t1\t/scratch/token12345\t"
                + "python main.py 'a b' ''")
        #expect(lines[2].contains("\tunknown\tunknown: cannot connect to fir; 1 h 40 min ago: running on fc1\t"))
    }

    @Test func aProgramGetsEverythingAsItIs() throws {
        let objects = try table().json().map { try JSONValue(parsing: $0) }
        #expect(objects[3]["name"] == "a\tb\n\u{1B}[31m")
        #expect(objects[3]["state"] == "running")
        #expect(objects[3]["elapsed"] == 60)
        #expect(objects[3]["node"] == "n1")
        #expect(objects[4]["status"] == 3)
        #expect(objects[4]["exit_status"] == 3)
        #expect(objects[0]["job"] == nil)
        #expect(objects[0]["token"] == "ccc12345")
        #expect(objects[2]["last_state"] == "running on fc1")
        #expect(objects[2]["reason"] == "cannot connect to fir")
    }

    @Test(arguments: [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abc", 0, ""), ("", 0, ""), ("日本語", 6, "日本語"), ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"), ("e\u{301}te\u{301}", 3, "e\u{301}te\u{301}"), ("ab", 1, "…"),
    ])
    func textIsCutByColumns(text: String, limit: Int, expected: String) {
        let cut = TerminalText.cut(text, to: limit)
        #expect(cut == expected)
        #expect(TerminalText.width(cut) <= limit)
    }
}
