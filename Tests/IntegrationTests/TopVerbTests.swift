import Foundation
import Testing

/// `cluster top`: what running jobs use.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(3)))
struct TopVerbTests {
    /// Keeps a core busy, and holds some memory; for a minute or two of its time, whatever becomes of us.
    private static let busy =
        "x=$(head -c 20000000 /dev/zero | tr '\\0' x); n=0; while [ $n -lt 30000000 ]; do n=$((n+1)); done"

    private func objects(_ finished: Finished) throws -> [[String: Any]] {
        try finished.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    /// Processes of this machine that sample the job of a run folder.
    private func samplers(_ mark: String) async throws -> String {
        try await run(
            Launch(
                program: "pgrep", arguments: ["-fc", "sample @[a-z0-9]+ \\S+ \(mark) "], directory: "/",
                environment: ["PATH": "/usr/bin:/bin"])
        ).output
    }

    // MARK: Places

    @Test(
        .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"), arguments: Place.clusters)
    func theNodesOfAJob(place: Place) async throws {
        try await withWorkplace(place, files: ["empty": ""]) { workplace in
            let options = #"{"--nodes": "2", "--cpus-per-task": "3", "--mem": "300M"}"#
            let submitted = try await run(
                workplace.submit(
                    "--detach", "--no-tensorboard", "--sbatch_json", options, "srun", "sh", "-c", Self.busy)
            ).checked("submit")
            let job = try #require(submitted.job)
            try await workplace.job(job.id, comesTo: "running")
            let nodes = try await eventually("both nodes", within: .seconds(30)) {
                let finished = try await run(workplace.cluster("top", job.id, "--once", "--json"))
                let nodes = try objects(finished)
                return nodes.count == 2 && nodes.allSatisfy { ($0["memory_used"] as? Int ?? 0) > 20_000_000 }
                    ? nodes : nil
            }
            #expect(Set(nodes.compactMap { $0["node"] as? String }) == ["n1", "n2"])
            for node in nodes {
                #expect(node["job"] as? String == job.id)
                #expect(node["cores"] as? Int == 3)
                #expect(node["memory_limit"] as? Int == 300 << 20)
                #expect((node["cores_used"] as? Double ?? 0) > 0.05)
                #expect((node["node_memory_total"] as? Int ?? 0) > 1 << 28)
                #expect((node["gpus"] as? [Any])?.isEmpty == true)
                let processes = try #require(node["processes"] as? [[String: Any]])
                // Each node has the busy one once, though both are this machine.
                let first = try #require(processes.first)
                #expect((first["command"] as? String)?.contains("head -c 20000000") == true)
                #expect(first["user"] as? String == NSUserName())
                #expect(
                    processes.filter {
                        ($0["command"] as? String)?.hasSuffix(Self.busy) == true && $0["state"] as? String == "R"
                    }.count == 1)
                #expect(!processes.contains { ($0["command"] as? String)?.contains("sample") == true })
            }
            let table = try await run(workplace.cluster("top", job.id))
            #expect(
                table.output.hasPrefix(
                    "job \(job.id) \(URL(filePath: workplace.repository.folder).lastPathComponent) on "))
            #expect(table.output.contains(" of 315 MB"))
            #expect(!table.output.contains("\u{1B}"))
        }
    }

    // MARK: GPUs

    /// Lends a plain machine with a job, whose nvidia-smi prints this text.
    private func withGPUs(
        _ text: String, status: Int = 0, listing: String = "",
        _ body: @Sendable (PlainMachine, _ id: String) async throws -> Void
    ) async throws {
        try await withDesk { desk in
            let programs = desk.folder + "/programs"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            try text.write(toFile: programs + "/output", atomically: true, encoding: .utf8)
            try listing.write(toFile: programs + "/listing", atomically: true, encoding: .utf8)
            let script =
                "#!/bin/sh\n[ \"$1\" = -L ] && exec cat '\(programs)/listing'; cat '\(programs)/output'; exit \(status)\n"
            try Data(script.utf8).write(to: URL(filePath: programs + "/nvidia-smi"))
            chmod(programs + "/nvidia-smi", 0o755)
            try await withPlainMachine(environment: ["PATH": "\(programs):/usr/local/bin:/usr/bin:/bin"]) { machine in
                let job = try await machine.workplace.leave("sleep", "300")
                try await machine.workplace.job(job.id, comesTo: "running")
                try await body(machine, job.id)
            }
        }
    }

    private func recording(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appending(path: "Recordings/\(name)"), encoding: .utf8)
    }

    @Test func severalGPUs() async throws {
        try await withGPUs(try recording("nvidia-smi-a5000-2.xml")) { machine, id in
            let object = try #require(
                try objects(try await run(machine.workplace.cluster("top", id, "-1", "--json"))).first)
            let gpus = try #require(object["gpus"] as? [[String: Any]])
            #expect(gpus.map { $0["power"] as? Int } == [6, 13])
            #expect(gpus.map { $0["temperature"] as? Int } == [13, 15])
            #expect(gpus.map { $0["utilization"] as? Int } == [0, 0])
            #expect(gpus.map { $0["memory_free"] as? Int } == [1678 << 20, 6862 << 20])
            let table = try await run(machine.workplace.cluster("top", id))
            #expect(
                table.output.contains("GPU 0 0 %    24 GB of 26 GB     13 °C, 6 W, RTX A5000\n"),
                "\(table.output)")
            #expect(table.output.contains(" sleep 300\n"))
        }
    }

    @Test func aGPUThatIsDivided() async throws {
        let listing = "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-5)\n  MIG 2g.20gb     Device  2: (UUID: MIG-2)\n"
        try await withGPUs(try recording("nvidia-smi-a100-mig.xml"), listing: listing) { machine, id in
            let table = try await run(machine.workplace.cluster("top", id))
            #expect(table.output.contains("GPU 0 -      "), "\(table.output)")
            for slice in 0..<4 {
                #expect(table.output.contains(" 0.\(slice)  -      14 MB of 21 GB"), "\(table.output)")
            }
        }
    }

    @Test func aDriverThatDoesNotAnswer() async throws {
        let words = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
        try await withGPUs("\n\(words)\n\n", status: 9) { machine, id in
            let object = try #require(
                try objects(try await run(machine.workplace.cluster("top", id, "-1", "--json"))).first)
            #expect(object["gpu_problem"] as? String == words)
            let table = try await run(machine.workplace.cluster("top", id))
            #expect(table.output.contains("GPU   -                         NVIDIA-SMI has failed"), "\(table.output)")
        }
    }

    // MARK: The screen

    private func withJob(
        _ body: @Sendable (Workplace, _ id: String, _ run: String) async throws -> Void
    ) async throws {
        try await withWorkplace(.thisMachine, files: ["empty": ""]) { workplace in
            let job = try await workplace.leave("sh", "-c", Self.busy)
            try await workplace.job(job.id, comesTo: "running")
            try await body(workplace, job.id, job.run)
        }
    }

    @Test func theScreen() async throws {
        try await withJob { workplace, id, folder in
            try await withTerminal(workplace.cluster("top"), size: .init(columns: 100, rows: 12)) { terminal in
                // A picture of two samples at least.
                try await terminal.expect(#/CPU +[▁▂▃▄▅▆▇█]{2} /#, within: .seconds(30))
                try await terminal.expect("q leave   c by CPU   m by memory")
                let frame = await frame(terminal)
                try #require(frame.count == 12)
                #expect(frame[0].hasPrefix("job \(id) "))
                #expect(frame[0].contains(" on here: running "))
                #expect(frame[3].hasSuffix("PID USER  CPU %  MEMORY     TIME COMMAND"), "\(frame)")
                #expect(frame[4].contains("sh -c x="), "\(frame)")
                #expect(frame.allSatisfy { $0.count <= 100 })
                await terminal.child.resize(.init(columns: 40, rows: 8))
                try await eventually("a narrow picture") {
                    let frame = await self.frame(terminal)
                    return frame.count == 8 && frame.allSatisfy { $0.count <= 40 } ? true : nil
                }
                await terminal.type("q")
                #expect(try await terminal.finish(within: .seconds(10)) == .exited(0))
                let bytes = String(decoding: await terminal.child.bytes(.terminal), as: UTF8.self)
                #expect(bytes.hasPrefix("\u{1B}[?1049h\u{1B}[?25l"))
                #expect(bytes.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
            }
            try await eventually("end of the sampler", within: .seconds(10)) {
                try await samplers("SUBMIT_RUN=\(folder)") == "0\n" ? true : nil
            }
            #expect(try await workplace.jobs() == [id])
        }
    }

    /// The lines of the last picture.
    private func frame(_ terminal: Terminal) async -> [String] {
        let all = String(decoding: await terminal.child.bytes(.terminal), as: UTF8.self)
        let frames = all.components(separatedBy: "\u{1B}[H")
        // The last one may not have come as a whole.
        guard let last = frames.last(where: { $0.contains("\u{1B}[J") }) else { return [] }
        let text = String(String.UnicodeScalarView(last.unicodeScalars.filter { $0 != "\r" }))
        return text.replacing(#/\x{1B}\[[0-9;?]*[A-Za-z]/#, with: "").components(separatedBy: "\n")
    }

    @Test func ctrlCEndsTheDisplayAlone() async throws {
        try await withJob { workplace, id, _ in
            try await withTerminal(workplace.cluster("top", id)) { terminal in
                try await terminal.expect("q leave", within: .seconds(30))
                await terminal.press(.interrupt)
                #expect(try await terminal.finish(within: .seconds(10)) == .exited(0))
                let bytes = String(decoding: await terminal.child.bytes(.terminal), as: UTF8.self)
                #expect(bytes.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
                #expect(!bytes.contains("Cancel"))
            }
            #expect(try await workplace.jobs() == [id])
            // It ends with the job, and says so.
            try await withTerminal(workplace.cluster("top", id)) { terminal in
                try await terminal.expect("q leave", within: .seconds(30))
                _ = try await run(workplace.cluster("cancel", id)).checked("cancel")
                try await terminal.expect(#/cluster: job \d+ .*: has ended/#, within: .seconds(40))
                #expect(try await terminal.finish(within: .seconds(10)) == .exited(0))
            }
        }
    }

    @Test func whatTheTerminalCannotShow() async throws {
        try await withJob { workplace, id, _ in
            let plain = workplace.cluster("top", id, environment: ["LANG": "C", "NO_COLOR": "1"])
            try await withTerminal(plain) { terminal in
                try await terminal.expect(#/CPU +[_.:=+*#-]{2} /#, within: .seconds(30))
                await terminal.type("q")
                _ = try await terminal.finish(within: .seconds(10))
                let bytes = await terminal.child.bytes(.terminal)
                #expect(bytes.allSatisfy { $0 < 128 })
                #expect(!String(decoding: bytes, as: UTF8.self).contains(#/\x{1B}\[[0-9;]*m/#))
            }
            try await withTerminal(workplace.cluster("top", id, environment: ["TERM": "dumb"])) { terminal in
                #expect(try await terminal.finish(within: .seconds(30)) == .exited(0))
                #expect(!String(decoding: await terminal.child.bytes(.terminal), as: UTF8.self).contains("\u{1B}"))
                try await terminal.expect("PID USER")
            }
        }
    }

    @Test(
        .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aBrokenLink() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demoCluster, files: ["empty": ""], cluster: cluster) { workplace in
                    var workplace = workplace
                    workplace.profile = profile
                    let job = try await workplace.leave("sleep", "300")
                    try await workplace.job(job.id, comesTo: "running")
                    try await withTerminal(workplace.cluster("top", job.id)) { terminal in
                        try await terminal.expect(": running ", within: .seconds(60))
                        link.cut(staysDown: true)
                        try await terminal.expect(": the link is down, reconnecting")
                        link.mend()
                        try await terminal.expect(": running ", within: .seconds(60))
                        // However it ends, nothing is left there.
                        await terminal.child.signal(SIGKILL)
                    }
                    try await eventually("end of the samplers", within: .seconds(15)) {
                        try await samplers("SLURM_JOB_ID=\(job.id)") == "0\n" ? true : nil
                    }
                    try await eventually("end of the steps", within: .seconds(15)) {
                        let steps = try await cluster.ssh("bash -lc 'squeue -h -s -j \(job.id) -o %i'").output
                        return steps == "\(job.id).batch\n" ? true : nil
                    }
                }
            }
        }
    }
}
