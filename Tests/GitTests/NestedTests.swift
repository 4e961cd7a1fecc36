import Foundation
import Testing

@testable import Git

@Suite("Repositories inside a repository", .timeLimit(.minutes(2)))
struct NestedTests {
    /// A repository with the submodule `lib`, checked out and clean.
    private func withSubmodule(_ body: (Sandbox, Sandbox) throws -> Void) throws {
        try Lab.with { lab in
            let library = try lab.committed("library")
            let sandbox = try lab.committed()
            try sandbox.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", library.path, "lib")
            try sandbox.commit("with a submodule")
            try body(sandbox, Sandbox(lab: lab, folder: sandbox.folder.appending(path: "lib")))
        }
    }

    @Test("a clean submodule is its commit, and its files are sent")
    func cleanSubmodule() throws {
        try withSubmodule { sandbox, library in
            let snapshot = try sandbox.snapshot()
            #expect(!snapshot.isDirty)
            let commit = try library.git("rev-parse", "HEAD")
            #expect(snapshot.nested == [NestedSnapshot(path: "lib", commit: commit, reference: nil)])
            #expect(try sandbox.open().text(of: snapshot.entry("lib/main.py")) == "print('hello')\n")
            #expect(snapshot.paths == snapshot.paths.sorted())
        }
    }

    @Test("a dirty submodule is snapshotted in itself, and makes the outer one dirty, both once")
    func dirtySubmodule() throws {
        try withSubmodule { sandbox, library in
            try library.write("main.py", "changed\n")
            try library.write("new.py", "new\n")
            let before = try library.fingerprint()
            let snapshot = try sandbox.snapshot(comparing: false)
            #expect(Sandbox.differences(before, try library.fingerprint()).isEmpty)
            let inner = try #require(snapshot.nested.first)
            #expect(inner.reference?.contains(".dirty/") == true)
            #expect(try library.git("rev-parse", try #require(inner.reference)) == inner.commit)
            #expect(try library.git("rev-parse", inner.commit + "^{tree}") == library.treeByGit())
            #expect(try sandbox.git("rev-parse", snapshot.commit + ":lib") == inner.commit)
            #expect(snapshot.changes == ChangeCounts(modified: 1))
            #expect(try sandbox.open().text(of: snapshot.entry("lib/new.py")) == "new\n")
            #expect(try sandbox.snapshot(comparing: false).commit == snapshot.commit)
        }
    }

    @Test("a folder of tracked files that somebody made a repository of stays a folder")
    func repositoryAmongTrackedFiles() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("part/known.py", "known\n")
            try sandbox.commit()
            let inner = Sandbox(lab: lab, folder: sandbox.folder.appending(path: "part"))
            try inner.git("init", "-q")
            try inner.git("commit", "-q", "--allow-empty", "-m", "inner")
            try sandbox.write("part/known.py", "changed\n")
            try sandbox.write("part/new.py", "new\n")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.paths.filter { $0.hasPrefix("part/") } == ["part/known.py", "part/new.py"])
            #expect(snapshot.nested.isEmpty)
        }
    }

    @Test("a submodule at another commit than recorded")
    func movedSubmodule() throws {
        try withSubmodule { sandbox, library in
            try library.git("commit", "-q", "--allow-empty", "-m", "moved")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.isDirty)
            #expect(snapshot.nested.first?.reference == nil)
        }
    }

    @Test("a submodule that is not checked out: its folder, and a word about it")
    func uninitialized() throws {
        try withSubmodule { sandbox, _ in
            try sandbox.git("submodule", "deinit", "-q", "-f", "lib")
            let snapshot = try sandbox.snapshot()
            #expect(!snapshot.isDirty)
            #expect(snapshot.warnings == [.uninitializedSubmodules(["lib"])])
            #expect(try snapshot.entry("lib").kind == .directory)
            #expect(try sandbox.open().read(snapshot.entry("lib")).isEmpty)
        }
    }

    @Test("a submodule that is gone, or is a file now")
    func removed() throws {
        try withSubmodule { sandbox, _ in
            try sandbox.remove("lib")
            #expect(try sandbox.snapshot().changes == ChangeCounts(deleted: 1))
            try sandbox.write("lib", "a file\n")
            #expect(try sandbox.snapshot().entry("lib").kind == .file(executable: false))
        }
    }

    @Test("submodules in submodules")
    func deep() throws {
        try Lab.with { lab in
            let inner = try lab.committed("inner")
            let middle = try lab.committed("middle")
            try middle.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.path, "deep/inner")
            try middle.commit()
            let outer = try lab.committed("outer")
            try outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", middle.path, "middle")
            try outer.git("-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init", "--recursive")
            try outer.commit()
            #expect(!(try outer.snapshot().isDirty))
            try outer.write("middle/deep/inner/main.py", "changed deep inside\n")
            let snapshot = try outer.snapshot(comparing: false)
            #expect(Set(snapshot.nested.map(\.path)) == ["middle", "middle/deep/inner"])
            #expect(snapshot.nested.allSatisfy { $0.reference != nil })
            #expect(try outer.open().text(of: snapshot.entry("middle/deep/inner/main.py")) == "changed deep inside\n")
        }
    }

    @Test("an untracked repository: clean, dirty, and ignored")
    func untracked() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let clean = try lab.committed("project/clean")
            let dirty = try lab.committed("project/dirty")
            try dirty.write("main.py", "changed\n")
            _ = try lab.committed("project/build")
            let tree = try sandbox.treeByGit()
            let snapshot = try sandbox.snapshot(comparing: false)
            #expect(snapshot.nested.map(\.path).sorted() == ["clean", "dirty"])
            #expect(try sandbox.git("rev-parse", snapshot.commit + ":clean") == clean.git("rev-parse", "HEAD"))
            #expect(try sandbox.open().text(of: snapshot.entry("dirty/main.py")) == "changed\n")
            #expect(!snapshot.paths.contains { $0.hasPrefix("build/") })
            try dirty.git("checkout", "-q", "main.py")
            #expect(try sandbox.snapshot().tree == tree)
        }
    }

    @Test("an untracked repository without a commit, and one with nothing at all")
    func unborn() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let young = try lab.repository("project/young")
            try young.write("first.py", "first\n")
            _ = try lab.repository("project/deep/empty")
            let snapshot = try sandbox.snapshot(comparing: false)
            #expect(snapshot.nested.map(\.path).sorted() == ["deep/empty", "young"])
            #expect(try snapshot.entry("deep/empty").kind == .directory)
            #expect(snapshot.warnings.isEmpty)
            #expect(try sandbox.open().text(of: snapshot.entry("young/first.py")) == "first\n")
            #expect(try sandbox.snapshot(comparing: false).commit == snapshot.commit)
        }
    }

    @Test("a folder with a .git that is no repository is a folder like any other")
    func strayDotGit() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("copied/.git", "gitdir: /nowhere/at/all\n")
            try sandbox.write("copied/code.py", "code\n")
            try sandbox.write("copied/noise.log", "ignored\n")
            try sandbox.write("copied/build/kept", "only /build/ is ignored\n")
            try sandbox.write("copied/sub/.gitignore", "skipped/\n")
            try sandbox.write("copied/sub/skipped/x", "ignored\n")
            try sandbox.write("empty/.git/nothing", "")
            let snapshot = try sandbox.snapshot(comparing: false)
            #expect(
                snapshot.paths.filter { $0.hasPrefix("copied") } == [
                    "copied/build/kept", "copied/code.py", "copied/sub/.gitignore",
                ])
        }
    }

    @Test("a submodule whose repository is lost is an error that names it")
    func broken() throws {
        try withSubmodule { sandbox, _ in
            try sandbox.remove(".git/modules/lib")
            let error = try failure { _ = try sandbox.open().snapshot(SnapshotOptions(message: "x")) }
            #expect(error.code == .brokenSubmodule)
            #expect(error.message.contains("lib"))
            #expect(error.message.contains("git submodule update --init"))
        }
    }

    @Test("a repository inside that cannot be read is an error that names it, with both ways out")
    func unsupportedInside() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("init", "-q", "--object-format=sha256", "new")
            let error = try failure { _ = try sandbox.open().snapshot(SnapshotOptions(message: "x")) }
            #expect(error.code == .brokenSubmodule)
            #expect(error.message.contains("\(sandbox.path)/new"))
            #expect(error.message.contains("sha256"))
            #expect(error.message.hasSuffix("name it in .gitignore."))
        }
    }

    @Test("a file replaced by a repository")
    func fileBecomesRepository() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.remove("main.py")
            let inner = try lab.committed("project/main.py")
            let snapshot = try sandbox.snapshot()
            #expect(try sandbox.git("rev-parse", snapshot.commit + ":main.py") == inner.git("rev-parse", "HEAD"))
        }
    }

    @Test("files tracked in a folder that has become a repository stay tracked")
    func folderBecomesRepository() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            _ = try lab.repository("project/data")
            try sandbox.write("data/more.csv", "x\n")
            #expect(try sandbox.snapshot().paths.contains("data/more.csv"))
        }
    }

    @Test("a linked worktree inside of its own repository")
    func worktreeInside() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("worktree", "add", "-q", "-b", "side", "trees/side")
            try sandbox.write("trees/side/main.py", "on the side\n")
            let snapshot = try sandbox.snapshot(comparing: false)
            #expect(snapshot.nested.first?.reference?.hasPrefix("refs/heads/side.dirty/") == true)
            #expect(try sandbox.open().text(of: snapshot.entry("trees/side/main.py")) == "on the side\n")
        }
    }

    @Test("a submodule taken out of the index but still there, and in the last commit")
    func removedFromIndex() throws {
        try withSubmodule { sandbox, _ in
            try sandbox.git("rm", "-q", "--cached", "lib")
            #expect(!(try sandbox.snapshot().isDirty))
        }
    }

    @Test("a repository that is recorded without .gitmodules, and taken out of the index")
    func removedRepository() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            _ = try lab.committed("project/inner")
            try sandbox.commit("with a repository inside")
            #expect(!(try sandbox.snapshot().isDirty))
            try sandbox.git("rm", "-q", "--cached", "inner")
            #expect(!(try sandbox.snapshot().isDirty))
        }
    }

    @Test("a dry run writes nothing in the repositories inside either")
    func dryRun() throws {
        try withSubmodule { sandbox, library in
            try library.write("main.py", "changed\n")
            let objects = try library.git("count-objects", "-v")
            let dry = try sandbox.snapshot({ $0.dryRun = true }, comparing: false)
            #expect(try library.git("count-objects", "-v") == objects)
            #expect(try library.git("for-each-ref", "refs/heads").split(separator: "\n").count == 1)
            #expect(dry.nested.first?.reference != nil)
            #expect(try dry.entry("lib/main.py").size == 8)
        }
    }
}
