import Foundation
import IO
import Testing

@testable import ClusterTools

/// relay.py by itself: what it does when the other side does not keep to the protocol.
@Suite(.timeLimit(.minutes(1))) struct RelayScriptTests {
    struct Outcome {
        let status: IO.ExitStatus
        let output: [UInt8]
        let errors: String
    }

    /// Runs relay.py with the input, which stays open unless `endsInput`.
    func run(_ arguments: [String], input: [UInt8], endsInput: Bool = false) async throws -> Outcome {
        try await withTemporaryFolder { folder in
            let errorFile = folder.appending(path: "errors")
            return try await Child.with(["python3", template("relay.py")] + arguments, errorFile: errorFile) {
                relay in
                try await relay.write(input)
                if endsInput { try await relay.finishWriting() }
                let output = try await relay.readToEnd()
                let status = try await relay.exitStatus()
                return Outcome(
                    status: status, output: output, errors: try String(contentsOf: errorFile, encoding: .utf8))
            }
        }
    }

    func encode(_ frames: [RelayFrame]) -> [UInt8] {
        frames.reduce(into: RelayFrame.magic) { $1.encode(into: &$0) }
    }

    @Test func greetsAndEndsWithItsInput() async throws {
        let outcome = try await run(["1"], input: [], endsInput: true)
        #expect(outcome.status == .exited(0))
        #expect(outcome.output == RelayFrame.magic)
        #expect(outcome.errors == "")
    }

    @Test func answersPings() async throws {
        let ping = RelayFrame(connection: 0, body: .ping)
        let outcome = try await run(["1"], input: Array("noise".utf8) + encode([ping, ping]), endsInput: true)
        #expect(outcome.status == .exited(0))
        #expect(
            outcome.output == encode([RelayFrame(connection: 0, body: .pong), RelayFrame(connection: 0, body: .pong)]))
    }

    @Test func ignoresConnectionsThatAreOver() async throws {
        let frames: [RelayFrame.Body] = [.data([1]), .window(increment: 5), .eof, .reset]
        let outcome = try await run(
            ["1"], input: encode(frames.map { RelayFrame(connection: 9, body: $0) }), endsInput: true)
        #expect(outcome.status == .exited(0))
        #expect(outcome.output == RelayFrame.magic)
    }

    @Test func endsWhenTheOtherSideFallsSilent() async throws {
        let outcome = try await run(["1", "0.3"], input: RelayFrame.magic)
        #expect(outcome.status == .exited(1))
        #expect(outcome.errors == "relay: the other side sent nothing for 0.3 seconds\n")
    }

    @Test(
        arguments: [
            ([200, 0, 0, 0, 0, 0, 0, 1, 10], "a frame of kind 200"),
            ([4, 255, 255, 255, 0, 0, 0, 1], "a frame of 16777215 bytes"),
            ([1, 0, 0, 1, 0, 0, 0, 1, 7, 10], "a number of 1 bytes"),
            ([7, 0, 0, 0, 0, 0, 0, 1, 13], "a frame that does not end where it should"),
        ] as [([UInt8], String)])
    func refusesGarbage(_ garbage: [UInt8], complaint: String) async throws {
        let outcome = try await run(["1"], input: RelayFrame.magic + garbage)
        #expect(outcome.status == .exited(1))
        #expect(outcome.errors == "relay: the other side sent \(complaint)\n")
    }

    @Test func refusesEndlessNoise() async throws {
        let outcome = try await run(["1"], input: Array(repeating: 0x79, count: (1 << 20) + 1000))
        #expect(outcome.status == .exited(1))
        #expect(outcome.errors.contains("no greeting in its first"))
    }

    @Test func refusesMoreThanItsWindow() async throws {
        try await RelayServer.with { _, port in
            try await Child.with(["python3", template("relay.py"), port]) { relay in
                // The server reads nothing: what the kernel does not store, the relay would have to.
                let order = RelayFrame(connection: 1, body: .data(Array("N".utf8)))
                let data = RelayFrame(connection: 1, body: .data(Array(repeating: 0, count: 1 << 16)))
                let open = RelayFrame(connection: 1, body: .open(window: 1000))
                let error = await #expect(throws: IOError.self) {
                    try await relay.write(encode([open, order] + Array(repeating: data, count: 1000)))
                }
                #expect(error?.code == .brokenPipe)
                let status = try await relay.exitStatus()
                #expect(status == .exited(1))
            }
        }
    }

    @Test func storesLittleForALaptopThatReadsNothing() async throws {
        try await RelayServer.with { _, port in
            try await Child.with(["python3", template("relay.py"), port]) { relay in
                let idle = try await relay.residentMemory()
                var frames: [RelayFrame] = []
                for connection in 1...100 as ClosedRange<UInt32> {
                    frames.append(RelayFrame(connection: connection, body: .open(window: 1 << 24)))
                    frames.append(RelayFrame(connection: connection, body: .data(Array("F".utf8))))
                }
                try await relay.write(encode(frames))
                for _ in 0..<30 {
                    try await Task.sleep(for: .milliseconds(100))
                    try #require(try await relay.residentMemory() < idle + 16 << 20)
                }
                // It has not got stuck either.
                #expect(try await relay.read(upTo: 1 << 20).starts(with: RelayFrame.magic))
            }
        }
    }

    @Test(arguments: [[], ["x"], ["1", "x"]]) func refusesWrongArguments(_ arguments: [String]) async throws {
        let outcome = try await run(arguments, input: [])
        #expect(outcome.status == .exited(64))
        #expect(outcome.errors == "usage: relay.py PORT [SILENCE]\n")
    }
}
