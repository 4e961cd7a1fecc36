import Foundation
import Testing

/// `cluster probe`: what is free, and where; and `submit --need`, which chooses by it.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(3)))
struct ProbeVerbTests {
    /// Lends a plain machine whose nvidia-smi prints this text.
    private func withGPUs(
        _ text: String, status: Int = 0, listing: String = "", by place: Place = .demoCluster, cores: Int = 16,
        _ body: @Sendable (PlainMachine, _ name: String) async throws -> Void
    ) async throws {
        try await withDesk { desk in
            let programs = desk.folder + "/programs"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            func write(_ name: String, _ script: String) throws {
                try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: "\(programs)/\(name)"))
                chmod("\(programs)/\(name)", 0o755)
            }
            try text.write(toFile: programs + "/output", atomically: true, encoding: .utf8)
            try listing.write(toFile: programs + "/listing", atomically: true, encoding: .utf8)
            try write(
                "nvidia-smi",
                "[ \"$1\" = -L ] && exec cat '\(programs)/listing'; cat '\(programs)/output'; exit \(status)")
            // What this machine has is not what is tested.
            try write("getconf", "echo \(cores)")
            try await withPlainMachine(
                by: place, environment: ["PATH": "\(programs):/usr/local/bin:/usr/bin:/bin"]
            ) { machine in
                let profile = try #require(machine.workplace.profile)
                try await body(machine, URL(filePath: profile).deletingPathExtension().lastPathComponent)
            }
        }
    }

    private func recording(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appending(path: "Recordings/\(name)"), encoding: .utf8)
    }

    private func objects(_ finished: Finished) throws -> [[String: Any]] {
        try finished.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test(arguments: Place.clusters) func gpusAndWhoUsesThem(place: Place) async throws {
        // A process that there is, so that it belongs to somebody.
        let text = try recording("nvidia-smi-a5000-2.xml").replacing("100477", with: "\(getpid())")
        try await withGPUs(text, by: place) { machine, name in
            let profile = try #require(machine.workplace.profile)
            let logins = try machine.server.logins
            let found = try objects(
                try await run(machine.workplace.cluster("probe", profile, "--json")).checked("probe"))
            let after = try machine.server.logins
            #expect(after == logins + 1)
            let object = try #require(found.first)
            #expect(found.count == 1)
            #expect(object["name"] as? String == name)
            #expect(object["cores"] as? Int == 16)
            #expect(object["runs"] as? String == machine.workplace.repository.desk.home + "/cluster-tools")
            for key in ["disk_free", "disk_total", "memory_free", "memory_total", "load"] {
                #expect((object[key] as? Double ?? -1) >= 0, "\(key) of \(object)")
            }
            let gpus = try #require(object["gpus"] as? [[String: Any]])
            #expect(gpus.map { $0["memory_free"] as? Int } == [1678 << 20, 6862 << 20])
            let users = gpus.flatMap { $0["processes"] as? [[String: Any]] ?? [] }.map { $0["user"] as? String }
            #expect(users == [NSUserName(), NSUserName()])

            try await withTerminal(machine.workplace.cluster("probe", profile), size: .init(columns: 160, rows: 24)) {
                terminal in
                let status = try await terminal.finish()
                #expect(status == .exited(0))
                let lines = await terminal.screen.split(separator: "\n")
                #expect(lines.count == 3, "\(lines)")
                #expect(lines[1].contains("0 RTX A5000: 1.8 GB of 26 GB, 0 %, \(NSUserName())"), "\(lines)")
                #expect(lines[2].contains("1 RTX A5000: 7.2 GB of 26 GB, 0 %, \(NSUserName())"), "\(lines)")
            }
        }
    }

    @Test func slices() async throws {
        let listing = "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-5)\n  MIG 2g.20gb     Device  2: (UUID: MIG-2)\n"
        try await withGPUs(try recording("nvidia-smi-a100-mig.xml"), listing: listing) { machine, _ in
            let profile = try #require(machine.workplace.profile)
            let rows = try await run(machine.workplace.cluster("probe", profile)).output.split(separator: "\n")
            #expect(rows.filter { $0.contains("\tgpu\tNVIDIA A100-SXM4-80GB 0.") }.count == 4, "\(rows)")
            // One that can be named is what a job gets.
            let finished = try await run(
                machine.workplace.submit(
                    "--need", "gpu-memory=10G", "--no-tensorboard", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"))
            #expect(finished.output == "MIG-2\n", "\(finished.errors)")
        }
    }

    @Test func aDriverThatDoesNotAnswer() async throws {
        let words =
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
        try await withGPUs("\n\(words)NVIDIA driver is installed and running.\n\n", status: 9) { machine, _ in
            let profile = try #require(machine.workplace.profile)
            let finished = try await run(machine.workplace.cluster("probe", profile, "--json")).checked("probe")
            let object = try #require(try objects(finished).first)
            #expect((object["gpu_problem"] as? String)?.hasPrefix(words) == true)
            #expect((object["gpus"] as? [Any])?.isEmpty == true)
            let need = try await run(machine.workplace.submit("--need", "gpus=1", "true"))
            #expect(need.status == .exited(69))
            #expect(need.errors.contains("no GPU can be asked: NVIDIA-SMI has failed"), "\(need.errors)")
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func partitionsAndWhatCannotBeReached() async throws {
        try await withWorkplace(.demoCluster, files: ["empty": ""]) { workplace in
            let desk = workplace.repository.desk
            let folder = desk.home + "/.config/cluster-tools/clusters"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let profile = try #require(workplace.profile)
            try FileManager.default.copyItem(atPath: profile, toPath: folder + "/fir.json")
            try Data(#"{"hostname": "127.0.0.1", "port": 1, "user": "ada"}"#.utf8).write(
                to: URL(filePath: folder + "/oak.json"))
            try Data(#"{"hostnme": "x"}"#.utf8).write(to: URL(filePath: folder + "/wrong.json"))
            try Data(#"{"hostname": "x", "user": "YOUR_NAME"}"#.utf8).write(to: URL(filePath: folder + "/yours.json"))
            let job = try await run(
                workplace.submit(
                    "--detach", "--no-tensorboard", "--sbatch_json", #"{"--gres": "gpu:a100:1"}"#, "sleep", "300")
            ).checked("submit").job
            try await workplace.job(try #require(job).id, comesTo: "running")
            // All that there are.
            let found = try objects(try await run(workplace.cluster("probe", "--json")).checked("probe"))
            #expect(found.map { $0["name"] as? String } == ["fir", "oak", "wrong", "yours", "here"])
            #expect(found.map { $0["reachable"] as? Bool } == [true, false, false, false, true])
            let reasons = found.map { $0["reason"] as? String ?? "" }
            #expect(reasons[1].hasPrefix("cannot connect to 127.0.0.1: "))
            #expect(reasons[2].contains("wrong.json: hostnme: no such key"))
            #expect(reasons[3].contains("still says \"YOUR_NAME\""))
            let partition = try #require((found[0]["partitions"] as? [[String: Any]])?.first)
            #expect(partition["name"] as? String == "debug")
            #expect(partition["nodes_total"] as? Int == 2)
            #expect(partition["cores_total"] as? Int == 16)
            let gpus = try #require(partition["gpus"] as? [[String: Any]])
            #expect(gpus.map { $0["type"] as? String } == ["a100", "h100_1g.10gb"])
            #expect(gpus.map { $0["total"] as? Int } == [4, 7])
            #expect((gpus[0]["free"] as? Int ?? 4) < 4)

            let unknown = try await run(workplace.cluster("probe", "fri"))
            #expect(unknown.status == .exited(66))
            #expect(unknown.errors.contains("did you mean fir?"))
        }
    }

    // MARK: The choice

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func theMachineThatJustFits() async throws {
        let text = try recording("nvidia-smi-gt1030.xml")
        try await withGPUs(text, cores: 1000) { machine, desk in
            let workplace = machine.workplace
            try await withDemoCluster { cluster in
                let profile = try #require(workplace.profile)
                @Sendable func submit(_ need: String, _ words: String...) -> Launch {
                    workplace.repository.desk.submit(
                        ["--need", need, "-c", cluster.profile, "-c", profile, "--no-tensorboard"] + words,
                        in: workplace.repository.folder)
                }
                let show = ["sh", "-c", "echo $CUDA_VISIBLE_DEVICES ${SLURM_JOB_ID+slurm}"]
                // The card with 2 GB, rather than a tenth of an H100 with 10 or an A100 with 40.
                let here = try await run(submit("gpu-memory=1G,disk=1M,cpus=1", show[0], show[1], show[2]))
                #expect(here.output == "GPU-857c6374-f681-cf3a-f99f-9063a87b8ac0\n", "\(here.errors)")
                #expect(
                    here.errors.contains(
                        "submit: \(desk) just fits: GPU 0 (NVIDIA GeForce GT 1030) with 1.2 GB of 2.1 GB free"),
                    "\(here.errors)")
                let there = try await run(submit("gpu-memory=8G", show[0], show[1], show[2]))
                #expect(there.output.contains("slurm"), "\(there.errors)")
                #expect(there.errors.contains("just fits: 1 h100_1g.10gb free in debug"), "\(there.errors)")
                let nowhere = try await run(submit("gpu-memory=300G", "true"))
                #expect(nowhere.status == .exited(69))
                #expect(
                    nowhere.errors.contains("submit: error: no machine has what is needed now\n"), "\(nowhere.errors)")
                #expect(
                    nowhere.errors.contains("\(desk): 1.2 GB free on a GPU at most, not 322 GB"), "\(nowhere.errors)")
                #expect(nowhere.errors.contains("of 4 a100 of 40 GB"), "\(nowhere.errors)")
            }
        }
    }

    @Test func severalProfilesAreForNeedAlone() async throws {
        try await withRepository { repository in
            // Without it the last one counts.
            let twice = try await run(repository.submit("-c", "a", "-c", "b", "true"))
            #expect(twice.errors.contains("there is no profile \"b\""))
            let dry = try await run(repository.submit("--need", "cpus=1", "--dry-run", "true"))
            #expect(dry.status == .exited(64))
        }
    }
}
