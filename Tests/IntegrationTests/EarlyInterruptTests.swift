import Foundation
import IO
import Testing

/// Ctrl-C and other ends of submit before there is a job: nothing is left on the cluster, and no record here.
@Suite(.timeLimit(.minutes(3))) struct EarlyInterruptTests {
    private let files = ["job.sh": "echo started >>\"$1\"\n"]

    /// Megabytes that do not compress.
    private func addNoise(_ workplace: Workplace, name: String = "noise.bin", megabytes: Int) async throws {
        let launch = Launch(
            program: "/bin/sh", arguments: ["-c", "head -c \(megabytes)M /dev/urandom >\(name)"],
            directory: workplace.repository.folder, environment: ["PATH": "/usr/bin:/bin"])
        _ = try await run(launch).checked("head")
    }

    private func expectNothingLeft(_ workplace: Workplace) async throws {
        // What was sent goes when the far side has noticed, which for a link that broke is a moment later.
        try await eventually("empty \(workplace.runs)", within: .seconds(20)) {
            try workplace.leftovers().isEmpty ? true : nil
        }
        #expect(try await workplace.jobs() == [])
        #expect(!FileManager.default.fileExists(atPath: workplace.signpost("started")))
    }

    @Test func duringASlowSnapshot() async throws {
        try await withWorkplace(.thisMachine, files: files) { workplace in
            for number in 1...4 { try await addNoise(workplace, name: "noise\(number).bin", megabytes: 90) }
            let repository = workplace.repository
            let before = try await repository.git("for-each-ref")
            let objects = repository.folder + "/.git/objects"
            let atRest = try FileManager.default.subpathsOfDirectory(atPath: objects).count
            try await withTerminal(workplace.submit("sh", "job.sh", workplace.signpost("started"))) { terminal in
                try await eventually("snapshot under way") {
                    try FileManager.default.subpathsOfDirectory(atPath: objects).count > atRest ? true : nil
                }
                let pressed = ContinuousClock.now
                await terminal.press(.interrupt)
                #expect(try await terminal.finish() == .exited(130))
                #expect(ContinuousClock.now - pressed < .seconds(8))
                #expect(await terminal.text() == "^C")
            }
            try await expectNothingLeft(workplace)
            #expect(try workplace.records() == [])
            #expect(try await repository.git("for-each-ref") == before)
            #expect(try await repository.git("status", "--porcelain").contains("?? noise1.bin"))
        }
    }

    @Test(arguments: [Interrupt.key, .signal(SIGTERM), .signal(SIGHUP)])
    func whileConnecting(interrupt: Interrupt) async throws {
        try await withWorkplace(.thisMachine, files: files) { workplace in
            let loop = try PollLoop()
            defer { loop.stop() }
            // Connections to it are made by the kernel, and nobody ever says a word.
            try await withListener(preferredPort: nil, loop: loop) { listener in
                let profile = workplace.signpost("silent.json")
                try Data(#"{"hostname": "127.0.0.1", "port": \#(listener.port), "user": "nobody"}"#.utf8)
                    .write(to: URL(filePath: profile))
                let launch = workplace.repository.submit("-c", profile, "sh", "job.sh")
                try await withTerminal(launch) { terminal in
                    try await terminal.expect("submit: snapshot ")
                    // By then it waits for the server's first word.
                    try await Task.sleep(for: .milliseconds(300))
                    let pressed = ContinuousClock.now
                    await interrupt.strike(terminal)
                    #expect(try await terminal.finish() == .exited(interrupt.exitStatus))
                    #expect(ContinuousClock.now - pressed < .seconds(3))
                }
            }
            #expect(try workplace.records() == [])
        }
    }

    @Test(arguments: [Interrupt.key, .signal(SIGTERM)])
    func duringASlowUpload(interrupt: Interrupt) async throws {
        try await withUpload { terminal, workplace, _ in
            await interrupt.strike(terminal)
            try await terminal.expect("submit: stopping before there is a job; Ctrl-C again leaves at once\n")
            #expect(try await terminal.finish() == .exited(interrupt.exitStatus))
            // By then it is all over: the far side has answered.
            #expect(try workplace.leftovers() == [])
            #expect(try workplace.records() == [])
            try await expectNothingLeft(workplace)
        }
    }

    @Test func aSecondCtrlCLeavesAStalledUploadAtOnce() async throws {
        try await withUpload { terminal, workplace, link in
            link.silence(true)
            await terminal.press(.interrupt)
            try await terminal.expect("stopping before there is a job")
            await terminal.press(.interrupt)
            #expect(try await terminal.finish(within: .seconds(3)) == .exited(130))
            link.silence(false)
            try await expectNothingLeft(workplace)
        }
    }

    @Test func killedDuringAnUpload() async throws {
        try await withUpload { terminal, workplace, _ in
            await terminal.child.signal(SIGKILL)
            #expect(try await terminal.finish() == .signaled(SIGKILL))
            try await expectNothingLeft(workplace)
        }
    }

    @Test func duringAnUploadToThisMachine() async throws {
        try await withWorkplace(.thisMachine, files: files) { workplace in
            try await addNoise(workplace, megabytes: 60)
            try await workplace.repository.commit("Noise")
            try await withTerminal(workplace.submit("sh", "job.sh", workplace.signpost("started"))) { terminal in
                try await eventually("incoming folder") {
                    try workplace.leftovers().contains { $0.hasPrefix(".incoming-") } ? true : nil
                }
                await terminal.press(.interrupt)
                #expect(try await terminal.finish() == .exited(130))
            }
            #expect(try workplace.leftovers() == [])
            #expect(try workplace.records() == [])
            try await expectNothingLeft(workplace)
        }
    }

    /// Starts a submission whose upload takes some ten seconds, and waits until its beginning has arrived.
    private func withUpload(
        _ body: @Sendable (Terminal, Workplace, FaultyLink) async throws -> Void
    ) async throws {
        guard Place.available.contains(.demoCluster) else { return }
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demoCluster, files: files, cluster: cluster) { workplace in
                    try await addNoise(workplace, megabytes: 20)
                    try await workplace.repository.commit("Noise")
                    link.slow(to: 2_000_000)
                    var workplace = workplace
                    workplace.profile = profile
                    let launch = workplace.submit("sh", "job.sh", workplace.signpost("started"))
                    try await withTerminal(launch) { [workplace] terminal in
                        try await eventually("incoming folder") {
                            await terminal.text()
                        } check: {
                            let noise = try workplace.leftovers().map { "\(workplace.runs)/\($0)/code/noise.bin" }
                            return noise.contains(where: FileManager.default.fileExists) ? true : nil
                        }
                        try await body(terminal, workplace, link)
                    }
                }
            }
        }
    }
}

/// A way to end submit.
enum Interrupt: Sendable, CustomTestStringConvertible {
    /// Ctrl-C.
    case key
    case signal(Int32)

    var testDescription: String {
        switch self {
        case .key: "Ctrl-C"
        case .signal(let number): "signal \(number)"
        }
    }

    var exitStatus: Int32 {
        switch self {
        case .key: 130
        case .signal(let number): 128 + number
        }
    }

    func strike(_ terminal: Terminal) async {
        switch self {
        case .key: await terminal.press(.interrupt)
        case .signal(let number): await terminal.child.signal(number)
        }
    }
}
