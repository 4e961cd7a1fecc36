import Foundation
import Testing

@testable import Git

@Suite("What an index can hold", .timeLimit(.minutes(2)))
struct IndexStateTests {
    @Test("a lock left lying around")
    func indexLock() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "changed\n")
            let tree = try sandbox.treeByGit()
            try sandbox.write(".git/index.lock", "")
            #expect(try sandbox.snapshot(comparing: false).tree == tree)
        }
    }

    @Test("intent to add: with content, empty, and gone")
    func intentToAdd() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("intended.py", "content\n")
            try sandbox.write("empty.py", "")
            try sandbox.write("gone.py", "x\n")
            try sandbox.git("add", "--intent-to-add", "intended.py", "empty.py", "gone.py")
            try sandbox.remove("gone.py")
            let snapshot = try sandbox.snapshot()
            #expect(try sandbox.open().text(of: snapshot.entry("intended.py")) == "content\n")
            #expect(snapshot.paths.contains("empty.py"))
            #expect(!snapshot.paths.contains("gone.py"))
        }
    }

    @Test("assume-unchanged and skip-worktree by hand: git's version is taken, and that is said")
    func hiddenChanges() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("update-index", "--assume-unchanged", "main.py", "run.sh")
            try sandbox.git("update-index", "--skip-worktree", "data/table.csv")
            try sandbox.write("main.py", "hidden change\n")
            try sandbox.write("data/table.csv", "hidden as well\n")
            try sandbox.remove("run.sh")
            let snapshot = try sandbox.snapshot()
            #expect(!snapshot.isDirty)
            #expect(snapshot.warnings == [.hiddenChanges(["data/table.csv", "main.py"])])
            #expect(try sandbox.open().text(of: snapshot.entry("main.py")) == "print('hello')\n")
        }
    }

    @Test("a merge with conflicts: the files as they are")
    func conflicts() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("deleted-there.py", "base\n")
            try sandbox.write("gone.py", "base\n")
            try sandbox.commit()
            try sandbox.git("switch", "-q", "-c", "other")
            try sandbox.write("main.py", "theirs\n")
            try sandbox.write("gone.py", "theirs\n")
            try sandbox.write("both.py", "theirs\n")
            try sandbox.remove("deleted-there.py")
            try sandbox.commit()
            try sandbox.git("switch", "-q", "main")
            try sandbox.write("main.py", "ours\n")
            try sandbox.write("gone.py", "ours\n")
            try sandbox.write("both.py", "ours\n")
            try sandbox.write("deleted-there.py", "ours\n")
            try sandbox.commit()
            #expect(throws: CommandFailure.self) { try sandbox.git("merge", "other") }
            try sandbox.remove("gone.py")
            let snapshot = try sandbox.snapshot()
            #expect(try sandbox.open().text(of: snapshot.entry("main.py")).contains("<<<<<<<"))
            #expect(!snapshot.paths.contains("gone.py"))
            #expect(snapshot.paths.contains("deleted-there.py"))
        }
    }

    @Test("a sparse checkout: what is left out is sent all the same, what is there is taken as it is")
    func sparseCheckout() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("left/out.py", "left out\n")
            try sandbox.write("kept/in.py", "kept\n")
            try sandbox.commit()
            try sandbox.git("sparse-checkout", "set", "--cone", "kept")
            #expect(!FileManager.default.fileExists(atPath: sandbox.path + "/left/out.py"))
            #expect(!(try sandbox.snapshot(comparing: false).isDirty))
            try sandbox.write("kept/in.py", "changed\n")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.changes == ChangeCounts(modified: 1))
            #expect(try sandbox.open().text(of: snapshot.entry("left/out.py")) == "left out\n")
            try sandbox.write("left/out.py", "back, and changed\n")
            let present = try sandbox.snapshot(comparing: false)
            #expect(try sandbox.open().text(of: present.entry("left/out.py")) == "back, and changed\n")
        }
    }

    @Test("a partial clone: blobs that were never fetched are named")
    func partialClone() throws {
        try Lab.with { lab in
            let server = try lab.committed("server")
            try server.write("left/out.py", "left out\n")
            try server.commit()
            try server.git("config", "uploadpack.allowFilter", "true")
            try server.git(
                "clone", "-q", "--filter=blob:none", "--sparse", "file://\(server.path)", lab.root.path + "/clone")
            let clone = Sandbox(lab: lab, folder: lab.root.appending(path: "clone"))
            try clone.write("main.py", "changed\n")
            var options = SnapshotOptions(message: "x")
            options.dryRun = false
            let snapshot = try clone.open().snapshot(options)
            #expect(snapshot.warnings == [.missingContent(["data/table.csv", "left/out.py"])])
            #expect(try clone.git("ls-tree", "-r", "--name-only", snapshot.commit).contains("left/out.py"))
        }
    }

    @Test("files become folders, folders become links, and the other way round")
    func typeChanges() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            for name in ["a", "b/inside", "c/inside", "d", "e/inside", "target/inside"] {
                try sandbox.write(name, "\(name)\n")
            }
            try sandbox.link("f", to: "a")
            try sandbox.commit()
            for name in ["a", "b", "c", "d", "e", "f"] { try sandbox.remove(name) }
            try sandbox.write("a/now/a/folder", "x\n")
            try sandbox.write("b", "now a file\n")
            // What is behind a link is not in the tree, although it can be reached.
            try sandbox.link("c", to: "target")
            try sandbox.link("d", to: "target")
            try sandbox.write("e/inside/deeper", "x\n")
            try sandbox.write("f", "now a file\n")
            let snapshot = try sandbox.snapshot()
            #expect(try snapshot.entry("c").kind == .symlink)
            #expect(snapshot.paths == ["a/now/a/folder", "b", "c", "d", "e/inside/deeper", "f", "target/inside"])
        }
    }

    @Test("a tracked file that is now a pipe is gone, and that is said")
    func specialFile() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.remove("main.py")
            try sandbox.run(["mkfifo", "main.py", "untracked-pipe"])
            let snapshot = try sandbox.snapshot(comparing: false)
            #expect(snapshot.warnings == [.specialFiles(["main.py"])])
            #expect(snapshot.changes == ChangeCounts(deleted: 1))
        }
    }

    @Test("names with spaces, newlines, quotes and accents, long ones, and two that differ in case or composition only")
    func names() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let names = [
                "with space", "new\nline", "tab\there", "quote\"'", "back\\slash", "-dash", "ünïcödé/日本語.txt", "📦",
                "Case", "case", "cafe\u{301}", "caf\u{e9}", String(repeating: "x", count: 255), "a:b", "dot.",
                "star*?[a]",
                "CON", "git~1x",
            ]
            for name in names { try sandbox.write(name, "content of \(name)\n") }
            try sandbox.git("add", "case")
            let snapshot = try sandbox.snapshot()
            let repository = try sandbox.open()
            for name in names {
                let entry = try #require(snapshot.entries.first { $0.path.utf8.elementsEqual(name.utf8) }, "\(name)")
                #expect(try repository.text(of: entry) == "content of \(name)\n")
            }
            let bytes = snapshot.entries.map { Array($0.path.utf8) }
            #expect(bytes == bytes.sorted { $0.lexicographicallyPrecedes($1) })
        }
    }

    @Test("a name that is not UTF-8 is in the snapshot, and named as one that is not sent")
    func invalidName() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.run(["sh", "-c", "printf latin1 > \"$(printf 'caf\\351')\""])
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.warnings == [.unsendableNames(["caf\\xe9"])])
            #expect(snapshot.changes.added == 1)
        }
    }
}
