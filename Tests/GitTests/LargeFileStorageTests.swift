import Foundation
import Testing

@testable import Git

@Suite("git-lfs", .timeLimit(.minutes(2)))
struct LargeFileStorageTests {
    /// A repository with git-lfs at work, and `model.bin` under it.
    private func withLargeFile(_ body: (Sandbox) throws -> Void) throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            try sandbox.git("lfs", "install", "--local", "--skip-repo")
            try sandbox.git("lfs", "track", "*.bin")
            try sandbox.write("model.bin", [UInt8](repeating: 65, count: 300_000))
            try sandbox.write("main.py", "x\n")
            try sandbox.commit()
            #expect(try sandbox.git("show", "HEAD:model.bin").hasPrefix("version https://git-lfs"))
            try body(sandbox)
        }
    }

    @Test("the tree has a pointer, and the file is sent")
    func clean() throws {
        try withLargeFile { sandbox in
            let snapshot = try sandbox.snapshot()
            #expect(!snapshot.isDirty)
            #expect(snapshot.warnings.isEmpty)
            let entry = try snapshot.entry("model.bin")
            #expect(entry.size == 300_000)
            #expect(try sandbox.open().read(entry) == [UInt8](repeating: 65, count: 300_000))
        }
    }

    @Test("changed, new and empty files become the pointers that git-lfs makes")
    func changed() throws {
        try withLargeFile { sandbox in
            try sandbox.write("model.bin", [UInt8](repeating: 66, count: 2_500_000))
            try sandbox.write("new.bin", "small but large\n")
            try sandbox.write("empty.bin", "")
            let dry = try sandbox.snapshot { $0.dryRun = true }
            let snapshot = try sandbox.snapshot()
            #expect(dry.entries == snapshot.entries)
            #expect(snapshot.changes == ChangeCounts(modified: 1, added: 2))
            let repository = try sandbox.open()
            var pieces: [Int] = []
            var bytes: [UInt8] = []
            try repository.forEachChunk(of: snapshot.entry("model.bin"), size: 1 << 20) { piece in
                pieces.append(piece.count)
                bytes += piece
            }
            #expect(pieces == [1 << 20, 1 << 20, 2_500_000 - (2 << 20)])
            #expect(bytes == [UInt8](repeating: 66, count: 2_500_000))
            #expect(try repository.text(of: snapshot.entry("new.bin")) == "small but large\n")
            #expect(try snapshot.entry("empty.bin").size == 0)
        }
    }

    @Test("a file that was only touched is no change")
    func touched() throws {
        try withLargeFile { sandbox in
            try sandbox.run(["touch", "-d", "2001-01-01", "model.bin"])
            #expect(!(try sandbox.snapshot().isDirty))
        }
    }

    @Test("a pointer on disk: it is sent, and that is said")
    func unfetched() throws {
        try withLargeFile { sandbox in
            try sandbox.git("clone", "-q", sandbox.path, "../clone", environment: ["GIT_LFS_SKIP_SMUDGE": "1"])
            let clone = Sandbox(lab: sandbox.lab, folder: sandbox.lab.root.appending(path: "clone"))
            let snapshot = try clone.snapshot()
            #expect(!snapshot.isDirty)
            #expect(snapshot.warnings == [.unfetchedLargeFiles(["model.bin"])])
            #expect(try clone.open().text(of: snapshot.entry("model.bin")).hasPrefix("version https://git-lfs"))
        }
    }

    @Test("a file that changes between the snapshot and the sending is an error, at the latest when it has been sent")
    func changedSince() throws {
        try withLargeFile { sandbox in
            let snapshot = try sandbox.snapshot()
            let entry = try snapshot.entry("model.bin")
            try sandbox.write("model.bin", [UInt8](repeating: 67, count: 300_000))
            #expect(try failure { _ = try sandbox.open().read(entry) }.code == .changedFile)
            try sandbox.write("model.bin", "shorter")
            #expect(try failure { _ = try sandbox.open().read(entry) }.code == .changedFile)
        }
    }

    @Test("of another branch, and of a folder left out of the checkout: from git-lfs's own store")
    func store() throws {
        try withLargeFile { sandbox in
            try sandbox.write("left/other.bin", "left out\n")
            try sandbox.write("kept/x", "x\n")
            try sandbox.commit()
            try sandbox.git("sparse-checkout", "set", "kept")
            let sparse = try sandbox.snapshot()
            #expect(sparse.warnings.isEmpty)
            #expect(try sandbox.open().text(of: sparse.entry("left/other.bin")) == "left out\n")
            let branch = try sandbox.open().snapshot(ofBranch: "main")
            #expect(try sandbox.open().read(branch.entry("model.bin")).count == 300_000)
            try sandbox.remove(".git/lfs/objects")
            let lost = try sandbox.open().snapshot(ofBranch: "main")
            #expect(lost.warnings == [.unfetchedLargeFiles(["left/other.bin", "model.bin"])])
        }
    }

    @Test("pointers are read and written as git-lfs does")
    func pointers() {
        let digest = String(repeating: "0a", count: 32)
        let pointer = LargeFilePointer(digest: digest, size: 12)
        #expect(LargeFilePointer(pointer.bytes) == pointer)
        for text in [
            "", "version https://git-lfs.github.com/spec/v1\n",
            "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 1\n",
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(digest)\nsize -1\n",
            "version https://example.org/v9\noid sha256:\(digest)\nsize 1\n",
        ] {
            #expect(LargeFilePointer(Array(text.utf8)) == nil)
        }
    }
}
