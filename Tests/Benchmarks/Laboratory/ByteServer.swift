import Foundation
import IO

/// A server that a job can have in place of TensorBoard, by way of all that submit does for that: it gives as many bytes as
/// one asks for, faster than any tunnel.
struct ByteServer: Sendable {
    /// What makes Python find it under TensorBoard's name, for a profile's `environment`.
    let environment: String

    init(in laboratory: Laboratory) throws {
        let folder = try laboratory.makeFolder("byteserver")
        let package = folder + "/tensorboard"
        try FileManager.default.createDirectory(atPath: package, withIntermediateDirectories: true)
        for (name, text) in [
            "__init__": "", "default": "def get_plugins():\n    return []\n", "program": ByteServer.program,
        ] {
            try Data(text.utf8).write(to: URL(filePath: "\(package)/\(name).py"))
        }
        environment = "export PYTHONPATH=\(folder)"
    }

    /// The part of TensorBoard's interface that `templates/tensorboard.py` uses. A GET of …/N is answered with N bytes.
    private static let program = #"""
        import socket, threading, types

        BLOCK = bytes(1 << 20)

        def serve(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            file = connection.makefile("rb")
            try:
                while True:
                    request = file.readline().split()
                    while file.readline().strip():
                        pass
                    if len(request) < 2:
                        return
                    last = request[1].rsplit(b"/", 1)[1]
                    left = int(last) if last.isdigit() else 0
                    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left
                    first = min(left, 1024)
                    connection.sendall(head + BLOCK[:first])
                    left -= first
                    while left:
                        piece = min(left, len(BLOCK))
                        connection.sendall(memoryview(BLOCK)[:piece])
                        left -= piece
            except OSError:
                pass
            finally:
                connection.close()

        class TensorBoard:
            def __init__(self, plugins):
                self.flags = types.SimpleNamespace()

            def configure(self, argv):
                self.path = [word.split("=", 1)[1] for word in argv if word.startswith("--path_prefix=")][0]

            def launch(self):
                listener = socket.socket()
                listener.bind(("127.0.0.1", 0))
                listener.listen(512)

                def accept():
                    while True:
                        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

                threading.Thread(target=accept, daemon=True).start()
                return "http://127.0.0.1:%d%s/" % (listener.getsockname()[1], self.path)

        """#
}

/// A connection to a ``ByteServer``, over whatever leads there.
struct ByteClient: Sendable {
    let stream: any ByteStream
    let path: String

    /// Asks for `count` bytes and takes them.
    func fetch(_ count: Int) async throws {
        try await stream.write(Array("GET \(path)\(count) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        // The length of the answer's head depends on the number's alone.
        let expected = 37 + String(count).utf8.count + count
        var taken = 0
        while taken < expected {
            let bytes = try await stream.read(upTo: 1 << 18)
            guard !bytes.isEmpty else { throw BenchmarkError("the tunnel ended after \(taken) of \(expected) bytes") }
            taken += bytes.count
        }
        guard taken == expected else { throw BenchmarkError("\(taken - expected) bytes too many") }
    }
}

extension Laboratory {
    /// Connects to a byte server.
    func withByteClient<Result: Sendable>(
        _ address: RunningJob.Address, _ body: @Sendable (ByteClient) async throws -> Result
    ) async throws -> Result {
        try await withConnection(toHost: "127.0.0.1", port: address.port, timeout: .seconds(10), loop: loop) {
            try await body(ByteClient(stream: $0, path: address.path))
        }
    }
}
