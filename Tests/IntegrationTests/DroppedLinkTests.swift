import Foundation
import Testing

/// What a link that breaks does to a job that is watched: nothing.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(3)))
struct DroppedLinkTests {
    /// Prints numbered lines on both streams until a file appears, and then how many there were.
    private let job = """
        import os, sys, time
        number = 0
        while not os.path.exists(sys.argv[1]):
            number += 1
            print("out", number)
            print("err", number, file=sys.stderr)
            time.sleep(0.005)
        print("all", number)

        """

    /// Starts the job over a link of its own.
    private func withJob(
        _ place: Place, pipes: Set<Launch.Stream> = [.output],
        _ body: @Sendable (Terminal, FaultyLink, Workplace, _ id: String) async throws -> Void
    ) async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster, for: place) { link, profile in
                try await withWorkplace(place, files: ["job.py": job], cluster: cluster) { workplace in
                    var workplace = workplace
                    workplace.profile = profile
                    let launch = workplace.submit("--no-tensorboard", "python", "job.py", workplace.signpost("go"))
                    try await withTerminal(launch, pipes: pipes) { [workplace] terminal in
                        try await terminal.expect(
                            "out 20\n", on: pipes.contains(.output) ? .output : .terminal, within: .seconds(60))
                        try await body(terminal, link, workplace, try #require(workplace.jobs().first))
                    }
                }
            }
        }
    }

    /// Lets the job end, and expects every line of both streams once.
    private func expectAllLines(_ terminal: Terminal, _ workplace: Workplace) async throws {
        try workplace.raise("go")
        let count = try #require(Int(try await terminal.expect(#/all (\d+)\n/#, on: .output).1))
        #expect(try await terminal.finish() == .exited(0))
        let expected = (1...count).map { "out \($0)\n" }.joined() + "all \(count)\n"
        let output = String(decoding: await terminal.child.bytes(.output), as: UTF8.self)
        #expect(output == expected, "the output differs at \(output.commonPrefix(with: expected).suffix(40))")
        let errors = await terminal.text().matches(of: #/err (\d+)\n/#).compactMap { Int($0.output.1) }
        #expect(errors == Array(1...count))
    }

    @Test(arguments: Place.clusters) func noByteIsLostOrDoubled(place: Place) async throws {
        try await withJob(place) { terminal, link, workplace, id in
            for _ in 1...3 {
                link.cut(staysDown: true)
                try await terminal.expect(#/submit: the link is down \(.*\); trying to reconnect\n/#)
                try await terminal.expect("Cancel job \(id)? [y/N/d] ")
                try await Task.sleep(for: .milliseconds(300))
                link.mend()
                try await terminal.expect("submit: the link is back\n")
                let last = await terminal.text(.output).split(separator: "\n").last ?? ""
                let number = try #require(Int(last.split(separator: " ").last ?? ""))
                try await terminal.expect("out \(number + 20)\n", on: .output)
            }
            try await expectAllLines(terminal, workplace)
            #expect(link.connections >= 4)
        }
    }

    @Test(arguments: Place.clusters) func theQuestionGoesWhenTheLinkIsBack(place: Place) async throws {
        try await withJob(place) { terminal, link, workplace, id in
            link.cut()
            try await terminal.expect("\nCancel job \(id)? [y/N/d] ")
            try await terminal.expect("submit: the link is back\n")
            try await terminal.expect("err")
            #expect(await !terminal.screen.contains("Cancel job"))
            // What is typed now answers no question, not even the next one.
            await terminal.type("y\n")
            link.cut(staysDown: true)
            try await terminal.expect("Cancel job \(id)? [y/N/d] ")
            try await Task.sleep(for: .milliseconds(300))
            #expect(await terminal.screen.hasSuffix("Cancel job \(id)? [y/N/d]"))
            link.mend()
            try await terminal.expect("submit: the link is back\n")
            try await expectAllLines(terminal, workplace)
        }
    }

    @Test(arguments: Place.clusters) func withoutATerminalNobodyIsAsked(place: Place) async throws {
        try await withJob(place, pipes: [.output, .errors]) { terminal, link, workplace, id in
            link.cut()
            try await terminal.expect("submit: the link is back\n", on: .errors)
            try workplace.raise("go")
            try await terminal.expect("all ", on: .output)
            #expect(try await terminal.finish() == .exited(0))
            #expect(await terminal.text() == "")
            #expect(await !terminal.text(.errors).contains("Cancel"))
        }
    }

    @Test(arguments: Place.clusters) func yesWhileItIsDownCancelsOnceItIsBack(place: Place) async throws {
        try await withJob(place) { terminal, link, workplace, id in
            link.cut(staysDown: true)
            try await terminal.expect("Cancel job \(id)? [y/N/d] ")
            await terminal.type("y\n")
            try await terminal.expect("submit: cancelling job \(id)\n")
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await workplace.jobs() == [id])
            link.mend()
            try await terminal.expect("submit: job \(id) was cancelled")
            #expect(try await terminal.finish() == .exited(130))
            #expect(try await workplace.jobs() == [])
        }
    }

    @Test(arguments: Place.clusters) func noWhileItIsDownKeepsTrying(place: Place) async throws {
        try await withJob(place) { terminal, link, workplace, id in
            link.cut(staysDown: true)
            try await terminal.expect("Cancel job \(id)? [y/N/d] ")
            await terminal.type("n\n")
            try await Task.sleep(for: .milliseconds(700))
            link.mend()
            try await terminal.expect("submit: the link is back\n")
            try await expectAllLines(terminal, workplace)
            #expect(await terminal.text().components(separatedBy: "Cancel job").count == 2)
        }
    }

    @Test(arguments: Place.clusters) func dWhileItIsDownLeavesTheJob(place: Place) async throws {
        try await withJob(place) { terminal, link, workplace, id in
            link.cut(staysDown: true)
            try await terminal.expect("Cancel job \(id)? [y/N/d] ")
            await terminal.type("d\n")
            try await terminal.expect("submit: job \(id) goes on without this terminal")
            #expect(try await terminal.finish(within: .seconds(3)) == .exited(0))
            #expect(try await workplace.jobs() == [id])
        }
    }

    /// The job ends while nobody can see it.
    @Test(arguments: Place.clusters) func aJobThatEndsMeanwhileIsShownToItsEnd(place: Place) async throws {
        try await withJob(place) { terminal, link, workplace, id in
            link.cut(staysDown: true)
            try await terminal.expect("Cancel job \(id)? [y/N/d] ")
            try workplace.raise("go")
            try await workplace.allJobsEnd()
            link.mend()
            try await expectAllLines(terminal, workplace)
            #expect(await terminal.text().contains("submit: job \(id) ended with exit status 0"))
        }
    }

    /// No packet comes through, and nobody says so: the silence itself is noticed.
    @Test(arguments: Place.clusters) func aSilentLinkIsALostLink(place: Place) async throws {
        try await withJob(place) { terminal, link, workplace, id in
            link.silence(true)
            try await terminal.expect("Cancel job \(id)? [y/N/d] ", within: .seconds(30))
            await terminal.type("n\n")
            link.silence(false)
            try await terminal.expect("submit: the link is back\n", within: .seconds(40))
            try await expectAllLines(terminal, workplace)
        }
    }
}
