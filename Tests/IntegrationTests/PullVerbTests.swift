import Foundation
import Testing

/// `cluster pull`: files of a job, or of a cluster, are here as they are there.
@Suite(.timeLimit(.minutes(3))) struct PullVerbTests {
    /// Leaves files behind that have been trouble to one program or other.
    static let script = """
        import os
        os.makedirs("outputs/deep/er"); os.makedirs("outputs/empty"); os.makedirs("outputs/.hidden")
        def put(path, data, mode=0o644, time=1500000000):
            with open(path, "wb") as file: file.write(data)
            os.chmod(path, mode); os.utime(path, (time, time))
        put(b"outputs/plain", b"plain\\n")
        put(b"outputs/new\\nline", b"x" * 513)
        put(b"outputs/latin-\\xe9", b"")
        put(b"outputs/ -n 'quo\\"te' $HOME *", b"odd")
        put(b"outputs/" + b"n" * 250, b"long")
        put(b"outputs/.hidden/config", b"yes")
        put(b"outputs/deep/er/program", b"#!/bin/sh\\n", 0o755, 1400000000)
        put(b"outputs/deep/read-only", b"r", 0o444)
        put(b"outputs/deep/large", os.urandom(9 << 20), 0o640)
        os.link("outputs/plain", "outputs/second-name")
        os.symlink("plain", "outputs/link"); os.symlink("/etc", "outputs/away"); os.symlink("nowhere", "outputs/dangling")
        os.chmod("outputs/deep", 0o750)
        for folder in ["outputs/empty", "outputs/deep/er", "outputs/deep", "outputs/.hidden"]:
            os.utime(folder, (1300000000, 1300000000))

        """

    @Test(arguments: Place.availableByEachTransport) func isHereAsItIsThere(place: Place) async throws {
        try await withWorkplace(place, files: ["make.py": Self.script]) { workplace in
            let job = try await workplace.leave("python3", "make.py")
            try await workplace.allJobsEnd()
            let dry = try await run(workplace.cluster("pull", "outputs/**", "--dry-run")).checked("cluster pull")
            #expect(dry.output.contains("     9437184  outputs/deep/large\n"))
            #expect(!FileManager.default.fileExists(atPath: workplace.repository.folder + "/outputs"))
            let pulled = try await run(workplace.cluster("pull", "outputs/**")).checked("cluster pull")
            #expect(pulled.errors.contains("cluster: pulled 13 files, 9.4 MB in "), "\(pulled.errors)")
            let there = try await Self.tree(job.run + "/code/outputs")
            #expect(there.count > 26)
            #expect(try await Self.tree(workplace.repository.folder + "/outputs") == there)
            let again = try await run(workplace.cluster("pull", "outputs/**")).checked("cluster pull")
            #expect(again.errors == "cluster: nothing to be pulled: 13 files were there already\n")
        }
    }

    /// Path, type, mode, time, size, target and sum of all that is in a folder. What `find` tells is what a user would compare.
    static func tree(_ folder: String) async throws -> [String] {
        let script = """
            cd "$1" && find . -mindepth 1 ! -type l -printf '%P %y %m %Ts %s\\0' -o -printf '%P %y %l\\0'
            find . -type f -exec cksum {} + | tr '\\n' '\\0'
            """
        let listing = try await run(
            Launch(
                program: "/bin/sh", arguments: ["-c", script, "sh", folder], directory: "/",
                environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"])
        ).checked("find")
        // A folder's own size is its file system's affair.
        return listing.outputBytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            .map { $0.replacing(#/( d \d+ \d+) \d+$/#) { String($0.output.1) } }.sorted()
    }

    @Test func whatIsNewerHereStaysUnlessToldOtherwise() async throws {
        try await withWorkplace(.thisMachine, files: ["main.sh": "mkdir o; echo theirs >o/a; echo theirs >o/b"]) {
            workplace in
            _ = try await workplace.leave("sh", "main.sh")
            try await workplace.allJobsEnd()
            try workplace.repository.write("o/a", "mine")
            let future = Date(timeIntervalSinceNow: 100)
            let path = workplace.repository.folder + "/o/a"
            try FileManager.default.setAttributes([.modificationDate: future], ofItemAtPath: path)
            let pulled = try await run(workplace.cluster("pull", "o")).checked("cluster pull")
            #expect(
                pulled.errors.contains("newer here, and left as it is: o/a; --force replaces it"), "\(pulled.errors)")
            #expect(try workplace.repository.read("o/a") == "mine")
            #expect(try workplace.repository.read("o/b") == "theirs\n")
            for (answer, text) in [("n", "mine"), ("y", "theirs\n")] {
                try await withTerminal(workplace.cluster("pull", "o")) { terminal in
                    try await terminal.expect("Newer here: o/a. Replace it? [y/N] ")
                    await terminal.type(answer)
                    await terminal.press(.enter)
                    #expect(try await terminal.finish() == .exited(0))
                }
                #expect(try workplace.repository.read("o/a") == text)
            }
            try FileManager.default.setAttributes([.modificationDate: future], ofItemAtPath: path)
            _ = try await run(workplace.cluster("pull", "--force", "o")).checked("cluster pull")
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.modificationDate] as? Date != future)
        }
    }

    @Test func nothingIsWrittenThroughASymbolicLink() async throws {
        try await withWorkplace(.thisMachine, files: ["main.sh": "mkdir -p o/d; echo x >o/d/f; echo x >o/g"]) {
            workplace in
            _ = try await workplace.leave("sh", "main.sh")
            try await workplace.allJobsEnd()
            let elsewhere = workplace.signpost("elsewhere")
            try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                atPath: workplace.repository.folder + "/o", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: workplace.repository.folder + "/o/d", withDestinationPath: elsewhere)
            let pulled = try await run(workplace.cluster("pull", "o"))
            #expect(pulled.status == .exited(74))
            #expect(pulled.errors.contains("o/d: there is something else of this name"), "\(pulled.errors)")
            #expect(try entries(of: elsewhere) == [])
            #expect(try workplace.repository.read("o/g") == "x\n")
            let below = try await run(workplace.cluster("pull", "o/d/f"))
            #expect(below.status == .exited(74))
            #expect(below.errors.contains("is a symbolic link or no folder"), "\(below.errors)")
            #expect(try entries(of: elsewhere) == [])
        }
    }

    @Test func anyPathOfACluster() async throws {
        try await withDesk { desk in
            let profile = try writeProfile(["scheduler": "none"], on: desk)
            for path in ["data/a/log", "data/b/log", "data/b/model", "secret/x"] {
                let url = URL(filePath: desk.home + "/" + path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(path.utf8).write(to: url)
            }
            let here = desk.folder + "/here"
            try FileManager.default.createDirectory(atPath: here, withIntermediateDirectories: true)
            func pull(_ words: String...) async throws -> Finished {
                try await run(desk.cluster(["pull", "-c", profile] + words, in: here))
            }
            _ = try await pull("~/data/*/log").checked("pull")
            #expect(try entries(of: here) == ["a", "b"])
            _ = try await pull("data/b", desk.home + "/secret", "--to", "there").checked("pull")
            #expect(try entries(of: here + "/there") == ["b", "secret"])
            #expect(try entries(of: here + "/there/b") == ["log", "model"])
            let nothing = try await pull("data/c*")
            #expect(nothing.status == .exited(66))
            #expect(nothing.errors.contains("there is nothing that c* means"), "\(nothing.errors)")
            let missing = try await pull("no/such/folder")
            #expect(missing.status == .exited(66))
            #expect(missing.errors.contains("there is no folder \(desk.home)/no/such"), "\(missing.errors)")
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: desk.home + "/secret/x")
            if getuid() != 0 {
                let unreadable = try await pull("secret", "--to", "other")
                #expect(unreadable.status == .exited(74))
            }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func goesOnWhereItBrokeOff() async throws {
        let size = 24 << 20
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withDesk { desk in
                    let there = desk.folder + "/there"
                    try FileManager.default.createDirectory(atPath: there, withIntermediateDirectories: true)
                    let bytes = try noise(size)
                    try bytes.write(to: URL(filePath: there + "/large"))
                    try Data("small".utf8).write(to: URL(filePath: there + "/small"))
                    link.cut(after: size / 2, .down)
                    let pull = desk.cluster(["pull", "-c", profile, there], in: desk.home)
                    let finished = try await run(pull).checked("cluster pull")
                    #expect(finished.errors.contains("the link is back"))
                    #expect(link.connections == 2)
                    // All of it went over the link once, and a little of it twice.
                    #expect(link.carried(.down) < size * 5 / 4)
                    #expect(try Data(contentsOf: URL(filePath: desk.home + "/there/large")) == bytes)
                    #expect(try entries(of: desk.home + "/there") == ["large", "small"])
                }
            }
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func ctrlCLeavesOnlyAPart() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withDesk { desk in
                    let there = desk.folder + "/there"
                    try FileManager.default.createDirectory(atPath: there, withIntermediateDirectories: true)
                    let bytes = Data(repeating: 7, count: 24 << 20)
                    try bytes.write(to: URL(filePath: there + "/large"))
                    link.cut(after: 12 << 20, .down)
                    let pull = desk.cluster(["pull", "-c", profile, there], in: desk.home)
                    try await withTerminal(pull) { terminal in
                        try await terminal.expect("pulling ")
                        link.refuse()
                        try await terminal.expect("the link is down")
                        await terminal.press(.interrupt)
                        #expect(try await terminal.finish() == .exited(130))
                    }
                    let left = try entries(of: desk.home + "/there")
                    #expect(left.count == 1)
                    #expect(left.first?.hasPrefix(".large.part-25165824-") == true)
                    link.mend()
                    _ = try await run(pull).checked("cluster pull")
                    #expect(link.carried(.down) < 30 << 20)
                    #expect(try Data(contentsOf: URL(filePath: desk.home + "/there/large")) == bytes)
                    #expect(try entries(of: desk.home + "/there") == ["large"])
                }
            }
        }
    }
}
