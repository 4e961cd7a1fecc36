import Testing

@testable import ClusterTools

/// What has to go and to be sent, so that one snapshot becomes another.
struct ManifestTests {
    private func manifest(_ items: [(String, String)]) throws -> Manifest {
        let lines = items.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }.map { "\($0.1) \($0.0)\0" }
        let key = String(repeating: "0123456789abcdef", count: 3).prefix(40)
        return try #require(Manifest(record: Array("cluster-tools manifest 1 \(key)\n\(lines.joined())".utf8)))
    }

    private func difference(_ old: [(String, String)], _ new: [(String, String)]) throws -> Manifest.Difference {
        try manifest(new).difference(from: manifest(old))
    }

    @Test func theSameNeedsNothing() throws {
        let items = [("a", "f1"), ("b/c", "x2"), ("d", "l3"), ("e", "d")]
        try #expect(difference(items, items) == Manifest.Difference())
    }

    @Test func whatIsOtherGoesFirst() throws {
        let old = [("a", "f1"), ("b", "f1"), ("c", "f1"), ("gone", "f1")]
        let difference = try difference(old, [("a", "f2"), ("b", "x1"), ("c", "f1"), ("new", "f9")])
        #expect(difference.removed == ["a", "b", "gone"])
        #expect(difference.changed == ["a", "b", "new"])
    }

    @Test func foldersThatNobodyNeedsGoAsAWhole() throws {
        let old = [("a/b/c", "f1"), ("a/b/d", "f1"), ("a/e", "f1")]
        try #expect(difference(old, [("a/e", "f1")]).removed == ["a/b"])
        try #expect(difference(old, [("a/b/c", "f1"), ("a/e", "f1")]).removed == ["a/b/d"])
        // One that is there for itself stays.
        try #expect(difference(old, [("a/b", "d"), ("a/e", "f1")]).removed == ["a/b/c", "a/b/d"])
    }

    @Test func filesAndFoldersTakeEachOthersPlace() throws {
        try #expect(
            difference([("a", "f1")], [("a/b", "f1")]) == Manifest.Difference(changed: ["a/b"], removed: ["a"]))
        try #expect(
            difference([("a/b", "f1")], [("a", "l1")]) == Manifest.Difference(changed: ["a"], removed: ["a"]))
    }

    @Test func whatCannotBeNamedIsAlwaysSent() throws {
        try #expect(difference([("a", "f?")], [("a", "f?")]).changed == ["a"])
    }

    @Test func linesAreCountedAsFindPrintsThem() throws {
        // code, a, a/b, a/b/c, "two\nlines" (two), d
        try #expect(manifest([("a/b/c", "f1"), ("two\nlines", "f1"), ("d", "d")]).lineCount == 7)
    }

    @Test(arguments: [
        "", "cluster-tools manifest 1 ", "cluster-tools manifest 1 0123\n",
        "cluster-tools manifest 1 $(touch${IFS}x)0123456789012345678901234\nf1 a\0",
        "cluster-tools manifest 1 0123456789012345678901234567890123456789\nf1 a",
        "cluster-tools manifest 1 0123456789012345678901234567890123456789\nq1 a\0",
        "cluster-tools manifest 1 0123456789012345678901234567890123456789\nf1\0",
    ])
    func damagedRecordsAreNone(text: String) {
        #expect(Manifest(record: Array(text.utf8)) == nil)
    }
}
