import Foundation
import IO
import Testing

/// `cluster data`: the cluster downloads, runs see it.
@Suite(.timeLimit(.minutes(3))) struct DataVerbTests {
    /// A web server that knows ranges, breaks the first request for `large` off in its middle, and writes every request down.
    private static let server = """
        import http.server, os, re, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with open("requests", "a") as log: log.write(self.path + " " + str(self.headers.get("Range")) + "\\n")
                name = self.path.split("?")[0].strip("/").replace("%20", " ")
                if not os.path.exists("files/" + name): return self.send_error(404)
                data = open("files/" + name, "rb").read()
                start = int(re.sub(r"\\D", "", self.headers.get("Range") or "0"))
                if start and start >= len(data): return self.send_error(416)
                self.send_response(206 if start else 200)
                if start: self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                if name == "large" and not start: return self.wfile.write(data[:len(data) // 2])
                self.wfile.write(data[start:])
            def log_message(self, *words): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()

        """

    private func withServer<R: Sendable>(
        _ files: [String: Data], on desk: Desk,
        _ body: @Sendable (_ url: String, _ requests: () throws -> String) async throws -> R
    ) async throws -> R {
        let folder = desk.folder + "/web"
        for (name, data) in files {
            try FileManager.default.createDirectory(atPath: folder + "/files", withIntermediateDirectories: true)
            try data.write(to: URL(filePath: folder + "/files/" + name))
        }
        let launch = Launch(
            program: "python3", arguments: ["-c", Self.server], directory: folder, environment: desk.environment)
        return try await withChild(launch) { child in
            let port = try await eventually("a web server", within: .seconds(20)) {
                await child.summary
            } check: {
                Int(String(decoding: await child.bytes(.output), as: UTF8.self).prefix { $0 != "\n" })
            }
            return try await body("http://127.0.0.1:\(port)") {
                try String(contentsOfFile: folder + "/requests", encoding: .utf8)
            }
        }
    }

    @Test(arguments: Place.available) func runsSeeWhatTheClusterFetched(place: Place) async throws {
        let large = try noise(3 << 20)
        try await withWorkplace(place, files: ["main.sh": "cat data/a.txt; wc -c <data/large; ls data"]) { workplace in
            try await withServer(
                ["a.txt": Data("hello\n".utf8), "large": large, "b c": Data()], on: workplace.repository.desk
            ) {
                url, requests in
                var fetch = workplace.cluster("data")
                let words =
                    (workplace.profile.map { ["-c", $0] } ?? []) + [
                        // printf 'hello\\n' | sha256sum
                        "\(url)/a.txt#sha256=5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
                        "\(url)/large", "\(url)/b%20c?key=secret",
                    ]
                fetch.arguments += words
                let fetched = try await run(fetch).checked("cluster data")
                #expect(fetched.errors.contains("fetched a.txt, 6 B"), "\(fetched.errors)")
                #expect(fetched.errors.contains("fetched large, 3.1 MB"), "\(fetched.errors)")
                let folder = workplace.runs + "/data"
                #expect(fetched.output == folder + "\n")
                #expect(try entries(of: folder) == ["a.txt", "b c", "large"])
                #expect(try Data(contentsOf: URL(filePath: folder + "/large")) == large)
                // The second part of it came by itself.
                #expect(try requests().contains("/large bytes=1572864-"))
                let before = try requests()
                let again = try await run(fetch).checked("cluster data")
                #expect(again.errors.contains("large was there already"), "\(again.errors)")
                #expect(try requests() == before)
                let job = try await run(workplace.submit("--no-tensorboard", "sh", "main.sh")).checked("submit")
                #expect(job.output == "hello\n\(3 << 20)\na.txt\nb c\nlarge\n")
            }
        }
    }

    @Test func whatIsNotWhatItShouldBeIsNotKept() async throws {
        try await withWorkplace(.thisMachine, files: ["data/own": "mine\n", "main.sh": "cat data/own"]) { workplace in
            try await withServer(["a": Data("x".utf8)], on: workplace.repository.desk) { url, _ in
                let wrong = try await run(
                    workplace.cluster("data", "\(url)/a#sha256=\(String(repeating: "0", count: 64))"))
                #expect(wrong.status == .exited(65), "\(wrong.errors)")
                #expect(
                    wrong.errors.contains(
                        "its SHA-256 is 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
                    "\(wrong.errors)")
                #expect(try entries(of: workplace.runs + "/data") == [])
                let missing = try await run(workplace.cluster("data", "\(url)/none", "\(url)/a"))
                #expect(missing.status == .exited(69), "\(missing.errors)")
                #expect(missing.errors.contains("none could not be fetched: "), "\(missing.errors)")
                #expect(missing.errors.contains("404"), "\(missing.errors)")
                #expect(missing.errors.contains("there is a data/ here too"), "\(missing.errors)")
                #expect(try entries(of: workplace.runs + "/data") == ["a"])
                let job = try await run(workplace.submit("--no-tensorboard", "sh", "main.sh")).checked("submit")
                #expect(job.output == "mine\n")
                #expect(job.errors.contains("data/ is the repository's own"), "\(job.errors)")
            }
            #expect(try await run(workplace.cluster("data", "file:///etc/passwd")).status == .exited(64))
        }
    }
}
