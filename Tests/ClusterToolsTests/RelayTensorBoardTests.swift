import Foundation
import IO
import Testing

/// tensorboard.py with the real TensorBoard, started the way the job script does.
///
/// `CLUSTER_TOOLS_TEST_TENSORBOARD` names a Python that has TensorBoard; otherwise one is made with pip, once, in the
/// temporary folder.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RelayTensorBoardTests {
    struct Address {
        let port: Int
        let secret: String
    }

    /// A job's folder, and the program that serves it.
    struct Job {
        let folder: URL
        let process: Child
        var addressFile: URL { folder.appending(path: "job/tensorboard") }

        func errors() throws -> String {
            try String(contentsOf: folder.appending(path: "tensorboard.log"), encoding: .utf8)
        }

        func address() async throws -> Address {
            try await eventually(within: .seconds(90)) { FileManager.default.fileExists(atPath: addressFile.path) }
            let line = try String(contentsOf: addressFile, encoding: .utf8)
            let match = try #require(line.wholeMatch(of: /([0-9]+) ([A-Za-z0-9][A-Za-z0-9_-]{21,})\n/), "\(line)")
            return Address(port: try #require(Int(match.1)), secret: String(match.2))
        }

        /// What is in the folder where the address appears, hidden files too.
        func remains() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "job").path)
        }
    }

    func withJob<R>(
        python: String, logdir: String = "logs", command: [String] = [], _ body: (Job) async throws -> R
    ) async throws -> R {
        try await withTemporaryFolder { folder in
            for name in ["job", "tools"] {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: name), withIntermediateDirectories: false)
            }
            let script = folder.appending(path: "tools/tensorboard.py")
            try FileManager.default.copyItem(atPath: template("tensorboard.py"), toPath: script.path)
            return try await Child.with(
                command + [python, script.path, logdir, "job/tensorboard"], directory: folder,
                errorFile: folder.appending(path: "tensorboard.log")
            ) { process in
                try await body(Job(folder: folder, process: process))
            }
        }
    }

    /// The status and the body of a GET, without a proxy and without following redirects.
    func get(_ path: String, from address: Address) async throws -> (status: Int, body: String) {
        let script = """
            import http.client, sys
            connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
            connection.request("GET", sys.argv[2])
            response = connection.getresponse()
            sys.stdout.buffer.write(b"%d\\n" % response.status + response.read())
            """
        let text = try await Child.output(of: ["python3", "-c", script, String(address.port), path])
        let status = try #require(Int(text.prefix(3)), "no answer from \(path)")
        return (status, String(text.dropFirst(4)))
    }

    /// Three steps of a loss that falls from 0.5, as a run of the job.
    func writeScalars(in logdir: URL, python: String) async throws {
        let script = """
            import os, sys
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
            writer = EventFileWriter(os.path.join(sys.argv[1], "run1"))
            for step in range(3):
                value = Summary.Value(tag="loss", simple_value=0.5 / (step + 1))
                writer.add_event(Event(step=step, wall_time=step, summary=Summary(value=[value])))
            writer.close()
            """
        let status = try await Child.with([python, "-c", script, logdir.path]) {
            try await $0.exitStatus(within: .seconds(60))
        }
        #expect(status == .exited(0))
    }

    func permissions(of file: URL) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test func servesBehindItsSecretOnly() async throws {
        try await withJob(python: tensorBoardPython()) { job in
            let address = try await job.address()
            let page = try await get("/\(address.secret)/", from: address)
            #expect(page.status == 200)
            #expect(page.body.contains("TensorBoard"))
            for path in ["/", "/data/logdir", "/x/", "/\(address.secret.dropLast())/"] {
                #expect(try await get(path, from: address).status == 404, "\(path)")
            }

            #expect(try permissions(of: job.addressFile) == 0o600)
            let processes = try await Child.output(of: ["ps", "-eo", "args"])
            #expect(processes.contains("tensorboard.py logs"))
            #expect(!processes.contains(address.secret))
            #if os(Linux)
                for file in ["environ", "cmdline"] {
                    let url = URL(filePath: "/proc/\(job.process.identifier)/\(file)")
                    #expect(try Data(contentsOf: url).range(of: Data(address.secret.utf8)) == nil, "\(file)")
                }
            #endif
            // Nowhere but in the address file, nor in the places where TensorBoard would write it by itself.
            let byItself = FileManager.default.temporaryDirectory.appending(path: ".tensorboard-info")
            let found = try await Child.output(of: ["grep", "-rls", address.secret, job.folder.path, byItself.path])
            #expect(found.split(separator: "\n") == [Substring(job.addressFile.path)])

            job.process.send(signal: SIGTERM)
            #expect(try await job.process.exitStatus() == .exited(0))
            #expect(try job.remains() == [])
            #expect(try job.errors() == "")
            #expect(try await Child.output(of: ["find", job.folder.path, "-name", "__pycache__"]) == "")
        }
    }

    @Test(arguments: ["name:a b, c", "~home"]) func readsLogsOfAnyName(_ logdir: String) async throws {
        let python = try await tensorBoardPython()
        try await withJob(python: python, logdir: logdir) { job in
            let address = try await job.address()
            #expect(try await get("/\(address.secret)/data/runs", from: address).body == "[]")
            // The folder appears when the job writes its first scalar.
            try await writeScalars(in: job.folder.appending(path: logdir), python: python)
            try await eventually(within: .seconds(30)) {
                try await get("/\(address.secret)/data/runs", from: address).body == #"["run1"]"#
            }
            let scalars = try await get(
                "/\(address.secret)/data/plugin/scalars/scalars?tag=loss&run=run1", from: address)
            #expect(scalars.body.contains("0.25"))
        }
    }

    @Test func endsWithItsParent() async throws {
        // The shell is the job script: it starts TensorBoard, and dies without a word.
        let shell = ["sh", "-c", #""$@" & echo $!; wait"#, "sh"]
        try await withJob(python: tensorBoardPython(), command: shell) { job in
            let child = try #require(Int32(try await job.process.line()))
            _ = try await job.address()
            job.process.send(signal: SIGKILL)
            try await eventually { try job.remains().isEmpty && kill(child, 0) != 0 }
            #expect(try job.errors() == "")
        }
    }

    @Test func endsWhileItStarts() async throws {
        try await withJob(python: tensorBoardPython()) { job in
            try await eventually { try !job.remains().isEmpty }
            try await Task.sleep(for: .milliseconds(100))
            job.process.send(signal: SIGTERM)
            #expect(try await job.process.exitStatus() == .exited(0))
            #expect(try job.remains() == [])
            #expect(try job.errors() == "")
        }
    }

    @Test func warningSignalsAreForTheCommand() async throws {
        try await withJob(python: tensorBoardPython()) { job in
            let address = try await job.address()
            job.process.send(signal: SIGUSR1)
            job.process.send(signal: SIGUSR2)
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await get("/\(address.secret)/", from: address).status == 200)
        }
    }

    @Test func leavesTensorFlowAlone() async throws {
        // A TensorFlow that shows when it is imported.
        try await withTemporaryFolder { modules in
            try FileManager.default.createDirectory(
                at: modules.appending(path: "tensorflow"), withIntermediateDirectories: true)
            try #"import sys; sys.stderr.write("TensorFlow was imported\n")"#.write(
                to: modules.appending(path: "tensorflow/__init__.py"), atomically: true, encoding: .utf8)
            let python = try await tensorBoardPython()
            try await withJob(python: python, command: ["PYTHONPATH=\(modules.path)"]) { job in
                try await writeScalars(in: job.folder.appending(path: "logs"), python: python)
                let address = try await job.address()
                try await eventually {
                    try await get("/\(address.secret)/data/runs", from: address).body == #"["run1"]"#
                }
                let active = try await get("/\(address.secret)/data/plugins_listing", from: address)
                #expect(active.body.contains("scalars"))
                #expect(try !job.errors().contains("TensorFlow was imported"))
            }
        }
    }

    @Test func brokenPluginOfAnotherPackageTakesNothingDown() async throws {
        try await withTemporaryFolder { modules in
            let information = modules.appending(path: "broken_plugin-1.0.dist-info")
            try FileManager.default.createDirectory(at: information, withIntermediateDirectories: false)
            for (file, text) in [
                "METADATA": "Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n",
                "entry_points.txt": "[tensorboard_plugins]\nbroken = absent_module_of_a_test:Plugin\n",
            ] {
                try text.write(to: information.appending(path: file), atomically: true, encoding: .utf8)
            }
            try await withJob(python: tensorBoardPython(), command: ["PYTHONPATH=\(modules.path)"]) { job in
                let address = try await job.address()
                #expect(try await get("/\(address.secret)/", from: address).status == 200)
                let errors = try job.errors()
                #expect(errors.contains("plugin of another package does not load"))
                #expect(errors.contains("absent_module_of_a_test"))
                #expect(!errors.contains(address.secret))
            }
        }
    }

    @Test func saysHowToGetTensorBoard() async throws {
        // Python without its site packages.
        try await withTemporaryFolder { folder in
            let python = folder.appending(path: "python3")
            try "#!/bin/sh\nexec python3 -S -E -s \"$@\"\n".write(to: python, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: python.path)
            try await withJob(python: python.path) { job in
                #expect(try await job.process.exitStatus(within: .seconds(30)) == .exited(69))
                let errors = try job.errors()
                let expected = /TensorBoard is not installed for .*; add it with: .* -m pip install tensorboard\n/
                #expect(errors.wholeMatch(of: expected) != nil, "\(errors)")
                #expect(try job.remains() == [])
            }
        }
    }

    @Test func saysWhichModuleIsMissing() async throws {
        try await withTemporaryFolder { modules in
            try FileManager.default.createDirectory(
                at: modules.appending(path: "tensorboard"), withIntermediateDirectories: true)
            try "import absent_module_of_a_test\n".write(
                to: modules.appending(path: "tensorboard/__init__.py"), atomically: true, encoding: .utf8)
            try await withJob(python: "python3", command: ["PYTHONPATH=\(modules.path)"]) { job in
                #expect(try await job.process.exitStatus(within: .seconds(30)) == .exited(69))
                let errors = try job.errors()
                #expect(errors.contains("lacks the module absent_module_of_a_test; add it with:"))
            }
        }
    }

    @Test func refusesWrongArguments() async throws {
        let status = try await Child.with(["python3", template("tensorboard.py"), "only-one"]) {
            try await $0.exitStatus()
        }
        #expect(status == .exited(64))
    }
}

/// A Python that can import TensorBoard. Skips the test, with the reason, where there is none and none can be made.
func tensorBoardPython() async throws -> String {
    if let python = ProcessInfo.processInfo.environment["CLUSTER_TOOLS_TEST_TENSORBOARD"] { return python }
    let folder = FileManager.default.temporaryDirectory.appending(path: "cluster-tools-tests/tensorboard")
    let python = folder.appending(path: "bin/python").path
    let complete = folder.appending(path: "complete")
    if FileManager.default.fileExists(atPath: complete.path) { return python }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let log = folder.deletingLastPathComponent().appending(path: "tensorboard.log")
    let command = #"python3 -m venv --clear "$0" && "$0/bin/pip" install --quiet tensorboard && touch "$0/complete""#
    try await Child.with(["sh", "-c", command, folder.path], errorFile: log) { installer in
        guard try await installer.exitStatus(within: .seconds(300)).isSuccess else {
            let log = try String(contentsOf: log, encoding: .utf8)
            try Test.cancel("TensorBoard cannot be installed with pip: \(log.suffix(500))")
        }
    }
    return python
}
