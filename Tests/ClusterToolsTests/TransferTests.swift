import Testing

@testable import ClusterTools

@Suite struct PathPatternTests {
    private func matches(_ pattern: String, _ path: String) throws -> Bool {
        try PathPattern(pattern).matches(Array(path.utf8))
    }

    @Test(arguments: [
        ("outputs/**", "outputs/a", true), ("outputs/**", "outputs/a/b/c", true), ("outputs/**", "outputs", false),
        ("outputs/**", "outputs/.hydra/config", true), ("outputs", "outputs/a/b", true),
        ("outputs/", "outputs/a", true),
        ("**/*.pt", "a.pt", true), ("**/*.pt", "x/y/a.pt", true), ("**/*.pt", "x/a.pth", false),
        ("*.pt", "x/a.pt", false),
        ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "a/x/y/c", false), ("*", ".git", false),
        (".*", ".git", true), ("run-?", "run-7", true), ("run-?", "run-77", false), ("run-[0-46]", "run-6", true),
        ("run-[0-46]", "run-5", false), ("run-[!0-4]", "run-5", true), ("a[]b]c", "a]c", true), ("a[b", "a[b", true),
        ("*a*b*c", "xaxbxbc", true), ("*a*b*c", "xaxbxb", false), ("./x//y/", "x/y/z", true), ("**", "any/thing", true),
    ])
    func meansWhatAShellMeans(pattern: String, path: String, isMeant: Bool) throws {
        #expect(try matches(pattern, path) == isMeant)
    }

    @Test func looksOnlyWhereItMustLook() throws {
        for (pattern, start) in [
            ("outputs/**", "outputs/"), ("a/b/*.pt", "a/b/"), ("a/b", "a/b"), ("a/b/", "a/b/"), ("**/x", ""), ("*", ""),
        ] {
            #expect(try PathPattern(pattern).start == Array(start.utf8), "\(pattern)")
        }
    }

    @Test(arguments: ["/etc/passwd", "../x", "a/../../x", "x\0y"]) func doesNotLeadOut(text: String) {
        #expect(throws: Failure.self) { try PathPattern(text) }
    }

    @Test func aPathOfAClusterIsAFolderAndAPattern() throws {
        for (text, folder, start) in [
            ("/scratch/ada/x", "/scratch/ada", "x"), ("/x", "/", "x"), ("results", "~", "results"),
            ("~/a/b", "~/a", "b"), ("$SCRATCH/runs/*/log", "$SCRATCH/runs", ""), ("/s/a*/b", "/s", ""),
            ("/s/a/", "/s", "a/"),
        ] {
            let path = try FarPath(text)
            #expect(path.folder.text == folder, "\(text)")
            #expect(path.pattern.start == Array(start.utf8), "\(text)")
        }
        for text in ["", "/", "~", "$SCRATCH", "~ada/x", "$(pwd)/x", "/a/.."] {
            #expect(throws: Failure.self, "\(text)") { try FarPath(text) }
        }
    }
}

@Suite struct TransferPlanTests {
    private func file(_ path: String, size: Int = 5, modified: Int = 100, mode: UInt32 = 0o644) -> FileEntry {
        FileEntry(path: Array(path.utf8), kind: .file, mode: mode, size: size, modified: modified)
    }

    private func entry(_ path: String, _ kind: FileEntry.Kind) -> FileEntry {
        FileEntry(path: Array(path.utf8), kind: kind, mode: 0o755, size: 0, modified: 100)
    }

    private func plan(_ source: [FileEntry], _ here: [FileEntry], force: Bool = false) -> TransferPlan {
        TransferPlan(source: source, overwritesNewer: force) { path throws(Failure) in here.first { $0.path == path } }
    }

    @Test func copiesWhatDiffers() {
        let there = [
            file("same"), file("new"), file("grown", size: 9, modified: 200), file("older", modified: 50),
            file("sooner", size: 7), file("program", mode: 0o755), file("private", mode: 0o600),
        ]
        let here = [
            file("same"), file("grown"), file("older"), file("sooner"), file("program"), file("private"), file("own"),
        ]
        let plan = plan(there, here)
        #expect(plan.copies.map(\.name) == ["grown", "new", "program", "sooner"])
        #expect(plan.newer.map(\.name) == ["older"])
        #expect(plan.unchanged == 2)
        #expect(plan.bytes == 26)
        #expect(self.plan(there, here, force: true).newer.isEmpty)
        #expect(self.plan(there, here, force: true).copies.map(\.name).contains("older"))
    }

    @Test func foldersComeBeforeWhatIsInThem() {
        let plan = plan([file("a/x"), entry("a", .folder), file("a.b"), entry("a/e", .folder), file("a/e/f")], [])
        #expect(plan.folders.map(\.name) == ["a", "a/e"])
        #expect(plan.copies.map(\.name) == ["a/e/f", "a/x", "a.b"])
    }

    @Test func whatIsInTheWayBlocksAllBelow() {
        let plan = plan(
            [entry("a", .folder), file("a/x"), file("a/y"), file("b"), entry("p", .other), entry("c", .closedFolder)],
            [file("a"), entry("b", .folder)])
        #expect(plan.copies.isEmpty)
        #expect(plan.obstacles.map { String(decoding: $0.path, as: UTF8.self) } == ["a", "b", "c", "p"])
    }

    @Test func linksAreComparedByWhereTheyLead() {
        let plan = plan(
            [entry("same", .link(target: [1])), entry("other", .link(target: [1]))],
            [entry("same", .link(target: [1])), entry("other", .link(target: [2]))])
        #expect(plan.copies.map(\.name) == ["other"])
    }

    @Test func partsOfFilesAreNoFiles() {
        let whole = file("deep/model.pt", size: 70, modified: -5)
        let part = PartName.path(of: whole)
        #expect(String(decoding: part, as: UTF8.self) == "deep/.model.pt.part-70--5")
        #expect(PartName.isPart(part))
        #expect(PartName.isPart(Array(".model.pt.part-70-7".utf8), of: whole))
        #expect(!PartName.isPart(Array(".model.part-70-7".utf8), of: whole))
        for name in ["model.pt", ".part-1-2", ".x.part-", ".x.part-12", "x.part-1-2", ".x.part-1-2.gz"] {
            #expect(!PartName.isPart(Array(name.utf8)), "\(name)")
        }
        #expect(plan([file(".x.part-1-2")], []).copies.isEmpty)
        let long = file(String(repeating: "x", count: 255))
        #expect(PartName.of(long).count <= 255)
        #expect(PartName.isPart(PartName.of(long), of: long))
        #expect(PartName.of(long) != PartName.of(file(String(repeating: "x", count: 254))))
    }
}

@Suite struct ListingParserTests {
    private static let listing = Array(
        "f 644 5 1700000000.123 ./a b\0\0d 2750 0 -3.5 ./x/\0\0l 777 3 9 ./x/l\0/etc\0. 0 0 0 .\0\0".utf8)

    @Test(arguments: [1, 7, 1000]) func readsRecords(step: Int) throws {
        var parser = ListingParser()
        var entries: [FileEntry] = []
        for start in stride(from: 0, to: Self.listing.count, by: step) {
            #expect(!parser.isComplete)
            entries += try parser.feed(Array(Self.listing[start..<min(start + step, Self.listing.count)]))
        }
        #expect(parser.isComplete)
        #expect(
            entries == [
                FileEntry(path: Array("a b".utf8), kind: .file, mode: 0o644, size: 5, modified: 1_700_000_000),
                FileEntry(path: Array("x".utf8), kind: .folder, mode: 0o750, size: 0, modified: -3),
                FileEntry(
                    path: Array("x/l".utf8), kind: .link(target: Array("/etc".utf8)), mode: 0o777, size: 0, modified: 9),
            ])
    }

    @Test(arguments: [
        "f 644 5 1 /etc/passwd", "f 644 5 1 ./../x", "f 644 5 1 ./a/../../x", "f 644 -5 1 ./x", "f 999 5 1 ./x",
        "f 644 5 ./x",
        "hello", "",
    ])
    func whatCannotBeIsRefused(record: String) {
        var parser = ListingParser()
        #expect(throws: ListingParser.Malformed.self) { try parser.feed(Array(record.utf8) + [0, 0]) }
    }
}

@Suite struct TransferProgressTests {
    @Test func tellsRateAndTimeLeftOfTheLastSeconds() throws {
        var progress = TransferProgress()
        progress.begin(files: 2, bytes: 100_000_000)
        let start = ContinuousClock.now
        #expect(progress.rate == nil)
        // A fast beginning is forgotten.
        progress.add(20_000_000, at: start)
        for second in 1...10 { progress.add(1_000_000, at: start + .seconds(second)) }
        #expect(progress.rate == 1_000_000)
        #expect(progress.secondsLeft == 70)
        #expect(
            progress.line("pulling", at: start + .seconds(10))
                == "pulling 30 MB of 100 MB (30 %), file 1 of 2, 1.0 MB/s, 1 min left")
        #expect(progress.line("pulling", at: start + .seconds(10)) == nil)
        progress.skip(60_000_000)
        #expect(progress.carried == 30_000_000)
        #expect(progress.secondsLeft == 10)
    }
}

@Suite struct UTCStampTests {
    @Test(arguments: [
        (0, "197001010000.00"), (951_782_400, "200002290000.00"), (1_700_000_000, "202311142213.20"),
        (-1, "196912312359.59"), (4_102_444_799, "209912312359.59"), (.max, "999912312359.59"),
        (.min, "100001010000.00"),
    ])
    func isWhatTouchTakes(seconds: Int, text: String) { #expect(UTCStamp.text(seconds) == text) }
}
