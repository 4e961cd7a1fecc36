import IO
import Testing

@Suite struct StreamTests {
    /// Listens, connects to itself, and hands both ends to `body`.
    private func withPair<R>(_ body: (Descriptor, any ByteStream) async throws -> R) async throws -> R {
        let loop = try PollLoop()
        return try await withListener(preferredPort: nil, loop: loop) { listener in
            try await withConnection(toHost: "127.0.0.1", port: listener.port, timeout: .seconds(5), loop: loop) {
                let server = try await within { try await listener.accept() }
                return try await body(server, $0)
            }
        }
    }

    @Test func bytesArriveWhileOthersTakeTurns() async throws {
        let loop = try PollLoop()
        try await withListener(preferredPort: nil, loop: loop) { listener in
            let port = listener.port
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { while !Task.isCancelled { await loop.turn() } }
                defer { group.cancelAll() }
                try await within {
                    try await withConnection(toHost: "127.0.0.1", port: port, timeout: .seconds(5), loop: loop) {
                        near in
                        let far = try await listener.accept()
                        try await near.write([1])
                        #expect(try await far.read(upTo: 1) == [1])
                    }
                }
            }
        }
    }

    @Test func bytesArriveInOrderWithHalfClose() async throws {
        try await withPair { server, client in
            let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
            try await within(30) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await client.write(sent)
                        try await client.finishWriting()
                    }
                    group.addTask {
                        let received = try await server.readToEnd(limit: 1 << 24)
                        #expect(received == sent)
                        // The other direction is still open.
                        try await server.write(Array("done".utf8))
                        await server.finishWriting()
                    }
                    group.addTask {
                        let answer = try await client.readToEnd()
                        #expect(text(answer) == "done")
                    }
                    for try await _ in group {}
                }
            }
        }
    }

    @Test func aSlowReceiverSlowsTheSender() async throws {
        try await withPair { server, client in
            let block = [UInt8](repeating: 7, count: 1 << 20)
            let sending = Task {
                for _ in 0..<64 { try await client.write(block) }
                try await client.finishWriting()
            }
            // Nobody reads: the kernel's buffers fill, and 64 MB do not fit.
            await #expect(throws: TestTimeout.self) {
                try await withTimeout(.milliseconds(300), or: TestTimeout()) {
                    try await OneShot<Void>.outcome(of: sending)
                }
            }
            var total = 0
            while case let bytes = try await server.read(upTo: 1 << 18), !bytes.isEmpty { total += bytes.count }
            #expect(total == 64 << 20)
            try await sending.value
        }
    }

    @Test func writingToNobodyIsAnErrorAndNoSignal() async throws {
        try await withPair { server, client in
            await server.close()
            let error = await #expect(throws: IOError.self) {
                try await within {
                    while true { try await client.write([UInt8](repeating: 0, count: 65536)) }
                }
            }
            #expect(error?.code == .brokenPipe)
        }
    }

    @Test func aRefusedConnectionSaysWhere() async throws {
        let loop = try PollLoop()
        // A port that was free a moment ago.
        let port = try await withListener(preferredPort: nil, loop: loop) { $0.port }
        let error = await #expect(throws: IOError.self) {
            try await withConnection(toHost: "127.0.0.1", port: port, timeout: .seconds(5), loop: loop) { _ in }
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("127.0.0.1 port \(port)") == true)
    }

    @Test func anUnknownHostIsToldApart() async throws {
        let loop = try PollLoop()
        let error = await #expect(throws: IOError.self) {
            try await withConnection(toHost: "no-such-host.invalid", port: 22, timeout: .seconds(20), loop: loop) { _ in
            }
        }
        #expect(error?.code == .hostNotFound || error?.code == .timedOut)
    }

    @Test func aSilentHostTimesOut() async throws {
        let loop = try PollLoop()
        let start = ContinuousClock.now
        // TEST-NET-1 of RFC 5737: nobody answers; without a route the failure is another, and quick.
        let error = await #expect(throws: IOError.self) {
            try await withConnection(toHost: "192.0.2.1", port: 22, timeout: .milliseconds(300), loop: loop) { _ in }
        }
        #expect(error?.code == .timedOut || error?.code == .connectFailed)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test func aTakenPortGivesAnother() async throws {
        let loop = try PollLoop()
        try await withListener(preferredPort: nil, loop: loop) { first in
            try await withListener(preferredPort: first.port, loop: loop) { second in
                #expect(second.port != first.port)
                #expect(second.port != 0)
            }
        }
        try await withListener(preferredPort: nil, loop: loop) { _ in }
    }

    @Test func aFreePreferredPortIsTaken() async throws {
        let loop = try PollLoop()
        let port = try await withListener(preferredPort: nil, loop: loop) { $0.port }
        try await withListener(preferredPort: port, loop: loop) { #expect($0.port == port) }
    }

    @Test func bothLoopbackAddressesAnswer() async throws {
        let loop = try PollLoop()
        try await withListener(preferredPort: nil, loop: loop) { listener in
            for host in ["127.0.0.1", "::1"] {
                do {
                    try await withConnection(toHost: host, port: listener.port, timeout: .seconds(5), loop: loop) {
                        client in
                        let server = try await within { try await listener.accept() }
                        try await server.write([1])
                        #expect(try await client.read(upTo: 1) == [1])
                    }
                } catch let error as IOError where host == "::1" && error.code == .connectFailed {
                    print("no IPv6 loopback here: \(error)")
                }
            }
        }
    }

    @Test func relayPassesBothDirectionsAndTheirEnds() async throws {
        try await withPair { nearServer, nearClient -> Void in
            try await withPair { farServer, farClient -> Void in
                try await within {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await relay(nearServer, farClient) }
                        group.addTask {
                            try await nearClient.write(Array("question".utf8))
                            try await nearClient.finishWriting()
                            #expect(try await text(nearClient.readToEnd()) == "answer")
                        }
                        group.addTask {
                            // The question's end is seen while the way back is still open.
                            #expect(try await text(farServer.readToEnd()) == "question")
                            try await farServer.write(Array("answer".utf8))
                            await farServer.finishWriting()
                        }
                        for try await _ in group {}
                    }
                }
            }
        }
    }

    @Test func relayEndsBothWhenOneFails() async throws {
        try await withPair { server, _ in
            _ = await #expect(throws: Broken.self) {
                try await within { try await relay(server, BrokenStream()) }
            }
        }
    }
}

private struct Broken: Error {}

private struct BrokenStream: ByteStream {
    func read(upTo limit: Int) async throws -> [UInt8] { throw Broken() }
    func write(_ bytes: [UInt8]) async throws { throw Broken() }
    func finishWriting() async throws { throw Broken() }
}

extension OneShot where Value == Void {
    /// Waits for a task without cancelling it when the waiter is cancelled.
    static func outcome(of task: Task<Void, any Error>) async throws {
        let outcome = OneShot<Void>()
        let watching = Task { outcome.deliver(await task.result) }
        try await outcome.value()
        _ = await watching.value
    }
}
