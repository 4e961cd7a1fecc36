import Foundation
import Testing

@testable import Git

@Suite("Snapshots of a branch", .timeLimit(.minutes(2)))
struct BranchSnapshotTests {
    @Test("a local branch, whatever is checked out and however dirty it is")
    func local() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("switch", "-q", "-c", "feature/x")
            try sandbox.write("deep/er/feature.py", "feature\n")
            try sandbox.commit()
            try sandbox.git("switch", "-q", "main")
            try sandbox.write("main.py", "dirty\n")
            let before = try sandbox.fingerprint()
            let repository = try sandbox.open()
            let snapshot = try repository.snapshot(ofBranch: "feature/x")
            #expect(Sandbox.differences(before, try sandbox.fingerprint()).isEmpty)
            #expect(snapshot.commit == (try sandbox.git("rev-parse", "feature/x")))
            #expect(snapshot.tree == (try sandbox.git("rev-parse", "feature/x^{tree}")))
            #expect(!snapshot.isDirty)
            let listed = try sandbox.git("ls-tree", "-r", "--name-only", "feature/x").split(separator: "\n").map(
                String.init)
            #expect(snapshot.paths == listed.sorted())
            #expect(try repository.text(of: snapshot.entry("deep/er/feature.py")) == "feature\n")
            #expect(try snapshot.entry("run.sh").kind == .file(executable: true))
            #expect(try snapshot.entry("latest").kind == .symlink)
        }
    }

    @Test("of a remote, a tag, a revision; a local branch wins over a tag")
    func others() throws {
        try Lab.with { lab in
            let server = try lab.committed("server")
            try server.git("branch", "shared")
            try server.git("switch", "-q", "-c", "only-there")
            try server.write("there.py", "x\n")
            try server.commit()
            try server.git("clone", "-q", "-b", "main", server.path, "../clone")
            let clone = Sandbox(lab: lab, folder: lab.root.appending(path: "clone"))
            let there = try clone.git("rev-parse", "origin/only-there")
            try clone.git("tag", "-a", "-m", "release", "v1.0", "origin/only-there")
            try clone.git("tag", "main", "origin/only-there")
            let repository = try clone.open()
            for name in [
                "only-there", "origin/only-there", "v1.0", there, String(there.prefix(9)), "v1.0^{}", "refs/tags/v1.0",
            ] {
                #expect(try repository.snapshot(ofBranch: name).commit == there, "\(name)")
            }
            #expect(try repository.snapshot(ofBranch: "main").commit == clone.git("rev-parse", "refs/heads/main"))
            #expect(try repository.snapshot(ofBranch: "v1.0~1").commit == clone.git("rev-parse", "refs/heads/main"))
            try clone.git("remote", "add", "fork", server.path)
            try clone.git("fetch", "-q", "fork")
            let error = try failure { _ = try repository.snapshot(ofBranch: "only-there") }
            #expect(error.message.contains("fork/only-there, origin/only-there"))
        }
    }

    @Test("an unknown name suggests the nearest")
    func unknown() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("branch", "feature/transformer")
            try sandbox.git("branch", "main.dirty/20260101-000000")
            let error = try failure { _ = try sandbox.open().snapshot(ofBranch: "feature/transfromer") }
            #expect(error.code == .unknownRevision)
            #expect(
                error.message
                    == "\(sandbox.path) has no branch, tag or revision feature/transfromer. Did you mean feature/transformer?"
            )
            let none = try failure { _ = try sandbox.open().snapshot(ofBranch: "zzz") }
            #expect(none.message.hasSuffix("See them all with: git branch --all"))
            #expect(throws: GitError.self) { try sandbox.open().snapshot(ofBranch: "") }
            #expect(throws: GitError.self) { try sandbox.open().snapshot(ofBranch: "HEAD:main.py") }
        }
    }

    @Test("submodules: the commit that the branch has, from where they are checked out")
    func submodules() throws {
        try Lab.with { lab in
            let library = try lab.committed("library")
            let sandbox = try lab.committed()
            try sandbox.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", library.path, "lib")
            try sandbox.commit()
            let inner = Sandbox(lab: lab, folder: sandbox.folder.appending(path: "lib"))
            try inner.write("main.py", "later\n")
            try inner.commit()
            let repository = try sandbox.open()
            let snapshot = try repository.snapshot(ofBranch: "main")
            #expect(try repository.text(of: snapshot.entry("lib/main.py")) == "print('hello')\n")
            try sandbox.git("submodule", "deinit", "-q", "-f", "lib")
            #expect(try sandbox.open().snapshot(ofBranch: "main").warnings == [.uninitializedSubmodules(["lib"])])
        }
    }

    @Test("distances")
    func suggestions() {
        #expect(Suggestions.near("mian", among: ["main", "domain", "x"]) == ["main"])
        #expect(Suggestions.near("Main", among: ["main"]) == ["main"])
        #expect(Suggestions.near("develop", among: ["devel", "development", "deploy", "main"]) == ["devel"])
    }
}
