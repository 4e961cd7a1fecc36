import Foundation
import Testing

/// A job that is watched over a link, or on an access node, that does not last.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct WatchedLinkTests {
    /// Prints numbered lines on both streams until a file appears, and then how many there were.
    private let job = """
        import os, sys, time
        number = 0
        while not os.path.exists(sys.argv[1]):
            number += 1
            print("out", number, flush=True)
            print("err", number, file=sys.stderr, flush=True)
            time.sleep(0.01)
        print("all", number)

        """

    private func withJob(
        on cluster: DemoCluster, profile: String? = nil, _ options: String...,
        body: @Sendable (Child, Workplace) async throws -> Void
    ) async throws {
        try await withWorkplace(.demoCluster, files: ["job.py": job], cluster: cluster) { workplace in
            var workplace = workplace
            if let profile { workplace.profile = profile }
            let launch = workplace.submit(["-v"] + options + ["python3", "job.py", workplace.signpost("go")])
            try await withChild(launch) { [workplace] child in
                try await lines(10, more: child)
                try await body(child, workplace)
                try workplace.raise("go")
                #expect(try await child.finish(within: .seconds(60)) == .exited(0))
                let output = String(decoding: await child.bytes(.output), as: UTF8.self)
                let count = try #require(Int(output.split(separator: " ").last?.dropLast() ?? ""))
                #expect(output == (1...count).map { "out \($0)\n" }.joined() + "all \(count)\n")
                // A note may come in the middle of a line.
                let errors = await text(.errors, of: child).replacing(#/\n?submit: [^\n]*\n/#, with: "")
                    .matches(of: #/err (\d+)/#).compactMap { Int($0.output.1) }
                #expect(errors == Array(1...count))
            }
        }
    }

    private func text(_ stream: Launch.Stream, of child: Child) async -> String {
        String(decoding: await child.bytes(stream), as: UTF8.self)
    }

    /// Waits until so many more lines have come.
    private func lines(_ count: Int, more child: Child) async throws {
        let before = await child.bytes(.output).count { $0 == UInt8(ascii: "\n") }
        try await eventually("more lines", within: .seconds(60)) {
            await text(.errors, of: child)
        } check: {
            await child.bytes(.output).count { $0 == UInt8(ascii: "\n") } >= before + count ? true : nil
        }
    }

    @Test func twentyDrops() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withJob(on: cluster, profile: profile, "--no-tensorboard") { child, _ in
                    for drop in 1...20 {
                        link.cut()
                        try await eventually("new login") { link.connections > drop ? true : nil }
                        // Not always at the same place.
                        try await lines(Int.random(in: 1...50), more: child)
                    }
                    #expect(link.connections == 21)
                    #expect(await text(.errors, of: child).components(separatedBy: "link is back\n").count == 21)
                }
            }
        }
    }

    /// As over a satellite: slow to answer is not silent.
    @Test(arguments: Place.clusters) func aLongWay(place: Place) async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster, for: place) { link, profile in
                link.delay(by: .milliseconds(300))
                try await withJob(on: cluster, profile: profile, "--no-tensorboard") { child, _ in
                    link.cut()
                    // What had come before the cut is not to be counted.
                    try await eventually("new login", within: .seconds(60)) { link.connections > 1 ? true : nil }
                    try await lines(10, more: child)
                    #expect(link.connections == 2)
                }
            }
        }
    }

    /// The wait between two attempts has grown by then, and the network's return ends it.
    @Test(.enabled(if: DemoCluster.rootObstacle == nil, "\(DemoCluster.rootObstacle ?? "")"))
    func aNetworkThatReturnsIsUsedAtOnce() async throws {
        try await withOwnDemoCluster(.init(tensorboard: false, hasHosts: true)) { cluster in
            try await withJob(on: cluster, "--no-tensorboard") { child, _ in
                try await cluster.fault("link", "laptop", "down")
                try await eventually("silence is noticed", within: .seconds(25)) {
                    await text(.errors, of: child).contains("the link is down") ? true : nil
                }
                // The next attempts would come 10, 16 and 25 s after the loss.
                try await Task.sleep(for: .seconds(16.5))
                try await cluster.fault("link", "laptop", "up")
                try await eventually("link back", within: .seconds(5)) {
                    await text(.errors, of: child)
                } check: {
                    await text(.errors, of: child).contains("the link is back") ? true : nil
                }
                try await lines(10, more: child)
            }
        }
    }

    /// What a login node does with programs that run for long is not the link's fault.
    @Test func programsThatAreKilledThereNeedNoNewLogin() async throws {
        try await withOwnDemoCluster(.init(tensorboard: false)) { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withJob(on: cluster, profile: profile, "--no-tensorboard") { child, _ in
                    for _ in 1...3 {
                        #expect(try await cluster.killRemotePrograms() > 0)
                        try await lines(20, more: child)
                    }
                    #expect(link.connections == 1)
                    let errors = await text(.errors, of: child)
                    #expect(!errors.contains("the link is down"), "\(errors)")
                }
            }
        }
    }

    /// Ten channels, new keys every megabyte, and a server that asks every other second whether we are still there.
    @Test func aStrictServer() async throws {
        let sshd = ["MaxSessions 10", "RekeyLimit 1M", "ClientAliveInterval 2", "ClientAliveCountMax 5"]
        try await withOwnDemoCluster(.init(sshd: sshd)) { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                let script = """
                    until [ -e "$1" ]; do sleep 0.1; done; sleep 5
                    head -c 20000000 /dev/urandom | tee "$2" | base64; cat data >"$3"
                    """
                let files = ["job.sh": script]
                try await withWorkplace(.demoCluster, files: files, cluster: cluster) { workplace in
                    let noise = try noise(20_000_000)
                    try noise.write(to: URL(filePath: workplace.repository.folder + "/data"))
                    let made = workplace.signpost("made"), received = workplace.signpost("received")
                    let launch = workplace.repository.submit(
                        "-c", profile, "sh", "job.sh", workplace.signpost("go"), made, received)
                    let output = try await withChild(launch) { child in
                        try await eventually("TensorBoard", within: .seconds(60)) {
                            await text(.errors, of: child).contains("TensorBoard http://") ? true : nil
                        }
                        try workplace.raise("go")
                        let status = try await child.finish(within: .seconds(90))
                        let errors = await text(.errors, of: child)
                        #expect(status == .exited(0), "\(errors)")
                        let bytes = Data(await child.bytes(.output))
                        return (bytes: Data(base64Encoded: bytes, options: .ignoreUnknownCharacters), errors: errors)
                    }
                    #expect(FileManager.default.contents(atPath: received) == noise)
                    #expect(output.bytes == FileManager.default.contents(atPath: made))
                    #expect(link.connections == 1, "\(output.errors)")
                }
            }
        }
    }

    /// Programs, tunnel and questions to the queue have one channel between them.
    @Test func aServerThatAllowsOneCommandAtATime() async throws {
        try await withOwnDemoCluster(.init(tensorboard: false, sshd: ["MaxSessions 1"])) { cluster in
            try await withJob(on: cluster, "--no-tensorboard") { child, workplace in
                try await lines(50, more: child)
                #expect(await text(.errors, of: child).contains("one channel has to do"))
            }
        }
    }

    /// More than anybody reads has come while the link was down: its end is shown, and where the rest is.
    @Test func aBacklogOfManyMegabytes() async throws {
        let script = """
            echo first line; until [ -e "$1" ]; do sleep 0.05; done
            yes 'a line of the middle' | head -c 84000000; echo; echo last line; : >"$2"
            until [ -e "$3" ]; do sleep 0.05; done
            """
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demoCluster, files: ["job.sh": script], cluster: cluster) { workplace in
                    let posts = ["write", "written", "end"].map(workplace.signpost)
                    let launch = workplace.repository.submit(
                        ["-c", profile, "--no-tensorboard", "sh", "job.sh"] + posts)
                    try await withTerminal(launch) { terminal in
                        try await terminal.expect("first line")
                        link.cut(staysDown: true)
                        try await terminal.expect("[y/N/d]")
                        try workplace.raise("write")
                        try await eventually("all that the job writes", within: .seconds(60)) {
                            FileManager.default.fileExists(atPath: posts[1]) ? true : nil
                        }
                        link.mend()
                        let gap = try await terminal.expect(
                            #/submit: (\d+) MB of output came meanwhile and are not shown: bytes (\d+) to (\d+) of (\S+)/slurm\.out/#,
                            within: .seconds(40))
                        #expect(gap.1 == "83" && Int(gap.3) ?? 0 > 80_000_000)
                        #expect(FileManager.default.fileExists(atPath: "\(gap.4)/slurm.out"))
                        try await terminal.expect("a line of the middle")
                        try await terminal.expect("last line", within: .seconds(40))
                        try workplace.raise("end")
                        #expect(try await terminal.finish() == .exited(0))
                    }
                }
            }
        }
    }
}

extension DemoCluster {
    /// Ends the programs that submit has started on the access node, and nothing else.
    ///
    /// - Returns: how many there were.
    fileprivate func killRemotePrograms() async throws -> Int {
        let script = """
            of() { for p in $(pgrep -P "$1"); do echo "$p"; of "$p"; done; }
            read -r server rest <"$1"
            for p in $(of "$server"); do
                case $(tr '\\0' ' ' <"/proc/$p/cmdline") in
                    *"dd bs="*) kill -KILL "$p" && echo "$p" ;;
                esac
            done
            """
        let launch = Launch(
            program: "/bin/sh", arguments: ["-c", script, "kill", "\(state)/pids/sshd"], directory: "/",
            environment: ["PATH": "/usr/bin:/bin"])
        return try await run(launch).output.split(separator: "\n").count
    }
}
