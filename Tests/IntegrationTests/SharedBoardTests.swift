import Foundation
import Testing

/// `cluster tensorboard`: one over many jobs.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct SharedBoardTests {
    private func leave(_ workplace: Workplace, in subfolder: String = "") async throws -> String {
        var launch = workplace.submit(
            "--detach", "--no-tensorboard", "python", "train.py", workplace.signpost("go"))
        launch.directory += "/" + subfolder
        return try #require(try await run(launch).checked("submit").job).id
    }

    @Test(arguments: Place.availableByEachTransport) func jobsThatRunAndThatEnded(place: Place) async throws {
        var files = TensorBoardTests.files
        files["sub dir/train.py"] = files["train.py"]
        try await withWorkplace(place, files: files, hasTensorBoard: true) { workplace in
            try workplace.raise("go")
            let ended = try await leave(workplace)
            try await workplace.allJobsEnd(within: .seconds(40))
            try FileManager.default.removeItem(atPath: workplace.signpost("go"))
            let running = try await leave(workplace, in: "sub dir")
            let name = URL(filePath: workplace.repository.folder).lastPathComponent
            try await withTerminal(workplace.cluster("tensorboard", ended, running)) { terminal in
                let address = String(
                    try await terminal.expect(#/cluster: TensorBoard (\S+)\n/#, within: .seconds(60)).1)
                try await eventually("both jobs' scalars", within: .seconds(40)) {
                    let text = try await fetch(address + "data/plugin/scalars/tags").text
                    let tags = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
                    return Set(tags.keys) == Set([ended, running].map { "\(name)-\($0)/runs/first" }) ? true : nil
                }
                let secret = try #require(address.split(separator: "/").last)
                let processes = try await run(
                    Launch(
                        program: "ps", arguments: ["-e", "-ww", "-o", "args"], directory: "/",
                        environment: ["PATH": "/usr/bin:/bin"])
                ).checked("ps").output
                #expect(!processes.contains(secret))
                await terminal.press(.interrupt)
                #expect(try await terminal.finish(within: .seconds(20)) == .exited(0))
                await #expect(throws: (any Error).self) { try await fetch(address, within: .seconds(3)) }
            }
            // Nothing is left there, and the job has not noticed.
            let root = URL(filePath: workplace.runs).deletingLastPathComponent().path
            #expect(try await boards(in: root, of: workplace) == [])
            #expect(try await workplace.jobs() == [running])
        }
    }

    /// The folders of boards that show a run of this workplace.
    private func boards(in root: String, of workplace: Workplace) async throws -> [String] {
        try entries(of: root).filter { $0.hasPrefix(".board-") }.filter { name in
            let runs = "\(root)/\(name)/runs"
            guard FileManager.default.fileExists(atPath: runs) else { return true }
            return try entries(of: runs).contains { link in
                try FileManager.default.destinationOfSymbolicLink(atPath: "\(runs)/\(link)").hasPrefix(workplace.runs)
            }
        }
    }

    @Test func aLinkThatBreaksFindsItAgain() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withWorkplace(.demoCluster, files: TensorBoardTests.files, cluster: cluster) { workplace in
                    try workplace.raise("go")
                    var here = workplace
                    here.profile = profile
                    let job = try await leave(here)
                    try await workplace.allJobsEnd(within: .seconds(40))
                    try await withTerminal(workplace.cluster("tensorboard", job)) { terminal in
                        let address = String(
                            try await terminal.expect(#/cluster: TensorBoard (\S+)\n/#, within: .seconds(60)).1)
                        link.cut()
                        try await terminal.expect("cluster: the link is back\n", within: .seconds(30))
                        #expect(try await fetch(address).status == 200)
                        await terminal.press(.interrupt)
                        #expect(try await terminal.finish(within: .seconds(20)) == .exited(0))
                        #expect(await terminal.text().ranges(of: "TensorBoard http").count == 1)
                    }
                }
            }
        }
    }

    @Test func whatCannotBeShownIsSaid() async throws {
        try await withWorkplace(.thisMachine, files: ["a": "1"]) { workplace in
            let job = try await workplace.leave("true")
            try await workplace.allJobsEnd()
            try FileManager.default.removeItem(atPath: job.run)
            let gone = try await run(workplace.cluster("tensorboard"))
            #expect(gone.status == .exited(66))
            #expect(gone.errors.contains("the run folders are gone"), "\(gone.errors)")
            #expect(
                try entries(of: workplace.repository.desk.home + "/cluster-tools").filter { $0.hasPrefix(".board") }
                    == [])
            let unknown = try await run(workplace.cluster("tensorboard", "4711"))
            #expect(unknown.status == .exited(66))
        }
    }
}
