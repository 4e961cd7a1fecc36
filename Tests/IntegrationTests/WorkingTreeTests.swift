import Foundation
import Testing

/// What the job sees of the user's files, and what the user's repository is afterwards.
@Suite(.timeLimit(.minutes(2))) struct WorkingTreeTests {
    /// Prints what is here, a line each: kind, path, and what is in it.
    private static let look = """
        import os, sys
        for folder, folders, files in os.walk("."):
            for name in folders + files:
                path = os.path.join(folder, name)
                if os.path.islink(path): print("link", repr(path[2:]), repr(os.readlink(path)))
                elif os.path.isfile(path):
                    kind = "program" if os.access(path, os.X_OK) and os.stat(path).st_mode & 0o100 else "file"
                    if path != "./look.py": print(kind, repr(path[2:]), repr(open(path).read()))
                elif not os.listdir(path): print("empty", repr(path[2:]))
        """

    /// Every kind of change that a working tree can have.
    private func makeDirty(_ repository: Repository) async throws {
        try await repository.git("checkout", "--quiet", "-b", "topic/one")
        try repository.write("unstaged", "changed")
        try repository.write("staged", "changed")
        try await repository.git("add", "staged")
        try repository.write("staged then changed", "first")
        try await repository.git("add", "staged then changed")
        try repository.write("staged then changed", "second")
        try repository.remove("deleted")
        try await repository.git("rm", "--quiet", "removed")
        try await repository.git("mv", "old name", "new name")
        try repository.write("becomes a program", "#!", executable: true)
        try repository.write("ceases to be one", "#!")
        try repository.write("untracked/folder/file", "new")
        try repository.write("-starts with a dash", "")
        try repository.write("line\nbreak", "")
        try repository.write("ünï/日本 🐍", "")
        try repository.write("build/ignored.o", "ignored")
        try FileManager.default.createDirectory(atPath: repository.folder + "/empty", withIntermediateDirectories: true)
        for (path, target) in [("link", "unstaged"), ("folder link", "untracked"), ("dangling", "/no where/")] {
            try FileManager.default.createSymbolicLink(
                atPath: repository.folder + "/" + path, withDestinationPath: target)
        }
    }

    private static let before = [
        "look.py": look, "unstaged": "original", "staged": "original", "deleted": "", "removed": "",
        "old name": "moved",
        "becomes a program": "#!", "kept/as it is": "original", ".gitignore": "build/\n",
    ]

    private static let seen = [
        #"file '-starts with a dash' ''"#, #"file '.gitignore' 'build/\n'"#, #"file 'ceases to be one' '#!'"#,
        #"file 'kept/as it is' 'original'"#, #"file 'line\nbreak' ''"#, #"file 'new name' 'moved'"#,
        #"file 'staged then changed' 'second'"#, #"file 'staged' 'changed'"#, #"file 'unstaged' 'changed'"#,
        #"file 'untracked/folder/file' 'new'"#, #"file 'ünï/日本 🐍' ''"#, #"link 'dangling' '/no where/'"#,
        #"link 'folder link' 'untracked'"#, #"link 'link' 'unstaged'"#, #"program 'becomes a program' '#!'"#,
    ]

    /// Everything in the repository's folder but objects and the branches of snapshots: paths, and what is in them.
    private func fingerprint(_ repository: Repository) throws -> [String: Data] {
        let files = FileManager.default
        var contents: [String: Data] = [:]
        for path in try files.subpathsOfDirectory(atPath: repository.folder) {
            if path.hasPrefix(".git/objects") || path.contains(".dirty") { continue }
            let full = repository.folder + "/" + path
            let attributes = try files.attributesOfItem(atPath: full)
            let kind = attributes[.type] as? FileAttributeType
            let stamp =
                "\(attributes[.posixPermissions] ?? 0) \(kind == .typeDirectory ? "" : "\(attributes[.modificationDate] ?? "")")"
            contents[path] =
                Data(stamp.utf8)
                + (kind == .typeRegular
                    ? try Data(contentsOf: URL(filePath: full))
                    : Data(kind == .typeSymbolicLink ? try files.destinationOfSymbolicLink(atPath: full).utf8 : "".utf8))
        }
        return contents
    }

    /// The tree that `git add -A` and a commit would make, by git itself and an index of the test's own.
    private func treeByGit(_ repository: Repository) async throws -> String {
        var launch = Launch(
            program: "sh", arguments: ["-c", "cp .git/index ../index && git add -A && git write-tree"],
            directory: repository.folder, environment: repository.desk.environment)
        launch.environment["GIT_INDEX_FILE"] = repository.desk.folder + "/index"
        return try await run(launch).checked("git write-tree").output.trimmingCharacters(in: .newlines)
    }

    @Test(arguments: Place.available)
    func theJobSeesTheWorkingTree(place: Place) async throws {
        try await withRepository(files: Self.before) { repository in
            try repository.write("ceases to be one", "#!", executable: true)
            try await repository.commit("Second")
            try await makeDirty(repository)
            let before = try fingerprint(repository)

            let finished = try await repository.job("python3", "look.py", on: place)
            let lines = finished.output.split(separator: "\n").map(String.init)
            #expect(lines.sorted() == Self.seen, "\(finished.errors)")
            let after = try fingerprint(repository)
            #expect(Set(before.keys) == Set(after.keys))
            for (path, content) in before where after[path] != content { Issue.record("\(path) has changed") }

            let names = try await repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads/topic")
                .split(separator: "\n").map(String.init)
            #expect(names.count == 2)
            let snapshot = try #require(names.first { $0.wholeMatch(of: /topic\/one\.dirty\/\d{8}-\d{6}/) != nil })
            let tree = try await repository.git("rev-parse", snapshot + "^{tree}")
            let parents = try await repository.git("rev-parse", snapshot + "^@")
            let head = try await repository.git("rev-parse", "HEAD")
            let message = try await repository.git("log", "-1", "--format=%B", snapshot)
            #expect(try await treeByGit(repository) == tree)
            #expect(parents == head)
            #expect(message.contains("python3 look.py"))
            let commit = try await repository.git("rev-parse", snapshot)
            #expect(finished.statusLines.first?.hasPrefix("snapshot \(commit.prefix(10)) on \(snapshot) (") == true)
        }
    }

    @Test func theSameDirtyTreeTwiceIsOneCommit() async throws {
        try await withRepository { repository in
            try repository.write("new", "x")
            let first = try await repository.job("true", on: .thisMachine)
            let second = try await repository.job("false", on: .thisMachine)
            #expect(first.statusLines.first == second.statusLines.first)
            let branches = try await repository.git("branch", "--list", "main.dirty/*")
            #expect(branches.split(separator: "\n").count == 1)
            try repository.write("new", "y")
            let third = try await repository.job("true", on: .thisMachine)
            #expect(third.statusLines.first != first.statusLines.first)
        }
    }

    @Test func aCleanTreeNeedsNoBranch() async throws {
        try await withRepository { repository in
            let finished = try await repository.job("cat", "main.py", on: .thisMachine)
            #expect(finished.output == "print('hello from the cluster')\n")
            let head = try await repository.git("rev-parse", "HEAD")
            let branches = try await repository.git("branch", "--format=%(refname:short)")
            #expect(finished.statusLines.first == "snapshot \(head.prefix(10))")
            #expect(branches == "main")
        }
    }

    @Test func anotherBranchCanBeSent() async throws {
        try await withRepository { repository in
            try await repository.git("checkout", "--quiet", "-b", "feature/x")
            try repository.write("main.py", "of the branch")
            try await repository.commit("Second")
            try await repository.git("checkout", "--quiet", "main")
            try repository.write("main.py", "of the working tree")
            let finished = try await repository.job("cat", "main.py", on: .thisMachine, options: ["-b", "feature/x"])
            #expect(finished.output == "of the branch")
            #expect(try repository.read("main.py") == "of the working tree")
            let missing = try await repository.job("true", on: .thisMachine, options: ["--branch=feature/y"])
            #expect(missing.status == .exited(64))
            #expect(missing.errors.contains("feature/y"))
        }
    }

    @Test(arguments: [
        ("detached", "git checkout -q --detach", "detached.dirty/"),
        ("unborn", "git checkout -q --orphan fresh", "fresh.dirty/"),
        ("linked worktree", "git worktree add -q -b side ../side && cd ../side", "side.dirty/"),
        ("index.lock", "touch .git/index.lock", "main.dirty/"),
        ("no user.name", "git config --unset user.name; git config --unset user.email", "main.dirty/"),
        ("intent to add", "touch planned && git add -N planned", "main.dirty/"),
    ])
    func repositoriesInAnyState(state: String, script: String, branch: String) async throws {
        try await withRepository { repository in
            let launch = Launch(
                program: "sh",
                arguments: ["-c", script + " && echo here >new && exec submit --no-tensorboard cat main.py new"],
                directory: repository.folder, environment: repository.desk.environment)
            let finished = try await run(launch)
            #expect(finished.output == "print('hello from the cluster')\nhere\n", "\(finished.errors)")
            #expect(finished.statusLines.first?.contains(" on " + branch) == true, "\(finished.errors)")
        }
    }

    @Test func submodulesArriveAsTheyAre() async throws {
        try await withRepository { library in
            try library.write("lib.txt", "from the submodule")
            try await library.commit("Second")
            let repository = Repository(desk: library.desk, folder: library.desk.folder + "/outer")
            try FileManager.default.createDirectory(atPath: repository.folder, withIntermediateDirectories: true)
            try await repository.git("init", "--quiet")
            let allow = "protocol.file.allow=always"
            try await repository.git("-c", allow, "submodule", "--quiet", "add", library.folder, "sub/module")
            try repository.write("sub/module/untracked.txt", "untracked there")
            let finished = try await repository.job(script: "cat sub/module/*.txt; ls -A sub/module", on: .thisMachine)
            #expect(
                finished.output == "from the submoduleuntracked therelib.txt\nmain.py\nuntracked.txt\n",
                "\(finished.errors)")
        }
    }

    @Test func aLargeUntrackedFileStopsTheSubmission() async throws {
        try await withRepository { repository in
            try repository.write("data/big.bin", "")
            let handle = try #require(FileHandle(forWritingAtPath: repository.folder + "/data/big.bin"))
            try handle.truncate(atOffset: 200 << 20)
            try handle.close()
            let refused = try await repository.job("true", on: .thisMachine)
            #expect(refused.status == .exited(65))
            #expect(
                refused.errors == """
                    submit: error: these files are not in git, and too large to be sent by accident
                      data/big.bin (210 MB)
                      hint: name them in .gitignore, git add them, or allow them with --max-file-size

                    """)
            #expect(try entries(of: repository.desk.home) == [])
            // Each of the ways out is one.
            let plan = try await repository.job(
                "true", on: .thisMachine, options: ["--dry-run", "--max-file-size", "201M"])
            #expect(plan.status == .exited(0))
            try repository.write(".gitignore", "*.bin\n")
            #expect(try await repository.job(script: "ls -A", on: .thisMachine).output == ".gitignore\nmain.py\n")
        }
    }

    @Test func whatLooksSecretIsNamed() async throws {
        try await withRepository { repository in
            try repository.write("config/.env", "TOKEN=x")
            try repository.write("keys/server.pem", "-----BEGIN PRIVATE KEY-----\n")
            try repository.write("keys/public.pem", "-----BEGIN CERTIFICATE-----\n")
            let finished = try await repository.job("true", on: .thisMachine)
            #expect(finished.status == .exited(0))
            let warnings = finished.statusLines.filter { $0.hasPrefix("warning: ") }
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains("config/.env, keys/server.pem") == true)
            #expect(!finished.errors.contains("public.pem"))
        }
    }

    @Test func whereThereIsNoRepository() async throws {
        try await withRepository { repository in
            func failure(in folder: String) async throws -> Finished {
                let finished = try await run(repository.desk.submit(["true"], in: folder))
                #expect(finished.status == .exited(65))
                #expect(finished.output == "")
                return finished
            }
            let home = repository.desk.home
            #expect(
                try await failure(in: home).errors
                    == "submit: error: \(home) is in no git repository. Make one with: git init\n")
            try await repository.git("clone", "--quiet", "--bare", ".", "../bare.git")
            #expect(try await failure(in: repository.desk.folder + "/bare.git").errors.contains("is a bare repository"))
            #expect(try await failure(in: repository.folder + "/.git").errors.contains("is git's own folder"))
        }
    }
}
