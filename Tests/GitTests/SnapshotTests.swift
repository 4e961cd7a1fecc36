import Foundation
import Testing

@testable import Git

@Suite("Snapshots of a working tree", .timeLimit(.minutes(2)))
struct SnapshotTests {
    @Test("a clean tree is the last commit, and no branch is made")
    func clean() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.commit == (try sandbox.git("rev-parse", "HEAD")))
            #expect(snapshot.reference == nil)
            #expect(!snapshot.isDirty)
            #expect(snapshot.changes == ChangeCounts())
            #expect(snapshot.paths == [".gitignore", "data/table.csv", "latest", "main.py", "run.sh"])
            #expect(try sandbox.git("branch", "--list") == "* main")
        }
    }

    @Test("entries have kinds, sizes and contents")
    func entries() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let snapshot = try sandbox.snapshot()
            let repository = try sandbox.open()
            #expect(try snapshot.entry("run.sh").kind == .file(executable: true))
            #expect(try snapshot.entry("main.py").kind == .file(executable: false))
            #expect(try snapshot.entry("latest").kind == .symlink)
            #expect(try repository.text(of: snapshot.entry("latest")) == "data/table.csv")
            #expect(try repository.text(of: snapshot.entry("main.py")) == "print('hello')\n")
            for entry in snapshot.entries { #expect(try repository.read(entry).count == entry.size) }
            #expect(snapshot.totalSize == snapshot.entries.reduce(0) { $0 + $1.size })
        }
    }

    @Test("folders that come, go, and change places with files are counted as git counts them")
    func countsAsGitDoes() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            for path in [
                "same/a", "same/b", "deep/er/file", "deep/er/other", "gone/x/1", "gone/x/2", "folder/in", "file",
                "kind",
            ] {
                try sandbox.write(path, "first \(path)\n")
            }
            try sandbox.git("add", "--all")
            try sandbox.git("commit", "--quiet", "--message", "Folders")
            try sandbox.write("deep/er/file", "second\n")
            try sandbox.remove("gone")
            try sandbox.write("new/y/1", "new\n")
            try sandbox.write("new/2", "new\n")
            try sandbox.remove("folder")
            try sandbox.write("folder", "a file now\n")
            try sandbox.remove("file")
            try sandbox.write("file/inside", "a folder now\n")
            try sandbox.remove("kind")
            try sandbox.link("kind", to: "same/a")
            let snapshot = try sandbox.snapshot()
            let lines = try sandbox.git("diff", "--no-renames", "--name-status", "HEAD", snapshot.commit)
                .split(separator: "\n")
            // Another type is one thing less and one more.
            func count(_ letters: String) -> Int { lines.filter { letters.contains($0.prefix(1)) }.count }
            #expect(
                snapshot.changes == ChangeCounts(modified: count("M"), added: count("AT"), deleted: count("DT")),
                "git: \(lines)")
            #expect(count("M") == 1 && count("T") == 1 && count("A") == 4 && count("D") == 4)
        }
    }

    @Test("staged, unstaged, deleted, renamed, untracked, ignored, modes, links and types")
    func everything() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("staged.py", "staged\n")
            try sandbox.git("add", "staged.py")
            try sandbox.write("staged.py", "staged, then changed\n")
            try sandbox.write("main.py", "print('changed')\n")
            try sandbox.git("mv", "data/table.csv", "data/renamed.csv")
            try sandbox.remove("latest")
            try sandbox.link("latest", to: "data/renamed.csv")
            try sandbox.write("run.sh", "#!/bin/sh\n", mode: 0o644)
            try sandbox.write("new/deep/file.txt", "untracked\n", mode: 0o755)
            try sandbox.link("dangling", to: "/no/where")
            try sandbox.write("noise.log", "ignored\n")
            try sandbox.write("build/out.o", "ignored\n")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.isDirty)
            #expect(snapshot.changes == ChangeCounts(modified: 3, added: 4, deleted: 1))
            #expect(!snapshot.paths.contains("noise.log"))
            #expect(!snapshot.paths.contains("build/out.o"))
            #expect(try snapshot.entry("new/deep/file.txt").kind == .file(executable: true))
            #expect(try sandbox.open().text(of: snapshot.entry("staged.py")) == "staged, then changed\n")
        }
    }

    @Test("a dirty tree is a commit on a side branch, with the last commit as parent and the command as message")
    func dirtyCommit() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "changed\n")
            let snapshot = try sandbox.snapshot { $0.message = "python main.py 'a b' \"it's\"" }
            let reference = try #require(snapshot.reference)
            #expect(try #/refs/heads/main\.dirty/\d{8}-\d{6}/#.wholeMatch(in: reference) != nil)
            #expect(try sandbox.git("rev-parse", "\(snapshot.commit)^") == sandbox.git("rev-parse", "HEAD"))
            #expect(try sandbox.git("log", "-1", "--format=%B", snapshot.commit) == "python main.py 'a b' \"it's\"")
            #expect(try sandbox.git("symbolic-ref", "HEAD") == "refs/heads/main")
            #expect(try sandbox.git("stash", "list").isEmpty)
        }
    }

    @Test("the same dirty tree twice is one commit; another tree, or another parent, is another")
    func reuse() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "changed\n")
            let first = try sandbox.snapshot()
            let again = try sandbox.snapshot { $0.message = "another command" }
            #expect(again.commit == first.commit)
            #expect(again.reference == first.reference)
            try sandbox.write("main.py", "changed more\n")
            let second = try sandbox.snapshot()
            #expect(second.commit != first.commit)
            #expect(second.reference != first.reference)
            try sandbox.write("main.py", "changed\n")
            #expect(try sandbox.snapshot().commit == first.commit)
            try sandbox.git("commit", "-q", "--allow-empty", "-m", "elsewhere")
            let moved = try sandbox.snapshot()
            #expect(moved.tree == first.tree)
            #expect(moved.commit != first.commit)
        }
    }

    @Test("a dry run names the same tree and writes nothing at all")
    func dryRun() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "changed\n")
            try sandbox.write("large.bin", [UInt8](repeating: 7, count: 9 << 20))
            let objects = try sandbox.git("count-objects", "-v")
            let dry = try sandbox.snapshot { $0.dryRun = true }
            #expect(try sandbox.git("count-objects", "-v") == objects)
            #expect(try sandbox.git("for-each-ref", "refs/heads").split(separator: "\n").count == 1)
            #expect(dry.isDirty)
            #expect(try dry.entry("large.bin").size == 9 << 20)
            let real = try sandbox.snapshot()
            #expect(real.tree == dry.tree)
            #expect(real.changes == dry.changes)
            #expect(real.entries == dry.entries)
        }
    }

    @Test("objects borrowed from another repository")
    func alternates() throws {
        try Lab.with { lab in
            let server = try lab.committed("server")
            try server.git("clone", "-q", "--shared", server.path, "../clone")
            let clone = Sandbox(lab: lab, folder: lab.root.appending(path: "clone"))
            try clone.write("data/new.csv", "1\n")
            let dry = try clone.snapshot { $0.dryRun = true }
            #expect(try clone.snapshot().tree == dry.tree)
            #expect(try clone.open().text(of: dry.entry("main.py")) == "print('hello')\n")
        }
    }

    @Test("a stash, and changes of both kinds to one file, stay as they are")
    func stash() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "stashed\n")
            try sandbox.git("stash", "-q")
            try sandbox.write("main.py", "staged\n")
            try sandbox.git("add", "main.py")
            try sandbox.write("main.py", "on disk\n")
            let status = try sandbox.git("status", "--porcelain=v2")
            try sandbox.snapshot()
            #expect(try sandbox.git("status", "--porcelain=v2") == status)
            #expect(try sandbox.git("show", "stash@{0}:main.py") == "stashed")
        }
    }

    @Test("what changes after the snapshot does not change it: same size, gone, a link in its place, unreadable")
    func contentIsOfTheSnapshot() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            let names = ["same", "edited", "gone", "linked", "large"]
            for name in names { try sandbox.write(name, "\(name)\n") }
            try sandbox.write("large", String(repeating: "0123456789abcdef", count: 100_000))
            let snapshot = try sandbox.snapshot()
            let repository = try sandbox.open()
            try sandbox.write("edited", "EDITED\n")
            try sandbox.remove("gone")
            try sandbox.remove("linked")
            try sandbox.write("elsewhere", "hacked\n")
            try sandbox.link("linked", to: "elsewhere")
            try sandbox.write("large", String(repeating: "0123456789ABCDEF", count: 100_000))
            for name in names.dropLast() { #expect(try repository.text(of: snapshot.entry(name)) == "\(name)\n") }
            #expect(try repository.text(of: snapshot.entry("large")).hasPrefix("0123456789abcdef"))
        }
    }

    @Test("same size, same second: content decides, not the time")
    func racy() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            for number in 0..<10 {
                try sandbox.write("racy.py", "\(number)a\n")
                try sandbox.git("add", "racy.py")
                try sandbox.git("commit", "-q", "-m", "\(number)")
                try sandbox.write("racy.py", "\(number)b\n")
                #expect(try sandbox.snapshot().isDirty)
            }
        }
    }

    @Test("large files go through in pieces, and come back whole")
    func streamed() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let block = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
            var bytes: [UInt8] = []
            while bytes.count < 9 << 20 { bytes += block }
            try sandbox.write("large.bin", bytes)
            let snapshot = try sandbox.snapshot()
            let repository = try sandbox.open()
            let entry = try snapshot.entry("large.bin")
            for packed in [false, true] {
                if packed { try sandbox.git("gc", "-q") }
                var read: [UInt8] = []
                try repository.forEachChunk(of: entry, size: 100_000) { piece in
                    #expect(piece.count <= 100_000 && !piece.isEmpty)
                    read += piece
                }
                #expect(read == bytes)
                #expect(try repository.withContents(of: entry) { Array($0) } == bytes)
            }
        }
    }

    @Test("an entry whose object has been lost comes from its file, or is an error that says so")
    func lostObject() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let snapshot = try sandbox.snapshot()
            let id = try sandbox.git("rev-parse", "HEAD:main.py")
            try sandbox.remove(".git/objects/\(id.prefix(2))/\(id.dropFirst(2))")
            #expect(try sandbox.open().text(of: snapshot.entry("main.py")) == "print('hello')\n")
            try sandbox.write("main.py", "print('other')\n")
            let error = try failure { _ = try sandbox.open().read(snapshot.entry("main.py")) }
            #expect(error.code == .missingObject)
            #expect(error.message.contains(id))
        }
    }
}
