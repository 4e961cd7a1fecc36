import IO

/// What the relay connects to in tests: a server that does what the first byte of a connection says.
enum RelayServer {
    /// - Parameter body: Gets the server, which says some things aloud, and its port.
    static func with<R>(_ body: (Child, String) async throws -> R) async throws -> R {
        try await Child.with(["python3", "-c", Self.program]) { server in
            try await body(server, server.line())
        }
    }

    private static let program = #"""
        import os, socket, socketserver, struct, sys, threading, time

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                s = self.request
                order = s.recv(1)
                if order == b"E":  # echo until the end, then end
                    while True:
                        data = s.recv(65536)
                        if not data:
                            return
                        s.sendall(data)
                elif order == b"C":  # count until the end, then answer
                    total = 0
                    while True:
                        data = s.recv(65536)
                        if not data:
                            break
                        total += len(data)
                    s.sendall(str(total).encode())
                elif order == b"G":  # say goodbye, end, then count what still comes, and say it aloud
                    s.sendall(b"goodbye")
                    s.shutdown(socket.SHUT_WR)
                    total = 0
                    while True:
                        data = s.recv(65536)
                        if not data:
                            break
                        total += len(data)
                    print("counted", total, flush=True)
                elif order == b"T":  # say aloud how it ended
                    s.sendall(b"t")
                    try:
                        while s.recv(65536):
                            pass
                        print("ended", flush=True)
                    except OSError:
                        print("broken", flush=True)
                elif order == b"F":  # flood for ever
                    try:
                        while True:
                            s.sendall(b"x" * 65536)
                    except OSError as error:
                        print("broken", flush=True)
                elif order == b"N":  # never read again
                    time.sleep(1000)
                elif order == b"R":  # reset
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                pass  # connections that break are what is tested

        server = Server(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        os._exit(0)
        """#
}
