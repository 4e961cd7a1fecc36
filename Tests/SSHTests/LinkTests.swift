import Foundation
import IO
import SSH
import Testing

@testable import SSH

@Suite(.serialized) struct LinkTests {
    /// The process that serves the session, on the server.
    private func serverProcess(_ session: Session) async throws -> pid_t {
        let output = try await session.run("echo $PPID").output
        return try #require(pid_t(output.dropLast()))
    }

    @Test func aKilledServerIsNoticedAtOnce() async throws {
        try await TestServer.with { server in
            try await server.withSession { session in
                let pid = try await serverProcess(session)
                let waiting = (0..<5).map { _ in Task { try await session.run("sleep 30") } }
                let hearing = Task { try await session.waitForFailure() }
                try await Task.sleep(for: .milliseconds(300))
                let start = ContinuousClock.now
                kill(pid, SIGKILL)
                for task in waiting {
                    let error = await #expect(throws: SSHError.self) {
                        try await within(5) { _ = try await value(of: task) }
                    }
                    #expect(error?.code == .linkLost)
                }
                try await expect(hearing.value.code, is: .linkLost)
                #expect(ContinuousClock.now - start < .seconds(2))
                let error = await #expect(throws: SSHError.self) {
                    try await within(5) { try await session.run("true") }
                }
                #expect(error?.code == .linkLost)
            }
        }
    }

    @Test func aSilentServerIsGivenUp() async throws {
        try await TestServer.with { server in
            let login = try server.login(silenceLimit: .seconds(3))
            let end = try await server.withSession(login) { session in
                let pid = try await serverProcess(session)
                defer {
                    kill(pid, SIGCONT)
                    kill(pid, SIGKILL)
                }
                // Silent for longer than the limit, but there: probes are answered.
                try await expect(within { try await session.run("sleep 5; echo there").output }, is: "there\n")
                kill(pid, SIGSTOP)
                let start = ContinuousClock.now
                let writing = Task {
                    try await session.withProcess("cat") { process in
                        while true { try await process.write([UInt8](repeating: 0, count: 65536)) }
                    }
                }
                for command in ["echo never", "echo neither"] {
                    let error = await #expect(throws: SSHError.self) {
                        try await within(60) { try await session.run(command) }
                    }
                    #expect(error?.code == .linkLost)
                }
                let error = await #expect(throws: SSHError.self) {
                    try await within(60) { _ = try await value(of: writing) }
                }
                #expect(error?.code == .linkLost)
                let elapsed = ContinuousClock.now - start
                #expect(elapsed > .seconds(1))
                return ContinuousClock.now
            }
            // Leaving a dead session waits for nobody either.
            #expect(ContinuousClock.now - end < .seconds(30))
        }
    }

    @Test func aForwardCarriesHalfClose() async throws {
        try await TestServer.with { server in
            try await withListener(preferredPort: nil, loop: server.loop) { listener in
                try await server.withSession { session in
                    try await within {
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            group.addTask {
                                let peer = try await listener.accept()
                                try await expect(text(peer.readToEnd()), is: "question")
                                try await peer.write(Array("answer".utf8))
                                await peer.finishWriting()
                            }
                            group.addTask {
                                try await session.withStream(toHost: "127.0.0.1", port: listener.port) { stream in
                                    try await stream.write(Array("question".utf8))
                                    try await stream.finishWriting()
                                    try await expect(text(stream.readToEnd()), is: "answer")
                                }
                            }
                            for try await _ in group {}
                        }
                    }
                }
            }
        }
    }

    /// Our memory would take what nobody reads.
    @Test func aServerSendsLittleMoreThanIsRead() async throws {
        try await TestServer.with { server in
            let count = "\(server.folder)/count"
            let command = """
                i=0
                while [ $i -lt 100 ]; do head -c 1000000 /dev/zero || exit; i=$((i + 1)); echo $i >\(count); done
                """
            try await server.withSession { session in
                try await within(60) {
                    // By now it knows how near the server is.
                    for _ in 0..<5 { _ = try await session.run("true") }
                    try await session.withProcess(command) { process in
                        var read = 0
                        while read < 3_000_000 {
                            read += try await process.read(upTo: 1 << 16).count
                            // Time to send all that the server may.
                            try await Task.sleep(for: .milliseconds(20))
                        }
                        // In megabytes: what was read, what lies here and with libssh, and in the server's pipes and sockets.
                        let sent = try String(contentsOfFile: count, encoding: .utf8).split(separator: "\n")
                        #expect(try #require(sent.first.flatMap { Int($0) }) < 15)
                    }
                }
            }
        }
    }

    @Test func aSlowReaderStallsNobody() async throws {
        try await TestServer.with { server in
            try await withListener(preferredPort: nil, loop: server.loop) { listener in
                try await server.withSession { session in
                    try await within(60) {
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            // Whoever connects gets 40 MB.
                            group.addTask {
                                try await withThrowingTaskGroup(of: Void.self) { connections in
                                    for _ in 0..<4 {
                                        let peer = try await listener.accept()
                                        connections.addTask {
                                            let block = [UInt8](repeating: 9, count: 1 << 20)
                                            for _ in 0..<40 { try await peer.write(block) }
                                            await peer.finishWriting()
                                        }
                                    }
                                    for try await _ in connections {}
                                }
                            }
                            group.addTask {
                                try await session.withStream(toHost: "127.0.0.1", port: listener.port) { slow in
                                    _ = try await slow.read(upTo: 10)
                                    // The fast ones get all theirs while this one reads nothing.
                                    try await withThrowingTaskGroup(of: Int.self) { fast in
                                        for _ in 0..<3 {
                                            fast.addTask {
                                                try await session.withStream(toHost: "127.0.0.1", port: listener.port) {
                                                    var total = 0
                                                    while case let bytes = try await $0.read(upTo: 1 << 16),
                                                        !bytes.isEmpty
                                                    {
                                                        total += bytes.count
                                                    }
                                                    return total
                                                }
                                            }
                                        }
                                        for try await total in fast { #expect(total == 40 << 20) }
                                    }
                                    try await expect(session.run("echo quick").output, is: "quick\n")
                                    var total = 10
                                    while case let bytes = try await slow.read(upTo: 1 << 16), !bytes.isEmpty {
                                        total += bytes.count
                                    }
                                    #expect(total == 40 << 20)
                                }
                            }
                            for try await _ in group {}
                        }
                    }
                }
            }
        }
    }

    @Test func aRefusedForwardHasTheReason() async throws {
        try await TestServer.with { server in
            let port = try await withListener(preferredPort: nil, loop: server.loop) { $0.port }
            try await server.withSession { session in
                let error = await #expect(throws: SSHError.self) {
                    try await within { try await session.withStream(toHost: "127.0.0.1", port: port) { _ in } }
                }
                #expect(error?.code == .forwardRefused)
                #expect(error?.message.contains("Connection refused") == true)
                try await expect(session.run("echo on").output, is: "on\n")
            }
        }
        try await TestServer.with(["AllowTcpForwarding no"]) { server in
            try await server.withSession { session in
                let error = await #expect(throws: SSHError.self) {
                    try await within { try await session.withStream(toHost: "127.0.0.1", port: 1) { _ in } }
                }
                #expect(error?.code == .forwardRefused)
                #expect(error?.message.contains("forbids forwards") == true)
            }
        }
    }

    #if canImport(Glibc)
        @Test func aForwardThatNobodyAnswersCanBeGivenUp() async throws {
            try await TestServer.with { server in
                try await withFullQueue { port, freeIt in
                    let login = try server.login(silenceLimit: .seconds(3))
                    try await server.withSession(login) { session in
                        let start = ContinuousClock.now
                        let task = Task { try await session.withStream(toHost: "127.0.0.1", port: port) { _ in } }
                        // Longer than the limit of silence: the server still answers, only not to this.
                        try await Task.sleep(for: .seconds(5))
                        task.cancel()
                        await #expect(throws: CancellationError.self) {
                            try await within(1) { try await value(of: task) }
                        }
                        #expect(ContinuousClock.now - start < .seconds(7))
                        // What is opened next has to wait for the server's answer.
                        freeIt()
                        try await expect(within(30) { try await session.run("echo on").output }, is: "on\n")
                    }
                }
            }
        }

        /// Listens on a port where a connection is neither accepted nor refused, until it is set free.
        private func withFullQueue(_ body: (UInt16, () -> Void) async throws -> Void) async throws {
            let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            defer { _ = close(listener) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let connectors = (0..<4).map { _ in
                socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
            }
            defer { for fd in connectors { _ = close(fd) } }
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = bind(listener, $0, size)
                    _ = listen(listener, 0)
                    _ = getsockname(listener, $0, &size)
                    for fd in connectors { _ = connect(fd, $0, size) }
                }
            }
            try await body(UInt16(bigEndian: address.sin_port)) { _ = listen(listener, 100) }
        }
    #endif

    @Test func aSessionRunsInsideAnothersStream() async throws {
        try await TestServer.with(["RekeyLimit 1M"]) { outer in
            try await TestServer.with(["RekeyLimit 1M"]) { inner in
                try await outer.withSession { session in
                    try await session.withStream(toHost: "127.0.0.1", port: inner.port) { stream in
                        try await Session.withSession(
                            to: inner.endpoint, login: inner.login(), over: stream, loop: outer.loop
                        ) { hop in
                            try await within(60) {
                                try await expect(hop.run("echo inside").output, is: "inside\n")
                                let input = [UInt8](repeating: 5, count: 5_000_000)
                                async let up = hop.run("wc -c", input: input)
                                async let down = hop.run("head -c 5000000 /dev/zero")
                                try await expect(up.output.filter(\.isNumber), is: "5000000")
                                try await expect(down.output.utf8.count, is: 5_000_000)
                            }
                        }
                    }
                    // The outer session outlives the hop.
                    try await expect(session.run("echo outside").output, is: "outside\n")
                }
            }
        }
    }

    @Test func silenceIsProbedAndThenGivenUp() {
        let start = ContinuousClock.now
        var monitor = SilenceMonitor(limit: .seconds(15))
        #expect(monitor.action(at: start, lastReceived: start) == .wait(until: start + .seconds(5)))
        #expect(monitor.action(at: start + .seconds(5), lastReceived: start) == .probe)
        #expect(monitor.action(at: start + .seconds(6), lastReceived: start) == .wait(until: start + .seconds(15)))
        // An answer settles it.
        #expect(
            monitor.action(at: start + .seconds(8), lastReceived: start + .seconds(7))
                == .wait(until: start + .seconds(12)))
        #expect(monitor.action(at: start + .seconds(12), lastReceived: start + .seconds(7)) == .probe)
        #expect(monitor.action(at: start + .seconds(22), lastReceived: start + .seconds(7)) == .giveUp)
    }

    @Test func afterASleepTheServerIsAskedAtOnce() {
        let start = ContinuousClock.now
        var monitor = SilenceMonitor(limit: .seconds(15))
        #expect(monitor.action(at: start, lastReceived: start) == .wait(until: start + .seconds(5)))
        // A night later.
        let wake = start + .seconds(30_000)
        #expect(monitor.action(at: wake, lastReceived: start) == .probe)
        #expect(monitor.action(at: wake, lastReceived: start) == .wait(until: wake + .seconds(10)))
        #expect(monitor.action(at: wake + .seconds(10), lastReceived: start) == .giveUp)
    }

    @Test func aStoppedProcessAsksAgain() {
        let start = ContinuousClock.now
        var monitor = SilenceMonitor(limit: .seconds(15))
        #expect(monitor.action(at: start + .seconds(5), lastReceived: start) == .probe)
        // Hours later the answer may lie in the socket, unread.
        #expect(monitor.action(at: start + .seconds(5000), lastReceived: start) == .probe)
        #expect(monitor.action(at: start + .seconds(5010), lastReceived: start) == .giveUp)
    }
}
