import Foundation
import Testing

@testable import Archive

struct TarballTests {
    // MARK: What is unpacked is what was packed

    @Test(arguments: Extractor.installed, [Compression.none, .gzip(level: 1), .gzip(level: 9)])
    func isUnpackedExactly(by extractor: Extractor, compression: Compression) throws {
        try withTemporaryFolder { folder in
            var tarball = try Tarball(compression: compression, modificationTime: 1_000_000_000)
            var archive: [UInt8] = []
            for (path, content) in Self.files {
                try tarball.addFile(path: path, mode: 0o640, size: Int64(content.count))
                for start in stride(from: 0, to: content.count, by: 1000) {
                    try tarball.write(Array(content[start..<min(start + 1000, content.count)]))
                    archive += tarball.takeOutput()
                }
                try tarball.endFile()
            }
            try tarball.addFile(path: Array("bin/run".utf8), mode: 0o755, size: 0)
            try tarball.endFile()
            try tarball.addDirectory(path: Array("empty".utf8), mode: 0o700)
            try tarball.addSymlink(path: Array("link".utf8), target: Array("../nowhere é".utf8))
            let far = String(repeating: "far/", count: 60) + "away"
            try tarball.addSymlink(path: Array("longlink".utf8), target: Array(far.utf8))
            try tarball.finish()
            archive += tarball.takeOutput()

            let result = try extractor.extract(archive, into: folder)
            #expect(result.status == 0)
            #expect(result.messages == "")
            for (path, content) in Self.files {
                #expect(try read(path, in: folder) == content)
            }
            #expect(try mode(of: Self.files[0].path, in: folder) == 0o100640)
            #expect(try mode(of: Array("bin/run".utf8), in: folder) == 0o100755)
            #expect(try mode(of: Array("empty".utf8), in: folder) == 0o40700)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "../nowhere é")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/longlink") == far)
            let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/bin/run")
            #expect(attributes[.modificationDate] as? Date == Date(timeIntervalSince1970: 1_000_000_000))
        }
    }

    /// Paths that have been trouble to some tar or other.
    private static let files: [(path: [UInt8], content: [UInt8])] = {
        var random = SystemRandomNumberGenerator()
        let long = (1...30).map { "folder number \($0)" }.joined(separator: "/")
        let names = [
            "plain", "with space", " leading", "-dash", "new\nline", "tab\tand \\ backslash", "déjà/vu", "日本語/ファイル",
            String(repeating: "x", count: 99), String(repeating: "y", count: 100), String(repeating: "z", count: 101),
            String(repeating: "é", count: 127), long + "/file", "quote'\"", "*?[a]",
        ]
        var files = names.enumerated().map { index, name in
            (path: Array(name.utf8), content: (0..<index * 997).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        // Latin-1: no UTF-8, and on Linux a name like any other.
        #if os(Linux)
            files.append((path: Array("caf".utf8) + [0xE9], content: [1, 2, 3]))
        #endif
        files.append((path: Array("large".utf8), content: [UInt8](repeating: 7, count: 3_000_000)))
        return files
    }()

    // MARK: Properties of the stream

    @Test(arguments: [Compression.none, .gzip(level: 6)])
    func theSameCallsMakeTheSameBytes(compression: Compression) throws {
        let first = try small(compression)
        Thread.sleep(forTimeInterval: 1.1)
        #expect(try small(compression) == first)
    }

    @Test func namesNobody() throws {
        let header = try small(.none)
        // POSIX.1-1988: uid at 108 and gid at 116 in octal, user's and group's names at 265 and 297.
        #expect(header[108..<116].allSatisfy { $0 == UInt8(ascii: "0") || $0 == 0 || $0 == 0x20 })
        #expect(header[116..<124].allSatisfy { $0 == UInt8(ascii: "0") || $0 == 0 || $0 == 0x20 })
        #expect(header[265..<329].allSatisfy { $0 == 0 })
    }

    @Test func memoryStaysBounded() throws {
        var tarball = try Tarball(compression: .gzip(level: 1), modificationTime: 0)
        let chunk = (0..<65536).map { _ in UInt8.random(in: 0...255) }
        try tarball.addFile(path: Array("big".utf8), mode: 0o644, size: Int64(chunk.count * 200))
        var largest = 0
        for _ in 0..<200 {
            try tarball.write(chunk)
            largest = max(largest, tarball.takeOutput().count)
        }
        try tarball.endFile()
        try tarball.finish()
        #expect(largest < 3 * chunk.count)
    }

    @Test func filesBeyondEightGigabytesHaveTheirSize() throws {
        var tarball = try Tarball(compression: .none, modificationTime: 0)
        let size: Int64 = 9 << 30
        try tarball.addFile(path: Array("huge".utf8), mode: 0o644, size: size)
        try tarball.write([UInt8](repeating: 0, count: 1 << 20))
        let start = tarball.takeOutput()
        // Such a size is in base 256 (GNU's extension): the first byte is 0x80, the rest the number.
        #expect(start[124] == 0x80)
        #expect(start[125..<136].reduce(0) { $0 << 8 | Int64($1) } == size)
        try withTemporaryFolder { folder in
            let archive = folder + "/a.tar"
            try Data(start).write(to: URL(filePath: archive))
            let listing = try run("tar", ["tvf", archive])
            #expect(listing.output.contains(" \(size) "))
        }
    }

    @Test func aTruncatedArchiveIsRefused() throws {
        let archive = try small(.gzip(level: 6))
        // One byte may be padding of the checksum's own end, so everything short of the whole counts.
        for count in [archive.count - 1, archive.count - 4, archive.count - 8, archive.count / 2, 15, 1] {
            try withTemporaryFolder { folder in
                for extractor in Extractor.installed {
                    let result = try extractor.extract(Array(archive.prefix(count)), into: folder)
                    #expect(result.status != 0, "\(extractor) took \(count) of \(archive.count) bytes for an archive")
                }
            }
        }
    }

    @Test func anAbandonedArchiveIsRefused() throws {
        var tarball = try Tarball(compression: .gzip(level: 6), modificationTime: 0)
        try tarball.addFile(path: Array("a".utf8), mode: 0o644, size: 300_000)
        try tarball.write((0..<100_000).map { _ in UInt8.random(in: 0...255) })
        let archive = tarball.takeOutput()
        try withTemporaryFolder { folder in
            let result = try Extractor.tar.extract(archive, into: folder)
            #expect(result.status != 0)
        }
    }

    @Test func goesOnAfterASuspension() async throws {
        let archive = try await Task.detached {
            var tarball = try Tarball(compression: .gzip(level: 1), modificationTime: 0)
            var archive: [UInt8] = []
            for name in ["a", "b"] {
                try tarball.addFile(path: Array(name.utf8), mode: 0o644, size: 1)
                try tarball.write([7])
                try tarball.endFile()
                archive += tarball.takeOutput()
                // May go on in another thread.
                await Task.yield()
            }
            try tarball.finish()
            return archive + tarball.takeOutput()
        }.value
        try withTemporaryFolder { folder in
            let result = try Extractor.tar.extract(archive, into: folder)
            #expect(result.status == 0)
            #expect(try read(Array("b".utf8), in: folder) == [7])
        }
    }

    // MARK: Errors

    @Test func aFileThatGrows() throws {
        var tarball = try Tarball(compression: .none, modificationTime: 0)
        try tarball.addFile(path: Array("log".utf8), mode: 0o644, size: 2)
        try tarball.write([1])
        let error = #expect(throws: ArchiveError.self) { try tarball.write([2, 3]) }
        #expect(error == ArchiveError(.sizeChanged, "log grew beyond its 2 bytes while it was read"))
        #expect(throws: ArchiveError.self) { try tarball.finish() }
    }

    @Test func aFileThatShrinks() throws {
        var tarball = try Tarball(compression: .none, modificationTime: 0)
        try tarball.addFile(path: Array("log".utf8), mode: 0o644, size: 5)
        try tarball.write([1, 2])
        let error = #expect(throws: ArchiveError.self) { try tarball.endFile() }
        #expect(error == ArchiveError(.sizeChanged, "log shrank from 5 to 2 bytes while it was read"))
        #expect(throws: ArchiveError.self) { try tarball.addDirectory(path: [0x61], mode: 0o700) }
    }

    @Test(arguments: ["", "/etc/passwd", "../x", "a/../../x", "a/..", "a\0b"])
    func pathsThatLeadOut(path: String) throws {
        var tarball = try Tarball(compression: .none, modificationTime: 0)
        let error = #expect(throws: ArchiveError.self) {
            try tarball.addFile(path: Array(path.utf8), mode: 0o644, size: 0)
        }
        #expect(error?.code == .invalidPath)
    }

    @Test func pathsThatOnlyLookIt() throws {
        var tarball = try Tarball(compression: .none, modificationTime: 0)
        for path in ["..a", "a..", "a/...", ".hidden"] {
            try tarball.addFile(path: Array(path.utf8), mode: 0o644, size: 0)
            try tarball.endFile()
        }
    }

    @Test func callsOutOfOrder() throws {
        var tarball = try Tarball(compression: .none, modificationTime: 0)
        #expect(#expect(throws: ArchiveError.self) { try tarball.write([1]) }?.code == .misuse)

        var unended = try Tarball(compression: .none, modificationTime: 0)
        try unended.addFile(path: [0x61], mode: 0o644, size: 1)
        #expect(#expect(throws: ArchiveError.self) { try unended.finish() }?.code == .misuse)

        var finished = try Tarball(compression: .none, modificationTime: 0)
        try finished.finish()
        #expect(
            #expect(throws: ArchiveError.self) { try finished.addDirectory(path: [0x61], mode: 0) }?.code == .misuse)
    }

    @Test func aLevelThereIsNot() {
        let error = #expect(throws: ArchiveError.self) {
            _ = try Tarball(compression: .gzip(level: 42), modificationTime: 0)
        }
        #expect(error?.code == .library)
    }

    private func small(_ compression: Compression) throws -> [UInt8] {
        var tarball = try Tarball(compression: compression, modificationTime: 1_234_567_890)
        let content = Array(String(repeating: "all work and no play\n", count: 5000).utf8)
        try tarball.addFile(path: Array("a.txt".utf8), mode: 0o644, size: Int64(content.count))
        try tarball.write(content)
        try tarball.endFile()
        try tarball.finish()
        return tarball.takeOutput()
    }
}
