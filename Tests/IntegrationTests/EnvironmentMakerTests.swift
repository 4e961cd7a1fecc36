import Foundation
import Testing

/// `templates/environment` by itself: what it makes an environment from, and that there is one for each content, whoever
/// else wants it and however a build ends.
@Suite(.timeLimit(.minutes(3))) struct EnvironmentMakerTests {
    /// A run folder as a submission makes it.
    private struct Bench: Sendable {
        let desk: Desk
        let tools: PythonTools
        var code: String { desk.folder + "/project/run/code" }
        var state: String { desk.folder + "/project/run/job" }
        var pool: String { desk.folder + "/a pool" }
        var signpost: String { desk.folder + "/signpost" }

        func write(_ files: [String: String]) throws {
            for (path, text) in files {
                let url = URL(filePath: code + "/" + path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: url)
            }
        }

        /// - Parameters:
        ///   - shell: what runs it.
        ///   - uv: whether uv is to be found.
        func launch(
            shell: [String] = ["sh"], in directory: String = "", file: String = "", who: String = "the test",
            uv: Bool = true, environment changes: [String: String] = [:], state: String? = nil
        ) throws -> Launch {
            let state = state ?? self.state
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
            var environment = desk.environment
            environment["PIP_NO_INDEX"] = "1"
            environment["PIP_FIND_LINKS"] = desk.folder + "/wheels"
            environment["SIGNPOST"] = signpost
            if uv { environment["PATH", default: ""] += ":" + tools.uv }
            environment.merge(changes) { $1 }
            return Launch(
                program: shell[0],
                arguments: shell.dropFirst() + [
                    Programs.root + "/templates/environment/environment.sh", code, directory, file, pool, state, who,
                ],
                directory: "/", environment: environment)
        }

        /// The key of the environment that the run has been given.
        func key() throws -> String {
            let path = try String(contentsOfFile: state + "/environment", encoding: .utf8).dropLast()
            return URL(filePath: String(path)).lastPathComponent
        }

        /// What a job would see.
        func python(_ program: String) async throws -> String {
            let launch = Launch(
                program: "sh", arguments: ["-c", ". \"$0\"; python -c \"$1\"", state + "/activate", program],
                directory: code, environment: desk.environment)
            return try await run(launch).checked("python").output
        }

        /// Begins as if the run were another.
        func forget() throws { try FileManager.default.removeItem(atPath: state) }
    }

    private func withBench(_ body: @Sendable (Bench) async throws -> Void) async throws {
        guard let tools = try await PythonTools.obtain() else { return }
        try await withDesk { desk in
            let bench = Bench(desk: desk, tools: tools)
            try FileManager.default.createDirectory(atPath: bench.code, withIntermediateDirectories: true)
            _ = try await desk.makeWheel("tinyone")
            try await body(bench)
        }
    }

    // MARK: What it is made from

    private static let project = """
        [project]
        name = "mine"
        version = "1"
        dependencies = ["tinyone"]

        """

    @Test(arguments: [
        (["requirements.txt": "tinyone\n", "pyproject.toml": project], "", "", "requirements.txt"),
        (["requirements.txt": "nonesuch\n", "sub/pyproject.toml": project], "sub/below", "", "pyproject.toml"),
        (["pyproject.toml": "[tool.ruff]\n", "requirements.txt": "tinyone"], "", "", "requirements.txt"),
        (
            ["pyproject.toml": "[tool.ruff]\n", "main.py": "import os, own.x, tinyone\n", "own/x.py": ""], "", "",
            "imports"
        ),
        (
            ["environment.yml": "dependencies:\n- pip\n- pip:\n  - tinyone\n", "pyproject.toml": project], "", "",
            "environment.yml"
        ),
        (["requirements.txt": "nonesuch\n", "env/gpu.txt": "tinyone"], "", "env/gpu.txt", "gpu.txt"),
        (["main.py": "import os, sys\nfrom . import x\n"], "", "", "nothing"),
        (["main.py": "import os\n"], "", "requirements.txt", "nothing"),
    ])
    func whatDefinesIt(files: [String: String], directory: String, file: String, name: String) async throws {
        try await withBench { bench in
            try bench.write(files)
            let finished = try await run(
                bench.launch(
                    shell: ["busybox", "sh"], in: directory, file: file,
                    environment: ["PIP_FIND_LINKS": "\(bench.desk.folder)/wheels \(bench.tools.wheels)"]))
            #expect(finished.status == .exited(0), "\(finished.errors)")
            if name == "nothing" {
                #expect(!FileManager.default.fileExists(atPath: bench.state + "/activate"), "\(finished.errors)")
                return
            }
            let key = try bench.key()
            #expect(finished.errors.contains("made the environment \(key) (\(name))\n"), "\(finished.errors)")
            #expect(try entries(of: bench.pool) == [key])
            let seen = try await bench.python(
                "import sys, tinyone; print(sys.prefix, tinyone.NAME, sys.flags.no_user_site)")
            #expect(seen == "\(bench.pool)/\(key) the package tinyone 1\n")
        }
    }

    /// The packages that imports mean have other names than the modules; what cannot be parsed hinders nobody.
    @Test(arguments: [true, false]) func importsAreNamedByPipreqs(uv: Bool) async throws {
        try await withBench { bench in
            _ = try await bench.desk.makeWheel("PyYAML")
            try bench.write([
                "main.py": "import tinyone.part as t, json\ntry:\n    import yaml\nexcept ImportError: pass\n",
                "old.py": "print 'two'\n", ".hidden/x.py": "import nonesuch\n",
            ])
            let finished = try await run(
                bench.launch(
                    uv: uv, environment: ["PIP_FIND_LINKS": "\(bench.desk.folder)/wheels \(bench.tools.wheels)"]),
                within: .seconds(90))
            #expect(finished.status == .exited(0), "\(finished.errors)")
            #expect(finished.errors.contains("the imports are: tinyone yaml\n"), "\(finished.errors)")
            #expect(finished.errors.contains("by pipreqs these are the packages: PyYAML tinyone ("))
            #expect(finished.errors.contains("the imports of old.py are not looked at"))
            #expect(try await bench.python("import PyYAML, tinyone; print(PyYAML.NAME)") == "the package PyYAML\n")
            #expect(try entries(of: bench.code) == [".hidden", "main.py", "old.py"])
        }
    }

    @Test func aLockIsKeptByUv() async throws {
        try await withBench { bench in
            _ = try await bench.desk.makeWheel("tinyone", in: bench.code + "/wheels")
            try bench.write([
                "pyproject.toml": Self.project + "[tool.uv]\nno-index = true\nfind-links = [\"wheels\"]\n",
                "src/mine/__init__.py": "NAME = 'mine'\n",
            ])
            var environment = bench.desk.environment
            environment["PATH", default: ""] += ":" + bench.tools.uv
            let lock = Launch(program: "uv", arguments: ["lock"], directory: bench.code, environment: environment)
            _ = try await run(lock).checked("uv lock")
            let text = try String(contentsOfFile: bench.code + "/uv.lock", encoding: .utf8)
            #expect(text.contains("tinyone-1.0-py3-none-any.whl"))
            let program = "import mine, tinyone; print(mine.__file__, tinyone.NAME)"
            let first = try await run(bench.launch())
            #expect(first.status == .exited(0), "\(first.errors)")
            // The project's own modules are those of the run.
            #expect(try await bench.python(program) == "\(bench.code)/src/mine/__init__.py the package tinyone\n")
            let key = try bench.key()
            // Where there is no uv it is fetched, where it cannot be fetched nothing is made up.
            for (links, status) in [(bench.tools.wheels, 0), (bench.desk.folder + "/wheels", 69)] {
                try FileManager.default.removeItem(atPath: bench.pool)
                try bench.forget()
                let without = try await run(
                    bench.launch(uv: false, environment: ["PIP_FIND_LINKS": links]), within: .seconds(90))
                #expect(without.status == .exited(Int32(status)), "\(without.errors)")
                #expect(try entries(of: bench.pool) == [status == 0 ? key : ".failed-\(key)"])
                if status != 0 { #expect(without.errors.contains("uv cannot be had: install it there, or have \"req")) }
            }
        }
    }

    /// A double in place of conda, which cannot be had without its own registry: what is tested is how it is called, and how
    /// its environment is activated.
    @Test func condaMakesWhatIsItsOwn() async throws {
        try await withBench { bench in
            let definition = "name: x\ndependencies:\n  - python=3.11\n  - cudatoolkit\n"
            try bench.write(["environment.yml": definition])
            let missing = try await run(bench.launch())
            #expect(missing.status == .exited(69))
            #expect(
                missing.errors.contains(
                    "needs conda, mamba or micromamba, and none of them is here: pip has no cudatoolkit"))
            let double = bench.desk.folder + "/conda/micromamba"
            try FileManager.default.createDirectory(
                atPath: bench.desk.folder + "/conda", withIntermediateDirectories: true)
            try """
            #!/bin/sh
            [ "$1 $2 $3 $5 $6" = "create --yes -p -f $PWD/environment.yml" ] || { echo "not so: $*"; exit 1; }
            mkdir -p "$4/bin" "$4/conda-meta" "$4/etc/conda/activate.d"
            ln -s /usr/bin/python3 "$4/bin/python"
            echo '{}' >"$4/conda-meta/python-3.11.json"
            echo 'export FROM_CONDA=yes' >"$4/etc/conda/activate.d/x.sh"
            """.write(toFile: double, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: double)
            let made = try await run(bench.launch(environment: ["MAMBA_EXE": double]))
            #expect(made.status == .exited(0), "\(made.errors)")
            let seen = try await bench.python(
                "import os; print(os.environ['CONDA_PREFIX'], os.environ['FROM_CONDA'], os.environ['PATH'].split(':')[0])"
            )
            let place = bench.pool + "/" + (try bench.key())
            #expect(seen == "\(place) yes \(place)/bin\n")
        }
    }

    // MARK: One for each content

    /// The keys of what these files define, without making it.
    private func key(_ bench: Bench, _ kind: String = "requirements", _ file: String = "requirements.txt") async throws
        -> String
    {
        let program = Programs.root + "/templates/environment/definition.py"
        let launch = Launch(
            program: "python3", arguments: ["-B", program, "plan", kind, "\(bench.code)/\(file)", bench.code],
            directory: "/", environment: bench.desk.environment)
        let output = try await run(launch).checked("plan").output
        return try #require(output.firstMatch(of: /key ([0-9a-f]{12})\n/)).output.1.description
    }

    @Test func whatCountsIsTheContent() async throws {
        try await withBench { bench in
            try bench.write([
                "requirements.txt": "-r more/base.txt # with all\n-c limits.txt\n-f wheels\n./local\n-e .[extra]\n",
                "more/base.txt": "tinyone>=1\n", "limits.txt": "other<3\n", "wheels/a.whl": "1", "local/setup.py": "1",
                "pyproject.toml": Self.project + "[project.optional-dependencies]\nextra = [\"numpy\"]\n",
                "mine.py": "1",
            ])
            var keys = [try await key(bench)]
            /// Whether a change makes another environment.
            func changes(_ path: String, _ text: String) async throws -> Bool {
                try bench.write([path: text])
                let key = try await key(bench)
                defer { keys.append(key) }
                return key != keys.last
            }
            #expect(
                try await changes(
                    "requirements.txt", "-r more/base.txt\n-c limits.txt\n\n-f wheels\n./local\n-e .[extra]") == false)
            #expect(try await changes("mine.py", "2") == false)
            #expect(
                try await changes(
                    "pyproject.toml",
                    Self.project + "[project.optional-dependencies]\nextra = [\"numpy\"]\n[tool.ruff]\n") == false)
            #expect(try await changes("more/base.txt", "tinyone>=2\n"))
            #expect(try await changes("limits.txt", "other<4\n"))
            #expect(try await changes("wheels/a.whl", "2"))
            #expect(try await changes("local/module.py", "2"))
            #expect(
                try await changes(
                    "pyproject.toml", Self.project + "[project.optional-dependencies]\nextra = [\"scipy\"]\n"))
            // What is compiled is made of its sources.
            #expect(try await changes("mine.pyx", "1"))
            #expect(try await changes("mine.pyx", "2"))
            #expect(Set(keys).count == 8)
            // Of a project the dependencies count, of imports the modules.
            let project = try await key(bench, "project", "pyproject.toml")
            try bench.write(["pyproject.toml": Self.project + "[tool.black]\nline-length = 3\n"])
            #expect(try await key(bench, "project", "pyproject.toml") == project)
            try bench.write(["pyproject.toml": Self.project.replacing("tinyone", with: "tinytwo")])
            #expect(try await key(bench, "project", "pyproject.toml") != project)
            let imports = try await key(bench, "imports", "")
            try bench.write(["other.py": "import os, mine\n"])
            #expect(try await key(bench, "imports", "") == imports)
            try bench.write(["other.py": "import os, torch\n"])
            #expect(try await key(bench, "imports", "") != imports)
        }
    }

    /// Another task of the array, or an earlier start of the job, may have written there.
    @Test func whatARunHasWrittenMakesNoOther() async throws {
        try await withBench { bench in
            try bench.write(["requirements.txt": "tinyone\n", "main.py": ""])
            _ = try await run(bench.launch()).checked("environment.sh")
            let key = try bench.key()
            try bench.write(["requirements.txt": "nonesuch\n"])
            let again = try await run(bench.launch())
            #expect(again.status == .exited(0) && again.errors == "", "\(again.errors)")
            #expect(try bench.key() == key)
            // One that has gone meanwhile is made anew.
            try FileManager.default.removeItem(atPath: bench.pool + "/" + key)
            #expect(try await run(bench.launch()).status == .exited(69))
            #expect(!FileManager.default.fileExists(atPath: bench.state + "/activate"))
        }
    }

    @Test(arguments: [true, false]) func aPythonThatIsNotHereIsSaid(uv: Bool) async throws {
        try await withBench { bench in
            try bench.write(["pyproject.toml": Self.project + "requires-python = \">=3.99\"\n"])
            let finished = try await run(bench.launch(uv: uv))
            #expect(finished.status == .exited(69))
            #expect(finished.errors.contains("pyproject.toml needs Python >=3.99, "), "\(finished.errors)")
            #expect(!FileManager.default.fileExists(atPath: bench.pool))
        }
    }

    // MARK: One at a time

    @Test func othersWaitForTheOneBuild() async throws {
        try await withBench { bench in
            try bench.write(SlowPackage.files(in: "slow").merging(["requirements.txt": "./slow\ntinyone\n"]) { $1 })
            let shells = [["dash"], ["busybox", "sh"], ["bash", "--posix"]]
            let all = try await withThrowingTaskGroup(of: Finished.self) { group in
                for (number, shell) in shells.enumerated() {
                    let launch = try bench.launch(
                        shell: shell, who: "job \(number)", state: bench.desk.folder + "/project/run-\(number)/job")
                    group.addTask { try await run(launch) }
                }
                try await eventually("a build") {
                    FileManager.default.fileExists(atPath: bench.signpost + ".begun") ? true : nil
                }
                try await Task.sleep(for: .seconds(2))
                try Data().write(to: URL(filePath: bench.signpost))
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(all.allSatisfy { $0.status == .exited(0) }, "\(all.map(\.errors))")
            #expect(all.filter { $0.errors.contains("making the environment") }.count == 1)
            #expect(
                all.filter {
                    $0.errors.firstMatch(of: /waiting for the environment \w+ \(requirements.txt\), which job \d makes/)
                        != nil
                }.count == 2)
            #expect(try entries(of: bench.pool).count == 1)
            // The sources in the run folder are as they were.
            #expect(try entries(of: bench.code + "/slow") == ["backend.py", "pyproject.toml", "slow.txt"])
        }
    }

    @Test func aFailedBuildIsToldToAllAndLeavesNothing() async throws {
        try await withBench { bench in
            var files = SlowPackage.files(in: "slow")
            files["slow/backend.py"]?.replace("    info =", with: "    raise Exception('no ' + 'compiler')\n    info =")
            try bench.write(files.merging(["requirements.txt": "./slow\n"]) { $1 })
            let launches = try ["one", "two"].map {
                try bench.launch(who: $0, state: bench.desk.folder + "/project/\($0)/job")
            }
            let all = try await withThrowingTaskGroup(of: Finished.self) { group in
                for launch in launches { group.addTask { try await run(launch) } }
                try await Task.sleep(for: .seconds(4))
                try Data().write(to: URL(filePath: bench.signpost))
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for each in all {
                #expect(each.status == .exited(69))
                #expect(each.errors.contains("no compiler"), "\(each.errors)")
            }
            #expect(all.filter { $0.errors.contains("could not be made by ") }.count == 1)
            let left = try entries(of: bench.pool)
            #expect(left.count == 1 && left[0].hasPrefix(".failed-"), "\(left)")
            let log = try String(contentsOfFile: "\(bench.pool)/\(left[0])/log", encoding: .utf8)
            #expect(log.contains("no compiler"))
            // The next one begins anew.
            try bench.write(["slow/backend.py": SlowPackage.files(in: "slow")["slow/backend.py"] ?? ""])
            let again = try await run(bench.launch())
            #expect(again.status == .exited(0), "\(again.errors)")
        }
    }

    @Test(arguments: [SIGTERM, SIGKILL]) func aBuildThatIsEndedHindersNobody(signal: Int32) async throws {
        try await withBench { bench in
            try bench.write(SlowPackage.files(in: "slow").merging(["requirements.txt": "./slow\n"]) { $1 })
            let builder = try await withChild(try bench.launch(who: "the first")) { child in
                let builder = try await eventually("a build") { () -> Int32? in
                    guard FileManager.default.fileExists(atPath: bench.signpost + ".begun") else { return nil }
                    return Int32(try String(contentsOfFile: bench.signpost + ".begun", encoding: .utf8).dropLast())
                }
                await child.signal(signal)
                _ = try await child.finish(within: .seconds(20))
                return builder
            }
            if signal == SIGTERM {
                #expect(try entries(of: bench.pool) == [])
                // Whatever it had started has gone with it.
                try await eventually("end of the build", within: .seconds(5)) { kill(builder, 0) == 0 ? nil : true }
            } else {
                kill(builder, SIGKILL)
            }
            try Data().write(to: URL(filePath: bench.signpost))
            let began = ContinuousClock.now
            let next = try await run(bench.launch(who: "the second"))
            #expect(next.status == .exited(0), "\(next.errors)")
            #expect(
                next.errors.contains("the first, which is gone; beginning anew") == (signal == SIGKILL),
                "\(next.errors)")
            #expect(ContinuousClock.now - began < .seconds(25))
            #expect(try entries(of: bench.pool) == [try bench.key()])
        }
    }

    /// Of another machine nothing is known but that it writes.
    @Test func aLockOfAMachineThatIsGoneIsTakenOver() async throws {
        try await withBench { bench in
            try bench.write(["requirements.txt": "tinyone\n"])
            let key = try await key(bench)
            let lock = "\(bench.pool)/.lock-\(key)"
            try FileManager.default.createDirectory(atPath: lock, withIntermediateDirectories: true)
            try Data("elsewhere/1 17 job 4 on elsewhere\n".utf8).write(to: URL(filePath: lock + "/owner"))
            try FileManager.default.createDirectory(
                atPath: "\(bench.pool)/\(key)/half", withIntermediateDirectories: true)
            let launches = try ["one", "two"].map {
                try bench.launch(
                    who: $0, environment: ["SUBMIT_ENVIRONMENT_PATIENCE": "12"],
                    state: bench.desk.folder + "/project/\($0)/job")
            }
            let all = try await withThrowingTaskGroup(of: Finished.self) { group in
                for launch in launches { group.addTask { try await run(launch) } }
                // As long as it writes it is waited for.
                for beat in 1...3 {
                    try Data("\(beat)\n".utf8).write(to: URL(filePath: lock + "/beat"))
                    try await Task.sleep(for: .seconds(2))
                }
                #expect(try entries(of: bench.pool).sorted() == [".lock-\(key)", key].sorted())
                #expect(try entries(of: "\(bench.pool)/\(key)") == ["half"])
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(all.allSatisfy { $0.status == .exited(0) }, "\(all.map(\.errors))")
            #expect(all.filter { $0.errors.contains("job 4 on elsewhere, which is gone; beginning anew") }.count == 1)
            #expect(try entries(of: bench.pool) == [key])
        }
    }
}
