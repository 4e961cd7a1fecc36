import IO
import Synchronization
import Testing

private actor Counter {
    private let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private(set) var count = 0

    init(_ loop: PollLoop) { self.loop = loop }

    func increment() {
        loop.checkIsolated()
        count += 1
    }

    /// What others have added between so many steps.
    func added(between steps: Int) async -> Int {
        let before = count
        for _ in 0..<steps { await loop.turn() }
        return count - before
    }
}

private final class Number: Sendable {
    let mutex = Mutex(0)
}

@Suite struct PollLoopTests {
    @Test func actorsShareTheLoopsThread() async throws {
        let loop = try PollLoop()
        let counters = (0..<5).map { _ in Counter(loop) }
        try await within {
            await withTaskGroup(of: Void.self) { group in
                for counter in counters {
                    for _ in 0..<200 { group.addTask { await counter.increment() } }
                }
            }
        }
        for counter in counters { #expect(await counter.count == 200) }
    }

    @Test func aTurnLetsOthersRunFirst() async throws {
        let counter = Counter(try PollLoop())
        let added = try await within {
            await withTaskGroup(of: Int.self) { group in
                group.addTask {
                    while !Task.isCancelled { await counter.increment() }
                    return 0
                }
                group.addTask { await counter.added(between: 10_000) }
                let added = await group.next()
                group.cancelAll()
                return added
            }
        }
        #expect(try #require(added) > 0)
    }

    @Test func stopLosesNoJob() async throws {
        let loop = try PollLoop()
        let counter = Counter(loop)
        try await within {
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<500 {
                    group.addTask { await counter.increment() }
                    if index == 250 { loop.stop() }
                }
            }
        }
        #expect(await counter.count == 500)
    }

    @Test func stopWakesWhoeverWaits() async throws {
        let loop = try PollLoop()
        try await withListener(preferredPort: nil, loop: loop) { listener in
            let waiting = Task { try await listener.accept() }
            try await Task.sleep(for: .milliseconds(50))
            loop.stop()
            let error = await #expect(throws: IOError.self) { _ = try await within { try await value(of: waiting) } }
            #expect(error?.code == .closed)
        }
    }

    @Test func aWaitEndsWithItsTask() async throws {
        let loop = try PollLoop()
        try await withListener(preferredPort: nil, loop: loop) { listener in
            let waiting = Task { try await listener.accept() }
            try await Task.sleep(for: .milliseconds(50))
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await within { try await value(of: waiting) } }
        }
    }

    @Test func theThreadEndsWithTheLastReference() async throws {
        let before = try threadCount()
        for _ in 0..<20 {
            let counter = Counter(try PollLoop())
            await counter.increment()
        }
        // Other tests start and end threads at the same time, but not twenty of them.
        var after = try threadCount()
        for _ in 0..<100 where after >= before + 15 {
            try await Task.sleep(for: .milliseconds(20))
            after = try threadCount()
        }
        #expect(after < before + 15)
    }

    @Test func conditionMissesNoSignal() async throws {
        let condition = Condition()
        let value = Number()
        try await within {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<2000 {
                        value.mutex.withLock { $0 += 1 }
                        condition.signal()
                        await Task.yield()
                    }
                }
                for _ in 0..<3 {
                    group.addTask {
                        while true {
                            let generation = condition.generation
                            if value.mutex.withLock({ $0 }) == 2000 { return }
                            try await condition.wait(after: generation)
                        }
                    }
                }
                for try await _ in group {}
            }
        }
    }

    @Test func theFirstDeliveryWins() async throws {
        let value = OneShot<Int>()
        #expect(value.deliver(.success(1)))
        #expect(!value.deliver(.success(2)))
        #expect(try await value.value() == 1)
    }

    @Test func aCancelledWaiterTakesNothing() async throws {
        let value = OneShot<Int>()
        let waiting = Task { try await value.value() }
        waiting.cancel()
        _ = await waiting.result
        #expect(!value.deliver(.success(1)))
    }

    @Test func aTimeoutCancels() async throws {
        let start = ContinuousClock.now
        await #expect(throws: TestTimeout.self) {
            try await withTimeout(.milliseconds(50), or: TestTimeout()) { try await Task.sleep(for: .seconds(30)) }
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
