import Foundation
import Testing

@testable import Git

@Suite("Where HEAD can be", .timeLimit(.minutes(2)))
struct HeadTests {
    @Test("a branch with slashes")
    func slashes() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("switch", "-q", "-c", "feature/deep/x")
            try sandbox.write("main.py", "changed\n")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.reference?.hasPrefix("refs/heads/feature/deep/x.dirty/") == true)
            #expect(try sandbox.open().branch == .named("feature/deep/x"))
        }
    }

    @Test("detached")
    func detached() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("switch", "-q", "--detach")
            #expect(try sandbox.snapshot().reference == nil)
            try sandbox.write("main.py", "changed\n")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.reference?.hasPrefix("refs/heads/detached.dirty/") == true)
            #expect(try sandbox.open().branch == .detached)
            #expect(try sandbox.git("rev-parse", snapshot.commit + "^") == sandbox.git("rev-parse", "HEAD"))
        }
    }

    @Test("no commit yet: the snapshot has no parent, and the branch stays unborn")
    func unborn() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            try sandbox.write("main.py", "first\n")
            #expect(try sandbox.open().isUnborn)
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.isDirty)
            #expect(snapshot.changes.added == 1)
            #expect(try sandbox.git("rev-list", "--count", snapshot.commit) == "1")
            #expect(throws: CommandFailure.self) { try sandbox.git("rev-parse", "--verify", "-q", "HEAD") }
            #expect(try sandbox.snapshot().commit == snapshot.commit)
        }
    }

    @Test("no commit and no file: an empty snapshot")
    func empty() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.entries.isEmpty)
            #expect(snapshot.tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
            #expect(snapshot.isDirty)
        }
    }

    @Test("a linked worktree has its own branch, index and files")
    func linkedWorktree() throws {
        try Lab.with { lab in
            let main = try lab.committed()
            try main.git("worktree", "add", "-q", "-b", "side", "../linked")
            let linked = Sandbox(lab: lab, folder: lab.root.appending(path: "linked"))
            #expect(!(try linked.snapshot().isDirty))
            try linked.write("only-here.py", "x\n")
            let snapshot = try linked.snapshot()
            #expect(snapshot.reference?.hasPrefix("refs/heads/side.dirty/") == true)
            #expect(snapshot.paths.contains("only-here.py"))
            #expect(try linked.open().name == "linked")
            #expect(!(try main.snapshot().isDirty))
        }
    }

    @Test("a branch that has the name of the folder of snapshots")
    func conflictingNames() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("branch", "main.dirty")
            try sandbox.git("branch", "main.dirty-2")
            try sandbox.git("pack-refs", "--all")
            try sandbox.write("main.py", "changed\n")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.reference?.hasPrefix("refs/heads/main.dirty-3/") == true)
            #expect(try sandbox.snapshot().commit == snapshot.commit)
        }
    }

    @Test("an unborn branch below an existing one")
    func unbornBelowBranch() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("symbolic-ref", "HEAD", "refs/heads/main/sub")
            #expect(try sandbox.snapshot().reference?.hasPrefix("refs/heads/main-sub.dirty/") == true)
        }
    }

    @Test("two snapshots in one second have two names")
    func sameSecond() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            var references: Set<String> = []
            for number in 1...5 {
                try sandbox.write("main.py", "\(number)\n")
                references.insert(try #require(try sandbox.snapshot(comparing: false).reference))
            }
            #expect(references.count == 5)
        }
    }

    @Test("a snapshot's branch that has been packed is found again")
    func packedReference() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "changed\n")
            let first = try sandbox.snapshot()
            try sandbox.git("pack-refs", "--all")
            try sandbox.git("gc", "-q")
            #expect(try sandbox.snapshot().reference == first.reference)
        }
    }
}
