import Foundation
import Testing

/// The question that Ctrl-C brings up once there is a job.
@Suite(.timeLimit(.minutes(3))) struct PromptTests {
    /// Prints, waits for a file, prints the rest and ends with status 5.
    static let job = """
        #!/bin/sh
        echo first
        until [ -e "$1" ]; do sleep 0.05; done
        echo last
        echo last-error >&2
        exit 5

        """

    /// Submits the job, waits until it runs and presses Ctrl-C.
    private func withQuestion(
        _ place: Place, _ body: @Sendable (Terminal, Workplace, _ id: String) async throws -> Void
    ) async throws {
        try await withWorkplace(place, files: ["job.sh": Self.job]) { workplace in
            let launch = workplace.submit("--no-tensorboard", "sh", "job.sh", workplace.signpost("go"))
            try await withTerminal(launch) { terminal in
                try await terminal.expect("\nfirst\n", within: .seconds(60))
                let id = try await #require(workplace.jobs().first)
                await terminal.press(.interrupt)
                try await terminal.expect("Cancel job \(id)? [y/N/d] ")
                try await body(terminal, workplace, id)
            }
        }
    }

    @Test(arguments: Place.availableByEachTransport) func yesCancelsAndWaitsForTheEnd(place: Place) async throws {
        try await withQuestion(place) { terminal, workplace, id in
            await terminal.type("y\n")
            try await terminal.expect("submit: cancelling job \(id)\n")
            try await terminal.expect("submit: job \(id) was cancelled")
            #expect(try await terminal.finish() == .exited(130))
            // Here what has ended is gone when its new parent has noticed.
            try await workplace.allJobsEnd(within: .seconds(3))
        }
    }

    @Test(arguments: Place.available, ["n\n", "N\n", "no\n", "\n"])
    func noGoesOn(place: Place, answer: String) async throws {
        try await withQuestion(place) { terminal, workplace, id in
            await terminal.type(answer)
            try workplace.raise("go")
            try await terminal.expect("\nlast\n")
            #expect(try await terminal.finish() == .exited(5))
            let text = await terminal.text()
            #expect(text.contains("last-error\n"))
            #expect(text.contains("submit: job \(id) ended with exit status 5"))
            #expect(text.components(separatedBy: "Cancel job").count == 2)
        }
    }

    @Test(arguments: Place.available) func outputWaitsForTheAnswer(place: Place) async throws {
        try await withQuestion(place) { terminal, workplace, _ in
            // The job prints and ends while the question stands: the question goes, the output comes.
            try workplace.raise("go")
            try await terminal.expect("last\n")
            #expect(try await terminal.finish() == .exited(5))
            let screen = await terminal.screen
            #expect(screen.contains("\nlast\nlast-error\n"), "\(screen)")
            #expect(!screen.contains("Cancel job"), "\(screen)")
        }
    }

    @Test(arguments: Place.available) func dLeavesItRunning(place: Place) async throws {
        try await withQuestion(place) { terminal, workplace, id in
            await terminal.type("d\n")
            try await terminal.expect(
                "submit: job \(id) goes on without this terminal; to come back: cluster attach \(id)\n")
            #expect(try await terminal.finish() == .exited(0))
            try await expectUntouched(id, workplace)
        }
    }

    @Test(arguments: [Terminal.Key.interrupt, .endOfInput])
    func aSecondCtrlCOrTheEndOfInputDetaches(key: Terminal.Key) async throws {
        try await withQuestion(.thisMachine) { terminal, workplace, id in
            await terminal.press(key)
            try await terminal.expect("submit: job \(id) goes on without this terminal")
            #expect(try await terminal.finish() == .exited(0))
            try await expectUntouched(id, workplace)
        }
    }

    @Test func anythingElseAsksAgain() async throws {
        try await withQuestion(.thisMachine) { terminal, workplace, id in
            for answer in ["maybe\n", "?\n", " x\n", "1\n"] {
                await terminal.type(answer)
                try await terminal.expect("Cancel job \(id)? [y/N/d] ")
            }
            #expect(try await workplace.jobs() == [id])
            await terminal.type("Y\n")
            try await terminal.expect("submit: job \(id) was cancelled")
            #expect(try await terminal.finish() == .exited(130))
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aQueuedJobCanBeCancelled() async throws {
        try await withWorkplace(.demoCluster, files: ["job.sh": Self.job]) { workplace in
            let launch = workplace.submit("--sbatch_json", #"{"--begin": "now+1hour"}"#, "sh", "job.sh", "go")
            try await withTerminal(launch) { terminal in
                let id = try await terminal.expect(#/submit: job (\d+) is queued: .*\n/#).1
                await terminal.press(.interrupt)
                try await terminal.expect("Cancel job \(id)? [y/N/d] ")
                await terminal.type("y\n")
                try await terminal.expect("submit: job \(id) was cancelled")
                #expect(try await terminal.finish() == .exited(130))
                #expect(try await workplace.jobs() == [])
            }
        }
    }

    @Test func theQuestionComesAsOftenAsItIsAsked() async throws {
        try await withQuestion(.thisMachine) { terminal, workplace, id in
            for _ in 1...2 {
                await terminal.type("n\n")
                // The terminal echoes it in a moment of its own.
                try await Task.sleep(for: .milliseconds(200))
                await terminal.press(.interrupt)
                try await terminal.expect("Cancel job \(id)? [y/N/d] ")
            }
            await terminal.type("yes\n")
            #expect(try await terminal.finish() == .exited(130))
        }
    }

    /// The job still runs, and comes to its own end.
    private func expectUntouched(_ id: String, _ workplace: Workplace) async throws {
        #expect(try await workplace.jobs() == [id])
        try workplace.raise("go")
        try await workplace.allJobsEnd()
        let run = try #require(try workplace.leftovers().first)
        #expect(try workplace.state("exit", of: run) == "5")
    }
}
