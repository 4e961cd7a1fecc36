import Foundation
import Testing

/// Ends of submit that leave the job running, and what a cancelled job leaves behind.
@Suite(.timeLimit(.minutes(3))) struct LeavingTests {
    /// Submits the job of ``PromptTests``, and waits until it runs.
    private func withJob(
        _ place: Place, hasTerminal: Bool = true,
        _ body: @Sendable (Child, Workplace, _ id: String) async throws -> Void
    ) async throws {
        try await withWorkplace(place, files: ["job.sh": PromptTests.job]) { workplace in
            var launch = workplace.submit("--no-tensorboard", "sh", "job.sh", workplace.signpost("go"))
            launch.terminal = hasTerminal ? Launch.Size() : nil
            try await withChild(launch) { child in
                try await eventually("first output", within: .seconds(60)) {
                    await child.summary
                } check: {
                    let text = String(decoding: await child.bytes(hasTerminal ? .terminal : .output), as: UTF8.self)
                    return text.contains("first") ? true : nil
                }
                try await body(child, workplace, try #require(workplace.jobs().first))
            }
        }
    }

    /// The job still runs, and comes to its own end.
    private func expectUntouched(_ id: String, _ workplace: Workplace) async throws {
        // What hurts it would come with submit's end, or right after it.
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await workplace.jobs() == [id])
        try workplace.raise("go")
        try await workplace.allJobsEnd()
        let run = try #require(try workplace.leftovers().first)
        #expect(try workplace.state("exit", of: run) == "5")
        let output = try String(contentsOfFile: "\(workplace.runs)/\(run)/slurm.out", encoding: .utf8)
        #expect(output.hasSuffix("first\nlast\n"))
    }

    @Test(arguments: Place.availableByEachTransport) func ctrlCWithoutATerminalDetaches(place: Place) async throws {
        try await withJob(place, hasTerminal: false) { child, workplace, id in
            await child.signal(SIGINT)
            #expect(try await child.finish(within: .seconds(10)) == .exited(0))
            let errors = String(decoding: await child.bytes(.errors), as: UTF8.self)
            #expect(
                errors.hasSuffix(
                    "submit: job \(id) goes on without this terminal; to come back: cluster attach \(id)\n"))
            #expect(!errors.contains("Cancel"))
            #expect(await child.bytes(.output) == Array("first\n".utf8))
            try await expectUntouched(id, workplace)
        }
    }

    @Test(arguments: Place.availableByEachTransport) func aTerminatedSubmitLeavesItsJob(place: Place) async throws {
        try await withJob(place) { child, workplace, id in
            await child.signal(SIGTERM)
            #expect(try await child.finish(within: .seconds(10)) == .exited(143))
            let text = String(decoding: await child.bytes(.terminal), as: UTF8.self)
            #expect(text.contains("job \(id) goes on without this terminal"))
            try await expectUntouched(id, workplace)
        }
    }

    @Test(arguments: Place.availableByEachTransport) func aClosedTerminalLeavesTheJob(place: Place) async throws {
        try await withJob(place) { child, workplace, id in
            await child.hangUp()
            let status = try await eventually("end of submit", within: .seconds(10)) { await child.status }
            #expect(status == .exited(129))
            try await expectUntouched(id, workplace)
        }
    }

    @Test(arguments: Place.availableByEachTransport) func aKilledSubmitLeavesTheJob(place: Place) async throws {
        try await withJob(place) { child, workplace, id in
            await child.signal(SIGKILL)
            #expect(try await child.finish(within: .seconds(10)) == .signaled(SIGKILL))
            try await expectUntouched(id, workplace)
        }
    }

    @Test(arguments: [SIGTERM, SIGHUP]) func aSignalWhileTheQuestionStands(signal: Int32) async throws {
        try await withJob(.thisMachine) { child, workplace, id in
            await child.type([Terminal.Key.interrupt.rawValue])
            try await Terminal(child).expect("[y/N/d]")
            await child.signal(signal)
            #expect(try await child.finish(within: .seconds(10)) == .exited(128 + signal))
            try await expectUntouched(id, workplace)
        }
    }

    /// The job here is a process group of its own in a session of its own, which no terminal and no parent can take down.
    @Test func theJobHereIsDetached() async throws {
        try await withJob(.thisMachine) { _, workplace, id in
            let leader = try #require(Int32(id))
            #expect(getpgid(leader) == leader)
            #expect(getsid(leader) == leader)
        }
    }

    /// Children and grandchildren that want to stay: one ignores TERM, one has changed its group's parent.
    @Test func cancellingHereEndsTheWholeGroup() async throws {
        let script = """
            trap '' TERM
            sh -c 'trap "" TERM; echo grandchild $$; while :; do sleep 0.1; done' &
            (sh -c 'trap "" TERM; echo orphan $$; while :; do sleep 0.1; done' &)
            echo child $$
            while :; do sleep 0.1; done

            """
        try await withWorkplace(.thisMachine, files: ["job.sh": script]) { workplace in
            var submit = workplace.submit("--no-tensorboard", "sh", "job.sh")
            submit.environment["CLUSTER_TOOLS_KILL_WAIT"] = "3"
            try await withTerminal(submit) { terminal in
                for _ in 1...3 { try await terminal.expect(#/(grandchild|orphan|child) \d+\n/#) }
                let processes = await terminal.text().matches(of: #/(?:grandchild|orphan|child) (\d+)\n/#)
                    .compactMap { Int32($0.output.1) }
                #expect(processes.count == 3)
                await terminal.press(.interrupt)
                try await terminal.expect("[y/N/d]")
                await terminal.type("y\n")
                try await terminal.expect("was cancelled", within: .seconds(25))
                #expect(try await terminal.finish() == .exited(130))
                try await eventually("end of the group", within: .seconds(15)) {
                    processes.allSatisfy { kill($0, 0) != 0 } ? true : nil
                }
            }
        }
    }
}
