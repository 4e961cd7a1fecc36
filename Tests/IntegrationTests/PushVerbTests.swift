import Foundation
import Testing

/// `cluster push`: files here are there as they are here.
@Suite(.timeLimit(.minutes(3))) struct PushVerbTests {
    private func write(_ path: String, _ data: Data, mode: Int = 0o644, time: Double = 1_500_000_000) throws {
        let url = URL(filePath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
        try FileManager.default.setAttributes(
            [.posixPermissions: mode, .modificationDate: Date(timeIntervalSince1970: time)], ofItemAtPath: path)
    }

    @Test(arguments: Place.availableByEachTransport) func isThereAsItIsHere(place: Place) async throws {
        let script = "until [ -e \"$1\" ]; do sleep 0.1; done"
        try await withWorkplace(place, files: ["wait.sh": script]) { workplace in
            let job = try await workplace.leave("sh", "wait.sh", workplace.signpost("go"))
            let here = workplace.repository.folder + "/new"
            try write(here + "/plain", Data("plain\n".utf8))
            try write(here + "/sub/program", Data("#!/bin/sh\n".utf8), mode: 0o755, time: 1_400_000_000)
            try write(here + "/sub/ -n 'odd\n$HOME", Data("odd".utf8), mode: 0o600)
            try write(here + "/sub/deep/large", try noise(9 << 20), mode: 0o440)
            try FileManager.default.createDirectory(atPath: here + "/empty", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: here + "/link", withDestinationPath: "nowhere")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o750, .modificationDate: Date(timeIntervalSince1970: 1_300_000_000)],
                ofItemAtPath: here + "/sub")
            let pushed = try await run(workplace.cluster("push", "new")).checked("cluster push")
            #expect(pushed.errors.contains("cluster: pushed 5 files, 9.4 MB in "), "\(pushed.errors)")
            let there = job.run + "/code/new"
            #expect(try await PullVerbTests.tree(there) == PullVerbTests.tree(here))
            #expect(try entries(of: job.run + "/code").filter { $0.hasPrefix(".push") } == [])
            let again = try await run(workplace.cluster("push", "new")).checked("cluster push")
            #expect(again.errors == "cluster: nothing to be pushed: 5 files were there already\n")

            // What is there in part is completed, and what is newer there stays.
            try write(here + "/plain", Data("changed\n".utf8), time: 1_500_000_001)
            try write(here + "/sub/more", Data("more".utf8))
            try write(there + "/sub/program", Data("theirs".utf8), time: 1_600_000_000)
            let more = try await run(workplace.cluster("push", "new")).checked("cluster push")
            #expect(more.errors.contains("pushed 2 files, 12 B"), "\(more.errors)")
            #expect(more.errors.contains("newer there, and left as it is: new/sub/program"), "\(more.errors)")
            _ = try await run(workplace.cluster("push", "--force", "new")).checked("cluster push")
            #expect(try String(contentsOfFile: there + "/sub/program", encoding: .utf8) == "#!/bin/sh\n")
            try workplace.raise("go")
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func goesOnWhereItBrokeOff() async throws {
        let size = 24 << 20
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withDesk { desk in
                    let bytes = try noise(size)
                    try write(desk.home + "/large", bytes)
                    link.cut(after: size / 2, .up)
                    let there = desk.folder + "/there"
                    let push = desk.cluster(["push", "-c", profile, "large", "--to", there], in: desk.home)
                    let finished = try await run(push).checked("cluster push")
                    #expect(finished.errors.contains("the link is back"))
                    #expect(link.carried(.up) < size * 5 / 4)
                    #expect(try Data(contentsOf: URL(filePath: there + "/large")) == bytes)
                    #expect(try entries(of: there) == ["large"])
                }
            }
        }
    }

    @Test func whatCannotBeIsSaid() async throws {
        try await withDesk { desk in
            let profile = try writeProfile(["scheduler": "none"], on: desk)
            func push(_ words: String...) async throws -> Finished {
                try await run(desk.cluster(["push", "-c", profile] + words, in: desk.folder))
            }
            #expect(try await push("nothing").status == .exited(66))
            try write(desk.folder + "/file", Data("x".utf8))
            try FileManager.default.createDirectory(atPath: desk.home + "/file", withIntermediateDirectories: true)
            let folder = try await push("file")
            #expect(folder.status == .exited(74))
            #expect(folder.errors.contains("file: there is something else of this name"), "\(folder.errors)")
            let closed = try await push("file", "--to", "/dev/null/x")
            #expect(closed.status == .exited(73), "\(closed.errors)")
        }
    }
}
