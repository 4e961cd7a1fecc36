import Foundation
import Testing

@testable import Git

@Suite("Finding a repository", .timeLimit(.minutes(2)))
struct DiscoveryTests {
    @Test("from the top, from a folder below, and through a link")
    func discover() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.link("../shortcut", to: "project/data")
            for start in [sandbox.path, sandbox.path + "/data", sandbox.path + "/data/", lab.root.path + "/shortcut"] {
                #expect(try Repository.discover(from: start).workTree == sandbox.path)
            }
            let repository = try sandbox.open()
            #expect(repository.name == "project")
            #expect(try repository.prefix(of: sandbox.path) == "")
            #expect(try repository.prefix(of: sandbox.path + "/data/../data/") == "data")
            #expect(try repository.prefix(of: lab.root.path + "/shortcut") == "data")
            #expect(try failure { _ = try repository.prefix(of: lab.root.path) }.code == .outsideWorkTree)
            #expect(try failure { _ = try repository.prefix(of: sandbox.path + "/.git/refs") }.code == .outsideWorkTree)
            #expect(try failure { _ = try repository.prefix(of: sandbox.path + "/absent") }.code == .unreadableFile)
        }
    }

    @Test("a folder whose name begins like the work tree's is not inside of it")
    func sibling() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            _ = try lab.repository("project-2")
            #expect(throws: GitError.self) { try sandbox.open().prefix(of: sandbox.path + "-2") }
        }
    }

    @Test("none")
    func none() throws {
        try Lab.with { lab in
            let error = try failure { _ = try Repository.discover(from: lab.root.path) }
            #expect(error.code == .noRepository)
            #expect(error.message == "\(lab.root.path) is in no git repository. Make one with: git init")
            #expect(try failure { _ = try Repository.discover(from: "/nonexistent/x") }.code == .noRepository)
        }
    }

    @Test("bare")
    func bare() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            try sandbox.git("init", "-q", "--bare", "bare.git")
            let error = try failure { _ = try Repository.discover(from: sandbox.path + "/bare.git") }
            #expect(error.code == .bareRepository)
            #expect(error.message.contains("git worktree add"))
        }
    }

    @Test("names by SHA-256")
    func sha256() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository("outer")
            try sandbox.git("init", "-q", "--object-format=sha256", "../new")
            let error = try failure { _ = try Repository.discover(from: lab.root.path + "/new") }
            #expect(error.code == .unsupportedRepository)
            #expect(error.message.contains("sha256"))
        }
    }

    @Test("a split index")
    func splitIndex() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("update-index", "--split-index")
            let error = try failure { _ = try sandbox.open().snapshot(SnapshotOptions(message: "x")) }
            #expect(error.code == .unsupportedRepository)
            #expect(error.message.contains("git update-index --no-split-index"))
            try sandbox.git("update-index", "--no-split-index")
            try sandbox.snapshot()
        }
    }

    @Test("a sparse index")
    func sparseIndex() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("left/out/deep.py", "x\n")
            try sandbox.write("kept/in.py", "x\n")
            try sandbox.commit()
            try sandbox.git("sparse-checkout", "set", "--cone", "--sparse-index", "kept")
            let error = try failure { _ = try sandbox.open().snapshot(SnapshotOptions(message: "x")) }
            #expect(error.code == .unsupportedRepository)
            #expect(error.message.contains("git sparse-checkout reapply --no-sparse-index"))
            try sandbox.git("sparse-checkout", "reapply", "--no-sparse-index")
            #expect(try sandbox.snapshot().paths.contains("left/out/deep.py"))
        }
    }

    @Test("an index that is damaged")
    func damagedIndex() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write(".git/index", "DIRC nonsense")
            let error = try failure { _ = try sandbox.open().snapshot(SnapshotOptions(message: "x")) }
            #expect(error.message.contains("Cannot read the index"))
        }
    }

    @Test("another user's", .enabled(if: geteuid() == 0, "only root can give files away"))
    func foreignOwner() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.run(["chown", "-R", "65534", sandbox.path])
            let error = try failure { _ = try sandbox.open() }
            #expect(error.code == .foreignOwner)
            #expect(error.message.contains("git config --global --add safe.directory '\(sandbox.path)'"))
        }
    }

    @Test("the address of origin, without what is secret in it")
    func origin() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            #expect(try sandbox.open().origin() == nil)
            for (address, shown) in [
                ("https://user:secret@example.org/a/b.git", "https://example.org/a/b.git"),
                ("https://token@example.org:8443/a@b.git", "https://example.org:8443/a@b.git"),
                ("git@example.org:a/b.git", "git@example.org:a/b.git"), ("/srv/git/a@b", "/srv/git/a@b"),
                ("https://example.org/a@b", "https://example.org/a@b"),
            ] {
                try sandbox.git("config", "remote.origin.url", address)
                #expect(try sandbox.open().origin() == shown)
            }
        }
    }
}
