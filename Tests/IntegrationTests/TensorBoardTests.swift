import Foundation
import Testing

/// The page of a real TensorBoard, with real event files, through the tunnel.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct TensorBoardTests {
    static let files = [
        // Writes a curve with TensorBoard's own writer, and stays until a file appears.
        "train.py": """
        import os, sys, time
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter("runs/first")
        for step in range(100):
            value = summary_pb2.Summary.Value(tag="loss", simple_value=1 / (1 + step))
            summary = summary_pb2.Summary(value=[value])
            writer.add_event(event_pb2.Event(step=step, wall_time=time.time(), summary=summary))
        writer.flush()
        print("trained")
        while not os.path.exists(sys.argv[1]):
            time.sleep(0.05)
        sys.exit(3)

        """
    ]

    @Test(arguments: Place.availableByEachTransport) func thePageAndItsDataComeThrough(place: Place) async throws {
        try await withBoard(place) { terminal, workplace, address in
            let page = try await fetch(address)
            #expect(page.status == 200)
            #expect(page.text.contains("<title>TensorBoard</title>"))
            let tags = try await eventually("scalars") {
                let tags = try await fetch(address + "data/plugin/scalars/tags")
                return tags.text.contains("loss") ? tags : nil
            }
            #expect(tags.text == #"{"runs/first": {"loss": {"displayName": "loss", "description": ""}}}"#)
            let data = try await fetch(address + "data/plugin/scalars/scalars?run=runs%2Ffirst&tag=loss")
            let points = try #require(try JSONSerialization.jsonObject(with: Data(data.body)) as? [[Double]])
            #expect(points.map { $0[1] } == (0..<100).map { Double($0) })
            #expect(points.last?[2].rounded(toPlaces: 6) == 0.01)

            // Nothing but the secret path answers.
            let root = try #require(address.firstMatch(of: #/http:\/\/localhost:\d+/#)?.output)
            let secret = try #require(address.split(separator: "/").last)
            for path in ["/", "/data/plugin/scalars/tags", "/index.html", "/\(secret.dropLast())/", "/\(secret)0/"] {
                #expect(try await fetch(root + path).status == 404, "\(path)")
            }
            try workplace.raise("go")
            #expect(try await terminal.finish() == .exited(3))
            // The port here is given back.
            await #expect(throws: (any Error).self) { try await fetch(address, within: .seconds(3)) }
        }
    }

    @Test(arguments: Place.available) func theAddressIsPrintedOnceAndAlone(place: Place) async throws {
        try await withBoard(place) { terminal, workplace, address in
            #expect(address.wholeMatch(of: #/http:\/\/localhost:[1-9]\d*\/[0-9a-f]{32}\//#) != nil, "\(address)")
            try workplace.raise("go")
            #expect(try await terminal.finish() == .exited(3))
            let lines = await terminal.text().split(separator: "\n").filter { $0.contains("http://") }
            #expect(lines == ["submit: TensorBoard \(address)"])
        }
    }

    /// A hundred and twenty-eight bits that only the user has: in no process's arguments, in no file that others read.
    @Test(arguments: Place.available) func theSecretStaysSecret(place: Place) async throws {
        try await withBoard(place) { _, workplace, address in
            let secret = try #require(address.split(separator: "/").last)
            let processes = try await run(
                Launch(
                    program: "ps", arguments: ["-e", "-ww", "-o", "args"], directory: "/",
                    environment: ["PATH": "/usr/bin:/bin"])
            ).checked("ps").output
            #expect(processes.contains("tensorboard.py"))
            #expect(!processes.contains(secret))

            // The folders where a job, TensorBoard and submit leave files; those of others are not searched.
            let places = [workplace.runs, workplace.repository.desk.folder, "/tmp/.tensorboard-info"]
            let script = #"""
                find "$@" -type f -exec grep -lF -e "$SECRET" {} + 2>/dev/null | while IFS= read -r file; do
                    path=$file private=
                    while [ "$path" != / ]; do
                        # A file that others can neither read nor get at.
                        case $(stat -c %a "$path") in *00) private=yes ;; esac
                        path=$(dirname "$path")
                    done
                    [ -n "$private" ] && echo "private $(stat -c %a "$file") ${file##*/}" || echo "readable $file"
                done | sort -u
                """#
            let files = try await run(
                Launch(
                    program: "/bin/sh", arguments: ["-c", script, "search"] + places, directory: "/",
                    environment: ["PATH": "/usr/bin:/bin", "SECRET": String(secret)])
            ).output
            #expect(files == "private 600 tensorboard\n")
        }
    }

    @Test(arguments: Place.available) func lingeringKeepsItUntilCtrlC(place: Place) async throws {
        try await withBoard(place, "--linger") { terminal, workplace, address in
            try workplace.raise("go")
            try await terminal.expect("ended with exit status 3; TensorBoard stays up until Ctrl-C\n")
            try await Task.sleep(for: .seconds(1))
            #expect(try await fetch(address).status == 200)
            #expect(try await workplace.jobs().count == 1)
            await terminal.press(.interrupt)
            #expect(try await terminal.finish() == .exited(3))
            #expect(await !terminal.text().contains("Cancel job"))
            try await workplace.allJobsEnd(within: .seconds(5))
        }
    }

    @Test(arguments: Place.available) func withoutItTheJobEndsWithItsCommand(place: Place) async throws {
        try await withBoard(place, "--name", "short") { terminal, workplace, _ in
            try workplace.raise("go")
            #expect(try await terminal.finish(within: .seconds(15)) == .exited(3))
            try await workplace.allJobsEnd(within: .seconds(5))
            // Nothing of it runs on without the job, but for a moment what sees to that.
            try await eventually("end of all that it started", within: .seconds(20)) {
                let processes = try await run(
                    Launch(
                        program: "ps", arguments: ["-e", "-ww", "-o", "stat=,args="], directory: "/",
                        environment: ["PATH": "/usr/bin:/bin"])
                ).checked("ps").output
                return processes.contains(workplace.runs) ? nil : true
            }
        }
    }

    @Test func whereItIsMissingOneLineSaysHowToGetIt() async throws {
        // A Python that is found first, and has no module at all.
        let files = ["job.sh": "sleep 1.5; echo worked\n", "bin/python": "#!/bin/sh\nexit 1\n"]
        try await withWorkplace(.thisMachine, files: files) { workplace in
            let folder = workplace.repository.folder + "/bin"
            try FileManager.default.copyItem(atPath: folder + "/python", toPath: folder + "/python3")
            for name in ["python", "python3"] { chmod("\(folder)/\(name)", 0o755) }
            let profile = workplace.signpost("bare.json")
            try JSONEncoder().encode(["activate_python": "PATH=\(folder):$PATH"]).write(to: URL(filePath: profile))
            var workplace = workplace
            workplace.profile = profile
            let finished = try await run(workplace.submit("sh", "job.sh"))
            #expect(finished.status == .exited(0))
            #expect(finished.output == "worked\n")
            let lines = finished.errors.split(separator: "\n").filter {
                $0.localizedCaseInsensitiveContains("tensorboard")
            }
            #expect(
                lines == ["submit: no TensorBoard: not installed where the job runs; pip install tensorboard there"])
        }
    }

    @Test(arguments: Place.available, ["--no-tensorboard", "--tensorboard=false"])
    func whereItIsNotWantedThereIsNone(place: Place, option: String) async throws {
        try await withWorkplace(place, files: ["job.sh": "sleep 1; ls -A ../job\n"], hasTensorBoard: true) {
            workplace in
            let finished = try await run(workplace.submit(option, "sh", "job.sh"))
            #expect(finished.status == .exited(0))
            #expect(!finished.errors.contains("TensorBoard"))
            #expect(!finished.output.split(separator: "\n").contains { $0.hasPrefix("tensorboard.log") })
        }
    }
}

/// Submits the training of ``TensorBoardTests``, and waits until the address is printed.
///
/// - Parameters:
///   - cluster: a cluster of the test's own in place of the shared one.
///   - profile: leads there in place of the cluster's own.
func withBoard(
    _ place: Place, _ options: String..., cluster: DemoCluster? = nil, profile: String? = nil,
    body: @Sendable (Terminal, Workplace, _ address: String) async throws -> Void
) async throws {
    try await withWorkplace(place, files: TensorBoardTests.files, cluster: cluster, hasTensorBoard: true) { workplace in
        var workplace = workplace
        workplace.profile = profile ?? workplace.profile
        let command = options + ["python", "train.py", workplace.signpost("go")]
        try await withTerminal(workplace.submit(command)) { [workplace] terminal in
            let address = try await terminal.address()
            try await body(terminal, workplace, address)
        }
    }
}

extension Terminal {
    /// Waits for TensorBoard's address; a loaded machine takes its time to start it.
    func address() async throws -> String {
        String(try await expect(#/submit: TensorBoard (\S+)\n/#, within: .seconds(60)).1)
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        let scale = pow(10, Double(places))
        return (self * scale).rounded() / scale
    }
}
