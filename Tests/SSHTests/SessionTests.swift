import Foundation
import IO
import SSH
import Testing

@Suite(.serialized) struct SessionTests {
    @Test func aCommandHasOutputErrorsAndStatus() async throws {
        try await TestServer.with { server in
            try await server.withSession { session in
                try await within {
                    try await session.withProcess("cat; echo oops >&2; exit 7") { process in
                        try await process.write(Array("hello\n".utf8))
                        try await process.finishWriting()
                        let output = try await process.readToEnd()
                        let errors = try await process.readError(upTo: 100)
                        #expect(text(output) == "hello\n")
                        #expect(text(errors) == "oops\n")
                        try await expect(process.exitStatus(), is: .exited(7))
                    }
                    try await expect(session.run("kill -TERM $$").status, is: .signaled("TERM"))
                    try await expect(session.run("exit 0").status.isSuccess, is: true)
                }
            }
        }
    }

    @Test func aTerminalIsLikeTheUsers() async throws {
        var modes = termios()
        modes.c_iflag = tcflag_t(ICRNL | IXON | IXANY | IUTF8)
        modes.c_oflag = tcflag_t(OPOST | ONLCR)
        modes.c_lflag = tcflag_t(ISIG | ICANON | IEXTEN)
        withUnsafeMutableBytes(of: &modes.c_cc) { keys in
            keys[Int(VINTR)] = 0x18
            keys[Int(VERASE)] = 0x7F
            keys[Int(VQUIT)] = 0x1C
            keys[Int(VSUSP)] = 0
            keys[Int(VWERASE)] = 7
        }
        let request = TerminalRequest(type: "vt220", size: TerminalSize(columns: 91, rows: 17), modes: modes)
        try await TestServer.with { server in
            try await server.withSession { session in
                try await within {
                    try await session.withTerminal(request, running: "echo $TERM; stty -a; echo ready; exec sleep 60") {
                        process in
                        // Not before: the key would interrupt stty, and the shell would go on.
                        let settings = try await process.text(until: "ready")
                        for expected in [
                            "vt220", "rows 17; columns 91;", "intr = ^X;", "erase = ^?;", "quit = ^\\;",
                            "susp = <undef>;", " -echo ", " ixany", " icanon ", " iutf8", "werase = ^G;",
                        ] { #expect(settings.contains(expected), "\(expected) in \(settings)") }
                        try await process.resize(TerminalSize(columns: 33, rows: 44))
                        // The key that interrupts, of this terminal.
                        try await process.write([0x18])
                        _ = try await process.readToEnd()
                        try await expect(process.exitStatus(), is: .signaled("INT"))
                    }
                }
            }
        }
    }

    @Test func manyChannelsCarryBulkBothWaysThroughRekeys() async throws {
        try await TestServer.with(["RekeyLimit 1M"]) { server in
            try await server.withSession { session in
                let blocks = 160
                let size = 65536
                try await within(120) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for index in 0..<4 {
                            group.addTask {
                                try await session.withProcess("sleep 0.\(index); wc -c; exit \(index)") { process in
                                    let block = [UInt8](repeating: UInt8(65 + index), count: size)
                                    for _ in 0..<blocks { try await process.write(block) }
                                    try await process.finishWriting()
                                    let count = text(try await process.readToEnd())
                                    #expect(count.filter(\.isNumber) == String(blocks * size))
                                    try await expect(process.exitStatus(), is: .exited(Int32(index)))
                                }
                            }
                            group.addTask {
                                let result = try await session.run(
                                    "head -c \(blocks * size) /dev/zero | tr '\\0' \(index)")
                                #expect(result.output == String(repeating: String(index), count: blocks * size))
                                #expect(result.status.isSuccess)
                            }
                        }
                        for worker in 0..<3 {
                            group.addTask {
                                for round in 0..<20 {
                                    let result = try await session.run("echo \(worker)-\(round); exit \(round)")
                                    #expect(result.output == "\(worker)-\(round)\n")
                                    #expect(result.status == .exited(Int32(round)))
                                }
                            }
                        }
                        for try await _ in group {}
                    }
                }
            }
            let rekeys = server.log.split(separator: "SSH2_MSG_NEWKEYS received").count - 1
            #expect(rekeys > 20)
        }
    }

    @Test func noConnectionIsLeftOpen() async throws {
        guard FileManager.default.fileExists(atPath: "/proc/net/tcp") else { return print("skipped: no /proc here") }
        try await TestServer.with { server in
            for round in 0..<10 {
                try await server.withSession { session in
                    try await expect(session.run("exit \(round)").status, is: .exited(Int32(round)))
                    _ = try? await session.withStream(toHost: "127.0.0.1", port: 1) { _ in }
                }
                try await #expect(connections(toPort: server.port).allSatisfy { !["01", "08"].contains($0) })
            }
        }
    }

    /// The states of the connections to a port on this machine, as the kernel numbers them: 01 is established, 08 is
    /// closed by the other end only.
    private func connections(toPort port: UInt16) async throws -> [Substring] {
        // Leaving is a courtesy to the server, which may take a moment to close its end.
        try await Task.sleep(for: .milliseconds(50))
        let table = try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)
        let ending = ":" + String(format: "%04X", Int(port))
        return table.split(separator: "\n").map { $0.split(separator: " ") }
            .filter { $0.count > 3 && $0[2].hasSuffix(ending) }.map { $0[3] }
    }

    @Test(arguments: [
        "HostKeyAlgorithms rsa-sha2-512", "MACs hmac-sha2-256-etm@openssh.com", "Ciphers chacha20-poly1305@openssh.com",
        "Ciphers aes256-gcm@openssh.com", "Ciphers aes256-ctr", "KexAlgorithms diffie-hellman-group16-sha512",
    ])
    func serversMayInsistOnWhatIsGood(line: String) async throws {
        try await withTemporaryFolder { folder in
            try await generateKey("\(folder)/rsa", type: "rsa", options: ["-b", "2048"], loop: try PollLoop())
            try await TestServer.with(["HostKey \(folder)/rsa", line]) { server in
                let keys = [try server.hostKey, try publicKey("\(folder)/rsa.pub")]
                try await server.withSession(try server.login(hostKeys: .exactly(keys))) { session in
                    try await expect(session.run("echo in").output, is: "in\n")
                }
            }
        }
    }

    @Test(arguments: ["Ciphers 3des-cbc", "KexAlgorithms sntrup761x25519-sha512@openssh.com"])
    func aServerWithNothingInCommonSaysSo(line: String) async throws {
        try await TestServer.with([line]) { server in
            let error = await #expect(throws: SSHError.self) { try await server.withSession { _ in } }
            #expect(error?.code == .handshakeFailed)
            #expect(error?.message.contains("no common algorithm") == true, "\(error?.message ?? "")")
            #expect(error?.isLimitOfLibrary == true)
        }
    }

    @Test func sixtyFourProcessesAtOnce() async throws {
        try await TestServer.with { server in
            try await server.withSession { session in
                try await within(60) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for index in 0..<64 {
                            group.addTask {
                                // All of them are up before the first may end.
                                try await session.withProcess("read line; echo $line; exit \(index)") { process in
                                    try await Task.sleep(for: .seconds(1))
                                    try await process.write(Array("word \(index)\n".utf8))
                                    try await expect(text(process.readToEnd()), is: "word \(index)\n")
                                    try await expect(process.exitStatus(), is: .exited(Int32(index)))
                                }
                            }
                        }
                        for try await _ in group {}
                    }
                }
            }
        }
    }

    @Test func tooManySessionsSaySo() async throws {
        try await TestServer.with(["MaxSessions 2"]) { server in
            try await server.withSession { session in
                try await within {
                    try await session.withProcess("cat") { _ in
                        try await session.withProcess("cat") { _ in
                            let error = await #expect(throws: SSHError.self) { try await session.run("true") }
                            #expect(error?.code == .channelRefused)
                            #expect(error?.message.contains("MaxSessions") == true)
                        }
                    }
                    try await expect(session.run("echo on").output, is: "on\n")
                }
            }
        }
    }

    @Test func aCancelledCommandLeavesTheSessionUsable() async throws {
        try await TestServer.with { server in
            try await server.withSession { session in
                for _ in 0..<3 {
                    let start = ContinuousClock.now
                    let task = Task { try await session.run("sleep 5") }
                    try await Task.sleep(for: .milliseconds(200))
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await within { _ = try await value(of: task) } }
                    #expect(ContinuousClock.now - start < .seconds(3))
                    try await expect(within { try await session.run("echo alive").output }, is: "alive\n")
                }
            }
        }
    }

    @Test func aCancelledUploadLeavesTheSessionUsable() async throws {
        try await TestServer.with(["RekeyLimit 1M"]) { server in
            try await server.withSession { session in
                for delay in [5, 20, 50, 100, 200] {
                    let task = Task {
                        try await session.withProcess("sleep 2") { process in
                            while true { try await process.write([UInt8](repeating: 1, count: 100_000)) }
                        }
                    }
                    try await Task.sleep(for: .milliseconds(delay))
                    task.cancel()
                    await #expect(throws: (any Error).self) { try await within { _ = try await value(of: task) } }
                    let input = [UInt8](repeating: 2, count: 300_000)
                    let result = try await within { try await session.run("wc -c", input: input) }
                    #expect(result.output.filter(\.isNumber) == "300000")
                }
            }
        }
    }

    @Test func aChannelEndsWithItsScope() async throws {
        try await TestServer.with { server in
            try await server.withSession { session in
                let leaked = try await session.withProcess("cat") { $0 }
                let error = await #expect(throws: SSHError.self) { _ = try await leaked.read(upTo: 10) }
                #expect(error?.code == .closed)
            }
        }
    }

    @Test func aSessionEndsWithItsScope() async throws {
        try await TestServer.with { server in
            let leaked = try await server.withSession { $0 }
            let error = await #expect(throws: SSHError.self) { try await within { try await leaked.run("true") } }
            #expect(error?.code == .closed)
        }
    }

    @Test func theBodysErrorPassesThrough() async throws {
        try await TestServer.with { server in
            _ = await #expect(throws: TestFailure.self) {
                try await server.withSession { session in
                    _ = try await session.run("true")
                    throw TestFailure("mine")
                }
            }
        }
    }

    @Test func noHostSaysSo() async throws {
        let loop = try PollLoop()
        let port = try await withListener(preferredPort: nil, loop: loop) { $0.port }
        let login = Login(hostKeys: .exactly([]), prompter: Prompter())
        let error = await #expect(throws: SSHError.self) {
            try await Session.withSession(
                to: Endpoint(host: "127.0.0.1", port: port, user: "x"), login: login, loop: loop
            ) {
                _ in
            }
        }
        #expect(error?.code == .connectFailed)
    }

    @Test func whateverIsNoSSHServerIsToldApart() async throws {
        let loop = try PollLoop()
        for answer in ["HTTP/1.0 400 Bad Request\r\n\r\n", ""] {
            try await withListener(preferredPort: nil, loop: loop) { listener in
                let serving = Task {
                    let client = try await listener.accept()
                    try await client.write(Array(answer.utf8))
                    await client.close()
                }
                let endpoint = Endpoint(host: "127.0.0.1", port: listener.port, user: "x")
                let login = Login(hostKeys: .exactly([]), prompter: Prompter(), connectTimeout: .seconds(3))
                let error = await #expect(throws: SSHError.self) {
                    try await within { try await Session.withSession(to: endpoint, login: login, loop: loop) { _ in } }
                }
                #expect(error?.code == .connectFailed || error?.code == .handshakeFailed)
                try await serving.value
            }
        }
    }

    @Test func aSilentServerDoesNotHoldTheHandshake() async throws {
        let loop = try PollLoop()
        try await withListener(preferredPort: nil, loop: loop) { listener in
            let endpoint = Endpoint(host: "127.0.0.1", port: listener.port, user: "x")
            let login = Login(hostKeys: .exactly([]), prompter: Prompter(), connectTimeout: .milliseconds(500))
            let error = await #expect(throws: SSHError.self) {
                try await within { try await Session.withSession(to: endpoint, login: login, loop: loop) { _ in } }
            }
            #expect(error?.code == .connectFailed)
        }
    }
}

extension RunningProcess {
    /// What it prints, up to a word.
    fileprivate func text(until word: String) async throws -> String {
        var output: [UInt8] = []
        while case let bytes = try await read(upTo: 4096), !bytes.isEmpty {
            output += bytes
            if String(decoding: output, as: UTF8.self).contains(word) { break }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
