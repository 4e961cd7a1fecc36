import Foundation
import Testing

/// `cluster notebook`: a real JupyterLab as a job.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(8)))
struct NotebookTests {
    /// Asks a kernel to compute, as a notebook's page does: over a websocket, by the messages of Jupyter's protocol.
    private static let kernel = """
        import base64, http.client, json, os, socket, struct, sys, urllib.parse
        address = urllib.parse.urlparse(sys.argv[1])
        token = urllib.parse.parse_qs(address.query)["token"][0]
        headers = {"Authorization": "token " + token}
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
        connection.request("POST", "/api/kernels", "{}", headers)
        kernel = json.loads(connection.getresponse().read())["id"]
        stream = socket.create_connection(("127.0.0.1", address.port), 60)
        key = base64.b64encode(os.urandom(16)).decode()
        stream.sendall((
            "GET /api/kernels/%s/channels HTTP/1.1\\r\\nHost: localhost:%d\\r\\nUpgrade: websocket\\r\\n"
            "Connection: Upgrade\\r\\nSec-WebSocket-Key: %s\\r\\nSec-WebSocket-Version: 13\\r\\n"
            "Origin: http://localhost:%d\\r\\nAuthorization: token %s\\r\\n\\r\\n"
            % (kernel, address.port, key, address.port, token)).encode())
        file = stream.makefile("rb")
        assert b" 101 " in file.readline()
        while file.readline() != b"\\r\\n":
            pass
        request = {
            "header": {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"},
            "parent_header": {}, "metadata": {}, "channel": "shell", "buffers": [],
            "content": {"code": "import os\\nprint(6 * 7, os.path.basename(os.getcwd()))\\n"
                                "print([k for k, v in os.environ.items() if '%s' in v])" % token, "silent": False},
        }
        text = json.dumps(request).encode()
        mask = os.urandom(4)
        stream.sendall(b"\\x81" + struct.pack("!BH", 0x80 | 126, len(text)) + mask
                       + bytes(byte ^ mask[index % 4] for index, byte in enumerate(text)))
        printed = ""
        while printed.count("\\n") < 2:
            _, length = file.read(2)
            if length == 126: length, = struct.unpack("!H", file.read(2))
            elif length == 127: length, = struct.unpack("!Q", file.read(8))
            payload = file.read(length)
            if not payload.startswith(b"{"): continue
            message = json.loads(payload)
            if message["msg_type"] == "stream": printed += message["content"]["text"]
        sys.stdout.write(printed)
        """

    /// One JupyterLab to install, one cluster: a job there, and a process on this machine.
    @Test func aNotebookFromItsStartToItsEnd() async throws {
        try await withOwnDemoCluster(.init(hasJupyter: true)) { cluster in
            for place in [Place.demoCluster, .thisMachine] {
                try await withWorkplace(
                    place, files: ["sub/data.txt": "1"], cluster: cluster, hasTensorBoard: place == .thisMachine
                ) { workplace in
                    try await check(workplace)
                }
            }
        }
    }

    private func check(_ workplace: Workplace) async throws {
        var launch = workplace.cluster("notebook")
        launch.arguments += ["-c", try #require(workplace.profile)]
        launch.directory += "/sub"
        try await withTerminal(launch) { terminal in
            let job = String(try await terminal.expect(#/cluster: job (\d+) on /#, within: .seconds(30)).1)
            let address = String(
                try await terminal.expect(#/cluster: JupyterLab (\S+)\n/#, within: .seconds(120)).1)
            #expect(
                try await run(
                    Launch(
                        program: "python3", arguments: ["-c", Self.kernel, address], directory: "/",
                        environment: ["PATH": "/usr/bin:/bin"]),
                    within: .seconds(90)
                ).checked("kernel").output == "42 sub\n[]\n")
            try await checkSecret(of: address, workplace)
            // Without the token nothing is to be had.
            let root = try #require(address.firstMatch(of: #/http:\/\/localhost:\d+/#)?.output)
            #expect(try await fetch(root + "/api/kernels").status == 403)
            #expect(try await fetch(root + "/lab").status == 302)
            await terminal.press(.interrupt)
            try await terminal.expect("Cancel job \(job)? [y/N/d] ")
            await terminal.type("d\n")
            #expect(try await terminal.finish() == .exited(0))
            // It is found again.
            try await withTerminal(workplace.cluster("open", job)) { again in
                let same = String(try await again.expect(#/cluster: JupyterLab (\S+)\n/#, within: .seconds(60)).1)
                #expect(same.split(separator: "=").last == address.split(separator: "=").last)
                #expect(try await fetch(same).status == 200)
                await again.press(.interrupt)
                #expect(try await again.finish() == .exited(0))
            }
            #expect(try await run(workplace.cluster("cancel", "--yes", job)).status == .exited(0))
            try await workplace.allJobsEnd()
            let folder = "\(workplace.runs)/\(try #require(try workplace.leftovers().first))/job"
            #expect(try entries(of: folder).filter { $0.hasPrefix(".") || $0 == "notebook-address" } == [])
        }
    }

    /// In no process's arguments, in no file that others read, and in no log.
    private func checkSecret(of address: String, _ workplace: Workplace) async throws {
        let secret = try #require(address.split(separator: "=").last)
        #expect(secret.count == 48)
        let processes = try await run(
            Launch(
                program: "ps", arguments: ["-e", "-ww", "-o", "args"], directory: "/",
                environment: ["PATH": "/usr/bin:/bin"])
        ).checked("ps").output
        #expect(processes.contains("notebook.py"))
        #expect(!processes.contains(secret))
        let folder = "\(workplace.runs)/\(try #require(try workplace.leftovers().first))"
        let names = try await run(
            Launch(
                program: "grep", arguments: ["-rl", String(secret), folder], directory: "/",
                environment: ["PATH": "/usr/bin:/bin"])
        ).output.split(separator: "\n").map(String.init)
        #expect(names.contains("\(folder)/job/notebook-address"))
        for name in names {
            #expect(name.hasPrefix("\(folder)/job/"))
            // Closed itself, or in a folder that is.
            let isClosed = try [name, URL(filePath: name).deletingLastPathComponent().path].contains { path in
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                return (attributes[.posixPermissions] as? Int).map { $0 & 0o077 } == 0
            }
            #expect(isClosed, "\(name)")
        }
    }

    @Test func whereItIsNotInstalledTheReasonIsTold() async throws {
        try await withWorkplace(.thisMachine, files: ["bin/python": "#!/bin/sh\nexit 1\n"]) { workplace in
            let folder = workplace.repository.folder + "/bin"
            try FileManager.default.copyItem(atPath: folder + "/python", toPath: folder + "/python3")
            for name in ["python", "python3"] { chmod("\(folder)/\(name)", 0o755) }
            let profile = workplace.signpost("bare.json")
            try JSONEncoder().encode(["activate_python": "PATH=\(folder):$PATH"]).write(to: URL(filePath: profile))
            let finished = try await run(workplace.cluster("notebook", "-c", profile))
            #expect(finished.status == .exited(69))
            #expect(finished.errors.contains("pip install jupyterlab there\n"), "\(finished.errors)")
        }
    }
}
