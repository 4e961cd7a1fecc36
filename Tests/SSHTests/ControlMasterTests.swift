import Foundation
import IO
import SSH
import Testing

/// Channels of a real `ssh -M`, to a real sshd.
@Suite(.timeLimit(.minutes(2))) struct ControlMasterTests {
    /// Lends a master that is logged in, and its process's number.
    private func withMaster(
        _ configuration: [String] = [],
        _ body: @Sendable (ControlMaster, _ process: pid_t, TestServer) async throws -> Void
    ) async throws {
        try await TestServer.with(configuration) { server in
            let socket = "\(server.folder)/control"
            let words = [
                "-F", "none", "-M", "-N", "-S", socket, "-i", "\(server.folder)/key", "-p", String(server.port),
                "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo ready",
                "127.0.0.1",
            ]
            let arguments = ["-c", "echo $$; exec ssh \"$@\"", "sh"] + words
            try await withChildProcess("/bin/sh", arguments, loop: server.loop) { process in
                var said = ""
                while !said.hasSuffix("ready\n") { said += text(try await within { try await process.read(upTo: 1) }) }
                let number = try #require(pid_t(said.prefix { $0 != "\n" }))
                try await body(ControlMaster(socket: socket, host: "the server", loop: server.loop), number, server)
            }
        }
    }

    @Test func aCommandHasItsThreeStreamsAndItsStatus() async throws {
        try await withMaster { master, _, _ in
            let command = "cat; echo complaint >&2; exit 7"
            try await within {
                try await master.withProcess(command) { process in
                    try await process.write(Array("to and fro".utf8))
                    try await process.finishWriting()
                    try await expect(text(process.readToEnd()), is: "to and fro")
                    try await expect(text(process.readError(upTo: 100)), is: "complaint\n")
                    try await expect(process.readError(upTo: 100), is: [])
                    try await expect(process.exitStatus(), is: .exited(7))
                }
            }
        }
    }

    /// What a lost link looks like to ssh's own clients is a status that a command may have too.
    @Test(arguments: ["exit 255": ExitStatus.exited(255), "kill -9 $$": .unknown, "true": .exited(0)])
    func theStatusIsTheCommands(command: String, status: IO.ExitStatus) async throws {
        try await withMaster { master, _, _ in
            try await within {
                try await master.withProcess(command) { process in
                    try await expect(process.readToEnd(), is: [])
                    try await expect(process.exitStatus(), is: status)
                }
            }
        }
    }

    @Test func manyCommandsAndMuchData() async throws {
        try await withMaster { master, _, _ in
            try await within(60) {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<20 {
                        group.addTask {
                            try await master.withProcess("head -c 1000000 /dev/zero; exit \(number)") { process in
                                let count = try await process.readToEnd(limit: 1 << 21).count
                                try await expect(process.exitStatus(), is: .exited(Int32(number)))
                                return count
                            }
                        }
                    }
                    for try await count in group { #expect(count == 1_000_000) }
                }
                let block = [UInt8](repeating: 7, count: 1 << 20)
                try await master.withProcess("wc -c") { process in
                    for _ in 0..<20 { try await process.write(block) }
                    try await process.finishWriting()
                    try await expect(Int(text(process.readToEnd()).dropLast()), is: 20 << 20)
                }
            }
        }
    }

    /// The stream of a command that closes its output ends at once, though the command goes on.
    @Test func anEndOfOutputIsNoEndOfTheCommand() async throws {
        try await withMaster { master, _, _ in
            try await within(10) {
                try await master.withProcess("exec >&- 2>&-; read line; exit 3") { process in
                    try await expect(process.readToEnd(), is: [])
                    try await process.write(Array("go\n".utf8))
                    try await expect(process.exitStatus(), is: .exited(3))
                }
            }
        }
    }

    @Test func aCommandEndsWithItsScope() async throws {
        try await withMaster { master, _, server in
            let mark = "\(server.folder)/ended"
            try await within {
                try await master.withProcess("trap 'touch \(mark)' EXIT; trap exit HUP PIPE; echo up; cat; echo down") {
                    try await expect(text($0.read(upTo: 10)), is: "up\n")
                }
                while !FileManager.default.fileExists(atPath: mark) { try await Task.sleep(for: .milliseconds(20)) }
            }
        }
    }

    @Test func connectionsLeadOnwards() async throws {
        try await withMaster { master, _, server in
            try await within {
                // The server itself: it greets, and it takes a half-close for an end.
                try await master.withStream(toHost: "127.0.0.1", port: server.port) { stream in
                    try await stream.write(Array("SSH-2.0-test\r\n".utf8))
                    try await stream.finishWriting()
                    #expect(text(try await stream.readToEnd()).hasPrefix("SSH-2.0-OpenSSH"))
                }
                let error = await #expect(throws: SSHError.self) {
                    try await master.withStream(toHost: "127.0.0.1", port: 1) { _ in }
                }
                #expect(error?.code == .forwardRefused)
                #expect(error?.message.contains("the server cannot connect to 127.0.0.1 port 1") == true)
            }
        }
    }

    @Test func aServerThatOpensNoMoreChannelsIsNoLostLink() async throws {
        try await withMaster(["MaxSessions 1"]) { master, _, _ in
            try await within {
                try await master.withProcess("cat") { process in
                    let error = await #expect(throws: SSHError.self) { try await master.withProcess("true") { _ in } }
                    #expect(error?.code == .channelRefused)
                    try await process.write(Array("still here".utf8))
                    try await expect(text(process.read(upTo: 100)), is: "still here")
                }
                // There is room again as soon as the server has noticed.
                while true {
                    do {
                        return try await master.withProcess("true") {
                            try await expect($0.exitStatus(), is: .exited(0))
                        }
                    } catch let error as SSHError where error.code == .channelRefused {
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
        }
    }

    /// In an orderly way, which is also that of a server that hangs up, or not.
    @Test(arguments: [SIGTERM, SIGKILL]) func aMasterThatEndsIsALostLinkForAll(signal: Int32) async throws {
        try await withMaster { master, number, server in
            try await within {
                try await withThrowingTaskGroup(of: SSHError?.self) { group in
                    for number in 0..<4 {
                        group.addTask {
                            await #expect(throws: SSHError.self) {
                                switch number {
                                case 0: try await master.withProcess("cat") { _ = try await $0.read(upTo: 1) }
                                case 1: try await master.withProcess("cat") { _ = try await $0.exitStatus() }
                                case 2:
                                    let block = [UInt8](repeating: 0, count: 1 << 16)
                                    try await master.withProcess("sleep 60") {
                                        while true { try await $0.write(block) }
                                    }
                                default:
                                    try await master.withStream(toHost: "127.0.0.1", port: server.port) { stream in
                                        while case let bytes = try await stream.read(upTo: 1), !bytes.isEmpty {}
                                    }
                                }
                            }
                        }
                    }
                    try await Task.sleep(for: .seconds(1))
                    kill(number, signal)
                    for try await error in group { #expect(error?.code == .linkLost) }
                }
                let error = await #expect(throws: SSHError.self) { try await master.withProcess("true") { _ in } }
                #expect(error?.code == .linkLost)
            }
        }
    }

    @Test func whatIsNoMasterIsALostLink() async throws {
        try await withTemporaryFolder { folder in
            let loop = try PollLoop()
            let master = ControlMaster(socket: "\(folder)/nothing", host: "the server", loop: loop)
            let error = await #expect(throws: SSHError.self) { try await master.withProcess("true") { _ in } }
            #expect(error?.code == .linkLost)
        }
    }
}
