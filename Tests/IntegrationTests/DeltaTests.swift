import Foundation
import Testing

/// What was sent once is not sent again; and yet every run has exactly the files that it would have had otherwise.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct DeltaTests {
    /// Enough to be worth keeping, with names that shells, xargs and tar mind.
    private static let files: [String: String] = {
        var files = [
            "job.sh": "echo run >>\"$1\"\n", "big": String(repeating: "0123456789abcdef", count: 80_000),
            "with space/a 'b' \"c\" \\d": "1", "-dash/-rf": "2", "$HOME/`id`/*": "3", "日本/ä": "4", " lead/trail ": "5",
            "deep/er/est/leaf": "6", "x": "7",
        ]
        for index in 0..<40 { files["d\(index % 5)/f\(index)"] = "content \(index)\n" }
        return files
    }()

    private func withSender(
        _ place: Place = .demoCluster, _ body: @Sendable (Sender) async throws -> Void
    ) async throws {
        try await withDemoCluster { cluster in
            try await withWorkplace(place, files: Self.files, cluster: cluster) { workplace in
                let name = URL(filePath: workplace.repository.folder).lastPathComponent
                let sender = Sender(workplace: workplace, pool: "\(cluster.scratch)/.snapshots/\(name)")
                try await body(sender)
                try await sender.waitUntilKept()
                try FileManager.default.removeItem(atPath: sender.pool)
            }
        }
    }

    private struct Sender: Sendable {
        var workplace: Workplace
        let pool: String

        var folder: String { workplace.repository.folder }

        /// Submits and compares the run's code with the working tree.
        ///
        /// - Returns: whether less than all was sent.
        @discardableResult
        func submit(in subfolder: String = "", at place: SourceLocation = #_sourceLocation) async throws -> Bool {
            let expected = try contents(of: folder)
            let launch = workplace.repository.desk.submit(
                (workplace.profile.map { ["-c", $0] } ?? []) + ["--no-tensorboard", "--detach", "true"],
                in: folder + "/" + subfolder)
            let finished = try await run(launch)
            let job = try #require(finished.job, "\(finished.errors)", sourceLocation: place)
            let found = try contents(of: job.run + "/code")
            for path in Set(found.keys).union(expected.keys).sorted()
            where !(subfolder + "/").hasPrefix(path + "/") {
                #expect(found[path] == expected[path], "\(path.debugDescription)", sourceLocation: place)
            }
            return finished.errors.contains("there already")
        }

        /// Waits until what was sent last is kept.
        func waitUntilKept() async throws {
            try await eventually("kept snapshot", within: .seconds(60)) { () -> Bool? in
                guard FileManager.default.fileExists(atPath: pool) else { return nil }
                let names = try entries(of: pool)
                let isBusy = names.contains { $0.hasPrefix(".making-") }
                return !isBusy && names.contains { $0.contains(".spare-") } ? true : nil
            }
        }

        var kept: [String] { get throws { try entries(of: pool).filter { !$0.contains(".") } } }
    }

    @Test(arguments: Place.clusters) func onlyWhatDiffersIsSent(place: Place) async throws {
        try await withSender(place) { sender in
            try #expect(await !sender.submit())
            try await sender.waitUntilKept()
            try sender.workplace.repository.write("d1/f1", "changed\n")
            try #expect(await sender.submit())
            try await sender.waitUntilKept()
            // The same once more, and from a folder that git knows nothing of.
            try #expect(await sender.submit())
            try await sender.waitUntilKept()
            try FileManager.default.createDirectory(
                atPath: sender.folder + "/here/only", withIntermediateDirectories: true)
            try #expect(await sender.submit(in: "here/only"))
            try await sender.waitUntilKept()
            try #expect(await sender.submit())
        }
    }

    @Test func randomChangesGiveTheFilesThatAreThere() async throws {
        try await withSender { sender in
            try await sender.submit()
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<12 {
                try await sender.waitUntilKept()
                for _ in 0..<Int.random(in: 1...8, using: &generator) { try change(sender.folder, &generator) }
                try #expect(await sender.submit())
            }
            try await sender.waitUntilKept()
            try #expect(sender.kept.count == 1)
            try #expect(entries(of: sender.workplace.runs).allSatisfy { !$0.hasPrefix(".") })
        }
    }

    /// The cluster is still at what was sent last.
    @Test func severalInARowDifferOnlyByLittle() async throws {
        try await withSender { sender in
            // So many that it takes longer than the next submission needs to ask for them.
            for index in 0..<3000 { try sender.workplace.repository.write("m\(index / 100)/f\(index)", "\(index)\n") }
            try await sender.submit()
            for round in 0..<6 {
                try sender.workplace.repository.write("d1/f\(1 + round / 3 * 5)", "changed \(round)\n")
                try #expect(await sender.submit(), "round \(round)")
            }
            try await sender.waitUntilKept()
            try #expect(sender.kept.count == 1)
            try #expect(entries(of: sender.pool).count == 3, "the snapshot and two copies")
        }
    }

    @Test func whatTheClusterHasLostIsSentAgain() async throws {
        try await withSender { sender in
            try await sender.submit()
            try await sender.waitUntilKept()
            try FileManager.default.removeItem(atPath: sender.pool)
            try sender.workplace.repository.write("d1/f1", "changed\n")
            try #expect(await !sender.submit())
            try await sender.waitUntilKept()
            try sender.workplace.repository.write("d1/f1", "changed again\n")
            try #expect(await sender.submit())
        }
    }

    @Test(arguments: ["rm", "edit", "add"]) func whatIsDamagedThereIsNotUsed(damage: String) async throws {
        try await withSender { sender in
            try await sender.submit()
            try await sender.waitUntilKept()
            for copy in try entries(of: sender.pool) {
                let file = "\(sender.pool)/\(copy)/code/d2/f2"
                switch damage {
                case "rm": try FileManager.default.removeItem(atPath: file)
                case "edit":
                    try await Task.sleep(for: .milliseconds(1100))
                    try Data("other\n".utf8).write(to: URL(filePath: file))
                default: try Data().write(to: URL(filePath: file + ".orig"))
                }
            }
            try sender.workplace.repository.write("d1/f1", "changed\n")
            try #expect(await !sender.submit())
            try await sender.waitUntilKept()
            try sender.workplace.repository.write("d1/f1", "changed again\n")
            try #expect(await sender.submit())
        }
    }

    /// A job may do what it wants with its files.
    @Test func whatAJobWritesReachesNoOtherRun() async throws {
        try await withSender { sender in
            let repository = sender.workplace.repository
            try repository.write(
                "spoil.sh", "for f in $(find . -type f -name 'f*'); do echo spoilt >>\"$f\"; done; rm x\n")
            for round in 0..<3 {
                try repository.write("d1/f1", "\(round)\n")
                let finished = try await run(sender.workplace.submit("--no-tensorboard", "sh", "spoil.sh"))
                #expect(finished.succeeded, "\(finished.errors)")
                try await sender.waitUntilKept()
                try await sender.submit()
                try await sender.waitUntilKept()
            }
        }
    }

    @Test func manyAtOnceHaveTheirFiles() async throws {
        try await withSender { sender in
            try await sender.submit()
            try await sender.waitUntilKept()
            try sender.workplace.repository.write("d1/f1", "changed\n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { try await sender.submit() } }
                // What is used may be removed at any moment.
                group.addTask {
                    for _ in 0..<20 {
                        try await Task.sleep(for: .milliseconds(50))
                        for name in try entries(of: sender.pool) where Bool.random() {
                            _ = try await run(
                                Launch(
                                    program: "rm", arguments: ["-rf", "\(sender.pool)/\(name)"], directory: "/",
                                    environment: ["PATH": "/usr/bin:/bin"]))
                        }
                    }
                }
                try await group.waitForAll()
            }
            // Whatever is left there by now: this one finds its way.
            try await sender.submit()
            try #expect(entries(of: sender.workplace.runs).filter { !$0.hasPrefix(".") }.count == 7)
            try #expect(entries(of: sender.workplace.runs).allSatisfy { !$0.hasPrefix(".") })
        }
    }

    /// A link that breaks in the middle: one job, with all of its files.
    @Test func aCutInTheMiddle() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withSender { sender in
                    var sender = sender
                    sender.workplace.profile = profile
                    try await sender.submit()
                    try await sender.waitUntilKept()
                    for round in 0..<10 {
                        // Not to be compressed, so that the cut is somewhere in it.
                        let noise = (0..<2000).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }
                        try sender.workplace.repository.write("d1/f1", noise.joined())
                        link.cut(after: link.carried(.up) + 8_000 + 3_000 * round, .up)
                        try await sender.submit()
                        try await sender.waitUntilKept()
                    }
                    let runs = try entries(of: sender.workplace.runs).filter { !$0.hasPrefix(".") }
                    #expect(runs.count == 11)
                }
            }
        }
    }

    // MARK: Folders

    private func change(_ folder: String, _ generator: inout SystemRandomNumberGenerator) throws {
        let manager = FileManager.default
        let paths = try contents(of: folder).filter { $0.value != "folder" }.keys.sorted()
        guard let path = paths.filter({ $0 != "big" && $0 != "job.sh" }).randomElement(using: &generator) else {
            return
        }
        let full = folder + "/" + path
        func write(_ path: String, _ text: String) throws {
            let parent = URL(filePath: path).deletingLastPathComponent().path
            try manager.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: path))
        }
        func isFile(_ path: String) throws -> Bool {
            try manager.attributesOfItem(atPath: path)[.type] as? FileAttributeType == .typeRegular
        }
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: try manager.removeItem(atPath: full)
        case 1:
            try manager.removeItem(atPath: full)
            try write(full, "new \(UInt32.random(in: 0...9999, using: &generator))")
        // Not through a link.
        case 2: if try isFile(full) { chmod(full, 0o755) }
        case 3: if try isFile(full) { chmod(full, 0o644) }
        case 4:
            // A folder in place of a file.
            try manager.removeItem(atPath: full)
            try write(full + "/in side/file", "inner")
        case 5:
            // A file, or a link, in place of a folder.
            guard let slash = path.firstIndex(of: "/") else { return }
            let top = folder + "/" + path[..<slash]
            try manager.removeItem(atPath: top)
            if Bool.random(using: &generator) {
                try write(top, "was a folder")
            } else {
                try manager.createSymbolicLink(atPath: top, withDestinationPath: "/nowhere at all")
            }
        case 6:
            try manager.removeItem(atPath: full)
            try manager.createSymbolicLink(atPath: full, withDestinationPath: "some where/\(path.count)")
        case 7: try write(folder + "/n\(UInt16.random(in: 0...999, using: &generator))/it's \"new\"\\ \t", "new")
        default:
            try manager.removeItem(atPath: full)
            try manager.createSymbolicLink(atPath: full, withDestinationPath: "../job.sh")
        }
    }
}

/// What is in a folder but `.git`, by path: files with their content and mode, links with their target, folders that hold something.
private func contents(of folder: String) throws -> [String: String] {
    var found: [String: String] = [:]
    let manager = FileManager.default
    func visit(_ path: String) throws -> Bool {
        var isEmpty = true
        for name in try manager.contentsOfDirectory(atPath: folder + "/" + path) where path != "" || name != ".git" {
            let inner = path.isEmpty ? name : path + "/" + name
            let full = folder + "/" + inner
            let attributes = try manager.attributesOfItem(atPath: full)
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory:
                // Folders that hold nothing are not what git knows; on the cluster there must be none.
                if try visit(inner) {
                    found[inner] = "folder"
                } else if folder.hasSuffix("/code") {
                    found[inner] = "empty"
                }
            case .typeSymbolicLink: found[inner] = "link to " + (try manager.destinationOfSymbolicLink(atPath: full))
            default:
                let mode = (attributes[.posixPermissions] as? Int ?? 0) & 0o100
                let data = try Data(contentsOf: URL(filePath: full))
                found[inner] = "file \(mode) \(data.count) \(data.base64EncodedString().hashValue)"
            }
            if found[inner] != nil { isEmpty = false }
        }
        return !isEmpty
    }
    _ = try visit("")
    return found
}
