import Foundation
import Synchronization
import Testing

@testable import Git

@Suite("What can go wrong with files", .timeLimit(.minutes(4)))
struct SafetyTests {
    @Test("untracked files above the limit stop it before anything is written; tracked and ignored ones do not")
    func tooLarge() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("tracked.bin", [UInt8](repeating: 1, count: 2_000_000))
            try sandbox.commit()
            try sandbox.write("tracked.bin", [UInt8](repeating: 2, count: 3_000_000))
            try sandbox.write("ignored.log", [UInt8](repeating: 3, count: 3_000_000))
            try sandbox.write("staged.bin", [UInt8](repeating: 4, count: 1_500_000))
            try sandbox.git("add", "staged.bin")
            try sandbox.write("weights/a.pt", [UInt8](repeating: 5, count: 1_500_000))
            try sandbox.write("b.pt", [UInt8](repeating: 6, count: 2_500_000))
            let inner = try lab.repository("project/inner")
            try inner.write("c.pt", [UInt8](repeating: 7, count: 1_200_000))
            let objects = try sandbox.git("count-objects", "-v")
            let error = try failure { try sandbox.snapshot { $0.untrackedSizeLimit = 1_000_000 } }
            #expect(
                error.code
                    == .fileTooLarge([
                        OversizedFile(path: "b.pt", size: 2_500_000),
                        OversizedFile(path: "weights/a.pt", size: 1_500_000),
                        OversizedFile(path: "inner/c.pt", size: 1_200_000),
                    ]))
            #expect(error.message.contains("b.pt (2 MB)"))
            #expect(error.message.contains(".gitignore"))
            #expect(try sandbox.git("count-objects", "-v") == objects)
            try sandbox.snapshot(comparing: false)
        }
    }

    @Test("files that look like secrets are named: tracked, untracked and in repositories inside, but no samples")
    func secrets() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write(".env", "KEY=1\n")
            try sandbox.commit()
            try sandbox.write("deploy/.env.production", "KEY=1\n")
            try sandbox.write(".env.example", "KEY=\n")
            try sandbox.write("keys/id_ed25519", "x\n")
            try sandbox.write("keys/id_ed25519.pub", "x\n")
            try sandbox.write("tls.pem", "-----BEGIN PRIVATE KEY-----\n")
            try sandbox.write("certificate.pem", "-----BEGIN CERTIFICATE-----\n")
            try sandbox.write("ignored.log/.env", "ignored\n")
            let inner = try lab.repository("project/inner")
            try inner.write(".netrc", "machine x\n")
            let expected: [SnapshotWarning] = [
                .secrets([".env", "deploy/.env.production", "inner/.netrc", "keys/id_ed25519", "tls.pem"])
            ]
            #expect(try sandbox.snapshot({ $0.dryRun = true }, comparing: false).warnings == expected)
            #expect(try sandbox.snapshot(comparing: false).warnings == expected)
        }
    }

    @Test(
        "secrets by name",
        arguments: [
            (".env", SecretNames.Suspicion.secret), ("a/.env.local", .secret), (".env.example", .none),
            ("environment", .none),
            ("a/id_rsa", .secret), ("id_rsa.pub", .none), (".aws/credentials", .secret), ("credentials.py", .none),
            ("x.pfx", .secret), ("home/.kube/config", .secret), ("config", .none),
            ("tls.key", .secretIfItContains("PRIVATE KEY")), (".npmrc", .secretIfItContains("_auth")), ("", .none),
        ])
    func secretNames(_ path: String, _ suspicion: SecretNames.Suspicion) {
        #expect(SecretNames.suspicion(of: path) == suspicion)
    }

    @Test("a warning names the files, a few of them, and what to do")
    func warningTexts() {
        #expect(
            SnapshotWarning.secrets([".env"]).description
                == ".env will be sent, and looks like a secret. "
                + "What the job does not need, name in .gitignore (and git rm --cached).")
        let many = SnapshotWarning.unfetchedLargeFiles((1...7).map { "\($0).bin" }).description
        #expect(many.hasPrefix("1.bin, 2.bin, 3.bin, 4.bin, 5.bin and 2 more: only a pointer"))
        #expect(many.hasSuffix("git lfs pull"))
    }

    @Test("a file that vanishes while the snapshot is taken: once more, without it")
    func vanishing() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("temporary.py", "x\n")
            try sandbox.write("zz.py", "x\n")
            // Removed after the files have been listed and before they are read, whenever that is.
            var steps = 0
            var options = SnapshotOptions(message: "x")
            let polls = Mutex(0)
            options.isCancelled = {
                polls.withLock {
                    $0 += 1; return false
                }
            }
            options.dryRun = true
            _ = try sandbox.open().snapshot(options)
            steps = polls.withLock { $0 }
            #expect(steps > 5)
            for step in 1...steps {
                try sandbox.write("temporary.py", "x\n")
                let file = sandbox.path + "/temporary.py"
                let poll = Mutex(0)
                var options = SnapshotOptions(message: "x")
                options.isCancelled = {
                    if poll.withLock({
                        $0 += 1; return $0
                    }) == step {
                        unlink(file)
                    }
                    return false
                }
                let snapshot = try sandbox.open().snapshot(options)
                #expect(snapshot.paths.contains("zz.py"))
                // Whether it was still there when it was read or not, the tree and the entries agree.
                let listed = try sandbox.git("ls-tree", "-r", "--name-only", snapshot.commit).split(separator: "\n")
                #expect(snapshot.paths == listed.map(String.init))
            }
        }
    }

    @Test("a file that vanishes in the second attempt as well is an error that names it")
    func vanishingTwice() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            let file = sandbox.path + "/flicker.py"
            var failures = 0
            for step in 1...20 {
                try sandbox.write("flicker.py", "x\n")
                let poll = Mutex(0)
                var options = SnapshotOptions(message: "x")
                // Should the first attempt end right after its removal, it is back for the second, and goes again.
                options.isCancelled = {
                    let count = poll.withLock {
                        $0 += 1; return $0
                    }
                    if count == step || count == 2 * step { unlink(file) }
                    if count == step + 1 {
                        _ = FileManager.default.createFile(atPath: file, contents: Data("x\n".utf8))
                    }
                    return false
                }
                do {
                    _ = try sandbox.open().snapshot(options)
                } catch let error as GitError {
                    #expect(error.code == .changedFile)
                    #expect(error.message.hasPrefix(file))
                    failures += 1
                }
            }
            #expect(failures > 0)
        }
    }

    @Test("a file that grows all the time is taken as long as it was")
    func growing() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("growing.txt", [UInt8](repeating: 97, count: 9 << 20))
            let file = sandbox.path + "/growing.txt"
            var options = SnapshotOptions(message: "x")
            options.isCancelled = {
                guard let handle = FileHandle(forWritingAtPath: file) else { return false }
                handle.seekToEndOfFile()
                handle.write(Data("more\n".utf8))
                handle.closeFile()
                return false
            }
            let repository = try sandbox.open()
            let snapshot = try repository.snapshot(options)
            let entry = try snapshot.entry("growing.txt")
            #expect(entry.size >= 9 << 20)
            #expect(try repository.read(entry).prefix(9 << 20).allSatisfy { $0 == 97 })
        }
    }

    @Test("a file that is rewritten all the time is an error that names it")
    func rewritten() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("busy.db", [UInt8](repeating: 97, count: 9 << 20))
            let file = sandbox.path + "/busy.db"
            var options = SnapshotOptions(message: "x")
            options.isCancelled = {
                guard let handle = FileHandle(forUpdatingAtPath: file) else { return false }
                handle.write(Data("other".utf8))
                handle.closeFile()
                return false
            }
            let error = try failure { _ = try sandbox.open().snapshot(options) }
            #expect(error.code == .changedFile)
            #expect(error.message.contains(file))
            #expect(error.message.contains(".gitignore"))
        }
    }

    @Test("cancelled at any step, it leaves everything as it was and no branch")
    func cancelled() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "changed\n")
            try sandbox.write("new.py", "new\n")
            let before = try sandbox.fingerprint()
            var step = 1
            while true {
                let poll = Mutex(0)
                let last = step
                var options = SnapshotOptions(message: "x")
                options.isCancelled = {
                    poll.withLock {
                        $0 += 1; return $0 >= last
                    }
                }
                do {
                    let snapshot = try sandbox.open().snapshot(options)
                    #expect(snapshot.isDirty)
                    break
                } catch let error as GitError {
                    #expect(error.code == .cancelled)
                }
                #expect(Sandbox.differences(before, try sandbox.fingerprint()).isEmpty)
                step += 1
            }
            #expect(step > 8)
            try sandbox.git("fsck", "--strict", "--no-dangling")
        }
    }

    @Test(
        "killed at any step, it leaves everything as it was, and the next one succeeds",
        arguments: [1, 8] + Array(12...22))
    func killed(_ step: Int) async throws {
        try Lab.isolate()
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "git-tests-\(UUID().uuidString)")
        defer { removeFolder(root) }
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let sandbox = try Lab(root: root).committed()
        try sandbox.write("main.py", "changed\n")
        try sandbox.write("new.py", "new\n")
        try sandbox.git("stash", "-q")
        try sandbox.write("main.py", "changed again\n")
        let before = try sandbox.fingerprint()
        let path = sandbox.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, step = step as Int] in
            try Lab.isolate()
            let poll = Mutex(0)
            var options = SnapshotOptions(message: "x")
            options.isCancelled = {
                if poll.withLock({
                    $0 += 1; return $0
                }) == step {
                    kill(getpid(), SIGKILL)
                }
                return false
            }
            _ = try Repository.discover(from: path).snapshot(options)
            // Past the last step: killed after the work.
            kill(getpid(), SIGKILL)
        }
        #expect(Sandbox.differences(before, try sandbox.fingerprint()).isEmpty)
        try sandbox.git("fsck", "--strict", "--no-dangling")
        try sandbox.snapshot()
    }

    @Test("a file and a folder that may not be read are errors that name them")
    func unreadable() async throws {
        try Lab.isolate()
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "git-tests-\(UUID().uuidString)")
        defer { removeFolder(root) }
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let sandbox = try Lab(root: root).committed()
        try sandbox.write("closed.py", "x\n", mode: 0)
        try sandbox.run(["chmod", "-R", "a+rX", root.path])
        try sandbox.run(["chmod", "000", "closed.py"])
        try sandbox.run(["chown", "-R", "65534", root.path])
        let path = sandbox.path
        // Root may read everything: somebody else has to try.
        await #expect(processExitsWith: .success) { [path = path as String] in
            try Lab.isolate()
            if geteuid() == 0 { #expect(seteuid(65534) == 0) }
            let file = try failure { _ = try Repository.discover(from: path).snapshot(SnapshotOptions(message: "x")) }
            #expect(file.code == .unreadableFile)
            #expect(file.message.contains("\(path)/closed.py: Permission denied"))
            #expect(chmod("\(path)/closed.py", 0o644) == 0)
            #expect(chmod("\(path)/data", 0) == 0)
            let folder = try failure { _ = try Repository.discover(from: path).snapshot(SnapshotOptions(message: "x")) }
            #expect(folder.code == .unreadableFile)
            #expect(folder.message.contains("\(path)/data"))
            #expect(chmod("\(path)/data", 0o755) == 0)
            #expect(utimes("\(path)/main.py", nil) == 0)
            #expect(chmod("\(path)/main.py", 0) == 0)
            let tracked = try failure {
                _ = try Repository.discover(from: path).snapshot(SnapshotOptions(message: "x"))
            }
            #expect(tracked.code == .unreadableFile)
            #expect(tracked.message.contains("\(path)/main.py"))
            #expect(chmod("\(path)/main.py", 0o644) == 0)
            // One that is ignored does not matter.
            #expect(mkdir("\(path)/build", 0) == 0)
            #expect(try Repository.discover(from: path).snapshot(SnapshotOptions(message: "x")).isDirty)
            #expect(chmod("\(path)/build", 0o755) == 0)
        }
    }

    @Test("two at once of the same tree, and many of different ones")
    func atOnce() async throws {
        try Lab.isolate()
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "git-tests-\(UUID().uuidString)")
        defer { removeFolder(root) }
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let sandbox = try Lab(root: root).committed()
        try sandbox.write("main.py", "changed\n")
        let path = sandbox.path
        let snapshots = try await withThrowingTaskGroup(of: Snapshot.self) { group in
            for _ in 1...8 {
                group.addTask { try Repository.discover(from: path).snapshot(SnapshotOptions(message: "x")) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(snapshots.map(\.tree)).count == 1)
        for snapshot in snapshots {
            #expect(try sandbox.git("rev-parse", try #require(snapshot.reference)) == snapshot.commit)
        }
        try sandbox.git("fsck", "--strict", "--no-dangling")
    }
}
