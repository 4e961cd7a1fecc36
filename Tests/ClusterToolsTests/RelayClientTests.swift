import Foundation
import IO
import Synchronization
import Testing

@testable import ClusterTools

/// The client with the real relay.py, and a real server behind it.
@Suite(.timeLimit(.minutes(3))) struct RelayClientTests {
    struct Place {
        let client: RelayClient
        let relay: Child
        let server: Child
    }

    func withRelay<R: Sendable>(
        _ configuration: RelayClient.Configuration = .init(), _ body: (Place) async throws -> R
    ) async throws -> R {
        try await RelayServer.with { server, port in
            try await Child.with(["python3", template("relay.py"), port]) { relay in
                try await RelayClient.withRelay(over: relay, configuration: configuration) { client in
                    try await body(Place(client: client, relay: relay, server: server))
                }
            }
        }
    }

    /// Sends `count` bytes of a pattern to the echo, and checks every byte that comes back.
    func echo(_ count: Int, seed: Int, through client: RelayClient) async throws {
        try await client.withStream { stream in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var pattern = PatternBytes(seed: seed)
                    try await stream.write(Array("E".utf8))
                    var left = count
                    while left > 0 {
                        let size = min(left, 100_000)
                        try await stream.write(pattern.next(size))
                        left -= size
                    }
                    try await stream.finishWriting()
                }
                var pattern = PatternBytes(seed: seed)
                var received = 0
                while case let bytes = try await stream.read(upTo: 70_000), !bytes.isEmpty {
                    try #require(bytes == pattern.next(bytes.count), "stream \(seed) differs after byte \(received)")
                    received += bytes.count
                }
                #expect(received == count, "stream \(seed)")
                try await group.waitForAll()
            }
        }
    }

    @Test func carriesManyBulkStreamsBothWays() async throws {
        try await withRelay { place in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in 0..<64 {
                    group.addTask { try await echo(2 << 20, seed: seed, through: place.client) }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func carriesThousandsOfSmallConnections() async throws {
        try await withRelay { place in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<20 {
                    group.addTask {
                        for turn in 0..<100 {
                            try await echo(turn, seed: worker * 1000 + turn, through: place.client)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func halfCloseByTheLaptop() async throws {
        try await withRelay { place in
            let answer = try await place.client.withStream { stream in
                try await stream.write(Array("C".utf8))
                try await stream.write(Array(repeating: 1, count: 3_000_000))
                try await stream.finishWriting()
                return String(decoding: try await stream.readToEnd(), as: UTF8.self)
            }
            #expect(answer == "3000000")
        }
    }

    @Test func halfCloseByTheWorker() async throws {
        try await withRelay { place in
            try await place.client.withStream { stream in
                try await stream.write(Array("G".utf8))
                #expect(try await stream.readToEnd() == Array("goodbye".utf8))
                try await stream.write(Array(repeating: 1, count: 3_000_000))
            }
            // Leaving the scope finished the stream in good order.
            #expect(try await place.server.line() == "counted 3000000")
        }
    }

    @Test func failedBodyIsNoOrderlyEnd() async throws {
        struct Failure: Error {}
        try await withRelay { place in
            await #expect(throws: Failure.self) {
                try await place.client.withStream { stream in
                    try await stream.write(Array("T".utf8))
                    #expect(try await stream.read(upTo: 1) == Array("t".utf8))
                    throw Failure()
                }
            }
            let verdict = try await place.server.line()
            #expect(verdict == "broken")
        }
    }

    @Test func slowReaderStopsNobodyAndFillsNothing() async throws {
        try await withRelay { place in
            try await place.client.withStream { slow in
                try await slow.write(Array("F".utf8))
                try await place.client.withStream { stuck in
                    // The worker's port reads nothing of this one: its writer has to wait.
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            try await stuck.write(Array("N".utf8))
                            try await stuck.write(Array(repeating: 1, count: 1 << 26))
                        }
                        for seed in 0..<4 { try await echo(1 << 20, seed: seed, through: place.client) }
                        #expect(try await place.relay.residentMemory() < 64 << 20)
                        group.cancelAll()
                        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
                    }
                }
                // It goes on when its reader does.
                var received = 0
                while received < 8 << 20 { received += try await slow.read(upTo: 1 << 16).count }
            }
            #expect(try await place.server.line() == "broken")
        }
    }

    @Test func storesNoMoreThanTheWindows() async throws {
        try await RelayServer.with { _, port in
            try await Child.with(["python3", template("relay.py"), port]) { relay in
                let counting = CountingStream(relay)
                var configuration = RelayClient.Configuration()
                configuration.window = 1 << 16
                try await RelayClient.withRelay(over: counting, configuration: configuration) { client in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<16 {
                            group.addTask {
                                try await client.withStream { stream in
                                    try await stream.write(Array("F".utf8))
                                    try await Task.sleep(for: .seconds(60))
                                }
                            }
                        }
                        try await eventually { counting.received >= 16 << 16 }
                        try await Task.sleep(for: .milliseconds(200))
                        #expect(counting.received < 16 << 16 + 10_000)
                        #expect(try await relay.residentMemory() < 64 << 20)
                        group.cancelAll()
                        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
                    }
                }
            }
        }
    }

    @Test func refusedPort() async throws {
        // A port that was free a moment ago: bound, never listened on.
        let unused = try await Child.output(of: [
            "python3", "-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])",
        ]).trimmingCharacters(in: .newlines)
        try await Child.with(["python3", template("relay.py"), unused]) { relay in
            try await RelayClient.withRelay(over: relay) { client in
                for _ in 0..<3 {
                    let error = await #expect(throws: RelayError.self) { try await client.withStream { _ in } }
                    #expect(error?.code == .refused)
                    #expect(error?.message == "The worker's port takes no connection: Connection refused")
                }
            }
        }
    }

    @Test func resetByTheWorkerConcernsOneConnection() async throws {
        try await withRelay { place in
            let error = await #expect(throws: RelayError.self) {
                try await place.client.withStream { stream in
                    try await stream.write(Array("R".utf8))
                    _ = try await stream.read(upTo: 1)
                }
            }
            #expect(error?.code == .reset)
            try await echo(1000, seed: 1, through: place.client)
        }
    }

    @Test func cancellationEndsReadersAndWriters() async throws {
        try await withRelay { place in
            for order in ["E", "N"] {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await place.client.withStream { stream in
                            try await stream.write(Array(order.utf8))
                            if order == "N" { try await stream.write(Array(repeating: 0, count: 1 << 26)) }
                            _ = try await stream.read(upTo: 1)
                        }
                    }
                    try await Task.sleep(for: .milliseconds(100))
                    group.cancelAll()
                    await #expect(throws: CancellationError.self) { try await group.waitForAll() }
                }
            }
            try await echo(1000, seed: 1, through: place.client)
        }
    }

    @Test func deathOfTheRelayEndsAllStreams() async throws {
        try await withRelay { place in
            try await withThrowingTaskGroup(of: RelayError.Code?.self) { group in
                let reading = Counter()
                for _ in 0..<8 {
                    group.addTask {
                        let error = await #expect(throws: RelayError.self) {
                            try await place.client.withStream { stream in
                                try await stream.write(Array("F".utf8))
                                _ = try await stream.read(upTo: 1)
                                reading.add(1)
                                while try await !stream.read(upTo: 1 << 16).isEmpty {}
                            }
                        }
                        return error?.code
                    }
                }
                try await eventually { reading.value == 8 }
                place.relay.send(signal: SIGKILL)
                for try await code in group { #expect(code == .ended) }
            }
            #expect(try await place.client.end().code == .ended)
            let error = await #expect(throws: RelayError.self) { try await place.client.withStream { _ in } }
            #expect(error?.code == .ended)
        }
    }

    @Test func silenceOfTheRelayEndsAllStreams() async throws {
        var configuration = RelayClient.Configuration()
        configuration.pingInterval = .milliseconds(100)
        configuration.silenceLimit = .seconds(6)
        try await withRelay(configuration) { place in
            // Idle, but there: longer than the limit.
            try await Task.sleep(for: .seconds(7))
            try await echo(10, seed: 1, through: place.client)
            place.relay.send(signal: SIGSTOP)
            defer { place.relay.send(signal: SIGCONT) }
            let error = await #expect(throws: RelayError.self) {
                try await place.client.withStream { _ = try await $0.read(upTo: 1) }
            }
            #expect(error?.code == .unresponsive)
        }
    }

    @Test func scopeEndsTheRelay() async throws {
        try await RelayServer.with { _, port in
            try await Child.with(["python3", template("relay.py"), port]) { relay in
                try await RelayClient.withRelay(over: relay) { try await echo(10, seed: 1, through: $0) }
                try await relay.finishWriting()
                #expect(try await relay.exitStatus() == .exited(0))
            }
        }
    }

    @Test func tellsWhatRanInsteadOfTheRelay() async throws {
        try await Child.with(["sh", "-c", "echo 'srun: error: Unable to create step'; exit 1"]) { process in
            let error = await #expect(throws: RelayError.self) {
                try await RelayClient.withRelay(over: process) { _ in }
            }
            #expect(error?.code == .notStarted)
            #expect(error?.message.contains("srun: error: Unable to create step") == true)
        }
    }

    @Test func waitsNotForEverForTheGreeting() async throws {
        var configuration = RelayClient.Configuration()
        configuration.pingInterval = .milliseconds(100)
        configuration.startLimit = .milliseconds(300)
        try await Child.with(["sleep", "100"]) { process in
            let error = await #expect(throws: RelayError.self) {
                try await RelayClient.withRelay(over: process, configuration: configuration) { _ in }
            }
            #expect(error?.code == .notStarted)
        }
    }

    @Test func passesThroughSlurmWhichHoldsBackIncompleteLines() async throws {
        // What slurmstepd does with the output of a step that is not --unbuffered.
        let lines = "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line); sys.stdout.flush()"
        try await RelayServer.with { _, port in
            let command = #"python3 "$1" "$2" | python3 -c "$0""#
            try await Child.with(["sh", "-c", command, lines, template("relay.py"), port]) { relay in
                try await RelayClient.withRelay(over: relay) { client in
                    for size in [0, 1, 1000, 3_000_000] { try await echo(size, seed: size, through: client) }
                }
            }
        }
    }

    @Test func skipsBannersBeforeTheRelay() async throws {
        try await RelayServer.with { _, port in
            let command = "echo 'Welcome to node17'; exec python3 \"$0\" \(port)"
            try await Child.with(["sh", "-c", command, template("relay.py")]) { relay in
                try await RelayClient.withRelay(over: relay) { try await echo(100_000, seed: 5, through: $0) }
            }
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add(_ amount: Int) { count.withLock { $0 += amount } }
}

/// Counts what is read from the stream underneath.
private final class CountingStream: ByteStream {
    private let stream: any ByteStream
    private let count = Counter()

    var received: Int { count.value }

    init(_ stream: any ByteStream) {
        self.stream = stream
    }

    func read(upTo limit: Int) async throws -> [UInt8] {
        let bytes = try await stream.read(upTo: limit)
        count.add(bytes.count)
        return bytes
    }

    func write(_ bytes: [UInt8]) async throws { try await stream.write(bytes) }
    func finishWriting() async throws { try await stream.finishWriting() }
}
