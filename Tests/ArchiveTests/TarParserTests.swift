import Foundation
import Testing

@testable import Archive

struct TarParserTests {
    private struct Read: Equatable {
        var entry: TarParser.Entry
        var data: [UInt8]
    }

    /// Feeds an archive in pieces of this size.
    private func read(_ archive: [UInt8], by step: Int) throws -> (entries: [Read], isWhole: Bool) {
        var parser = TarParser()
        var entries: [Read] = []
        for start in stride(from: 0, to: archive.count, by: step) {
            parser.feed(Array(archive[start..<min(start + step, archive.count)]))
            while let event = try parser.next() {
                switch event {
                case .entry(let entry): entries.append(Read(entry: entry, data: []))
                case .data(let data): entries[entries.count - 1].data += data
                case .end: break
                }
            }
        }
        return (entries, parser.isBetweenEntries)
    }

    /// What a tar on this machine makes of a folder with names that have been trouble.
    private func archive(by arguments: [String], in folder: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(data)
    }

    @Test(arguments: [
        ["tar", "-cf", "-", "."], ["tar", "--format=pax", "-cf", "-", "."], ["tar", "--format=ustar", "-cf", "-", "."],
        ["busybox", "tar", "-cf", "-", "."], ["bsdtar", "-cf", "-", "."],
    ])
    func readsWhatTarsWrite(tar: [String]) throws {
        guard ["/usr/bin/", "/bin/"].contains(where: { FileManager.default.isExecutableFile(atPath: $0 + tar[0]) })
        else {
            print("\(tar[0]) is not installed")
            return
        }
        let folder = NSTemporaryDirectory() + "ct-tar-\(UUID().uuidString.prefix(8))"
        defer { _ = try? FileManager.default.removeItem(atPath: folder) }
        let long = String(repeating: "long name ", count: 12)
        let isShort = tar.contains("--format=ustar")
        let names = ["plain", "new\nline", "déjà", "sub/inner"] + (isShort ? [] : ["\(long)/\(long)x"])
        try FileManager.default.createDirectory(
            atPath: folder + "/sub", withIntermediateDirectories: true)
        if !isShort {
            try FileManager.default.createDirectory(atPath: folder + "/" + long, withIntermediateDirectories: true)
        }
        for (index, name) in names.enumerated() {
            let file = folder + "/" + name
            try Data(repeating: UInt8(index), count: index * 511).write(to: URL(filePath: file))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000), .posixPermissions: 0o640],
                ofItemAtPath: file)
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/link", withDestinationPath: isShort ? "plain" : long + long)
        let bytes = try archive(by: tar, in: folder)
        // Two of them after each other, as xargs makes them.
        for step in [1, 512, 10_000] where step > 1 || bytes.count < 100_000 {
            let (entries, isWhole) = try read(bytes + bytes, by: step)
            #expect(isWhole)
            for (index, name) in names.enumerated() {
                let found = entries.filter { $0.entry.path == Array("./\(name)".utf8) }
                #expect(found.count == 2, "\(name)")
                #expect(found.allSatisfy { $0.entry.kind == .file && $0.entry.mode == 0o640 }, "\(name)")
                #expect(found.allSatisfy { $0.entry.modified == 1_000_000_000 }, "\(name)")
                #expect(found.allSatisfy { $0.data == Array(repeating: UInt8(index), count: index * 511) }, "\(name)")
            }
            let link = entries.first { $0.entry.path == Array("./link".utf8) }
            #expect(link?.entry.kind == .symlink(target: Array((isShort ? "plain" : long + long).utf8)))
        }
    }

    @Test func anArchiveThatBreaksOffIsNotWhole() throws {
        var tarball = try Tarball(compression: .none, modificationTime: 7)
        try tarball.addFile(path: Array("a".utf8), mode: 0o600, size: 700)
        try tarball.write(Array(repeating: 1, count: 700))
        try tarball.endFile()
        try tarball.finish()
        let bytes = Array(tarball.takeOutput().prefix(1536))
        #expect(try read(bytes, by: 100).isWhole)
        #expect(try !read(Array(bytes.prefix(1535)), by: 100).isWhole)
        #expect(try !read(Array(bytes.prefix(600)), by: 100).isWhole)
    }

    @Test func whatIsNoArchiveIsRefused() throws {
        for step in [7, 4096] {
            #expect(throws: ArchiveError.self) { try read(Array(repeating: 0x41, count: 4096), by: step) }
        }
        var header = [UInt8](repeating: 0, count: 512)
        header[0] = 0x61
        // A size below zero in base 256, with a sum that is right.
        header.replaceSubrange(124..<136, with: [UInt8](repeating: 0xFF, count: 12))
        let sum = header.reduce(0) { $0 + Int($1) } + 8 * 0x20
        header.replaceSubrange(148..<156, with: Array((String(sum, radix: 8) + "        ").utf8.prefix(8)))
        #expect(throws: ArchiveError.self) { try read(header, by: 512) }
    }

    @Test func noiseIsNoCrash() throws {
        var generator = SystemRandomNumberGenerator()
        var tarball = try Tarball(compression: .none, modificationTime: 7)
        for index in 0..<4 {
            try tarball.addFile(path: Array(String(repeating: "n", count: 40 * (index + 1)).utf8), mode: 0o600, size: 9)
            try tarball.write(Array(repeating: 1, count: 9))
            try tarball.endFile()
        }
        try tarball.finish()
        let bytes = tarball.takeOutput()
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<3 { damaged[Int.random(in: damaged.indices, using: &generator)] = UInt8.random(in: 0...255) }
            do { _ = try read(damaged, by: 1000) } catch is ArchiveError {}
        }
    }
}
