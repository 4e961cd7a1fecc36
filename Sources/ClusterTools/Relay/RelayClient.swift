public import IO

/// Connections to one port of a worker, any number at once, over the input and output of one process: the laptop's side
/// of `templates/relay.py`.
///
/// Who owns what: the actor owns the connections and the bytes that wait to be sent. Three child tasks of
/// ``withRelay(over:configuration:_:)`` serve it: one alone reads the process, one alone writes to it, one keeps time.
/// Streams never touch the process, so a slow reader stops his own connection only, by its window.
public actor RelayClient {
    /// Sizes and times; the defaults suit a worker behind a wide-area link.
    public struct Configuration: Sendable {
        /// The most that is stored for the reader of one connection, in bytes.
        public var window: UInt32 = 1 << 20
        /// Between two questions whether the relay is there. The relay ends after a minute without any.
        public var pingInterval = Duration.seconds(15)
        /// Without any answer for this long, the relay counts as lost.
        public var silenceLimit = Duration.seconds(45)
        /// For the relay to start: the scheduler may be slow to make a step of the job.
        public var startLimit = Duration.seconds(60)

        public init() {}
    }

    /// Above so many bytes that wait to be sent, writers wait.
    private static let outboundLimit = 1 << 18
    /// The most one writer sends before the next has his turn.
    private static let chunk = 1 << 15

    /// A class, so that the actor and the method that waits see one and the same; it never leaves the actor.
    private final class Entry {
        var connection: RelayConnection
        /// Signalled after every change that a reader or a writer may wait for.
        let changed = Condition()

        init(_ connection: RelayConnection) {
            self.connection = connection
        }
    }

    private let configuration: Configuration
    private let clock = SuspendingClock()  // a closed lid is no silence

    private var entries: [UInt32: Entry] = [:]
    private var lastNumber: UInt32 = 0
    private var outbound = RelayFrame.magic
    private var decoder = RelayDecoder()
    private var lastHeard: SuspendingClock.Instant
    private var failure: RelayError?

    // Each is signalled at the relay's end too.
    private let greeted = Condition()
    private let outboundFilled = Condition()
    private let outboundTaken = Condition()
    private let ended = Condition()

    private init(configuration: Configuration) {
        self.configuration = configuration
        lastHeard = clock.now
    }
}

// MARK: - The scope

extension RelayClient {
    /// Runs `body` with a client for the relay at the other end of `process`, once the relay has greeted.
    ///
    /// When the process ends, or falls silent, all streams throw, and ``end()`` returns. The relay itself ends with its
    /// standard input, which belongs to the scope of `process`.
    ///
    /// - Throws: `notStarted`, with the words that were heard instead of the relay; what `body` throws.
    public static func withRelay<R: Sendable>(
        over process: any ByteStream, configuration: Configuration = Configuration(),
        _ body: (RelayClient) async throws -> R
    ) async throws -> R {
        let client = RelayClient(configuration: configuration)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.receive(from: process) }
            group.addTask { await client.send(to: process) }
            group.addTask { await client.keepTime() }
            defer { group.cancelAll() }
            do {
                try await client.greeting()
                let result = try await body(client)
                await client.fail(Self.outOfScope)
                return result
            } catch {
                await client.fail(Self.outOfScope)
                throw error
            }
        }
    }

    /// Runs `body` with a new connection to the worker's port.
    ///
    /// When `body` returns, a stream that both sides have finished is over in good order. Where the worker has finished
    /// and `body` has not, its stream is finished for it. Otherwise, or when `body` throws, the connection is broken, and what
    /// was written last may not arrive.
    ///
    /// - Throws: `refused` when the port takes no connection; why the relay is over; what `body` throws.
    public nonisolated func withStream<R>(_ body: (any ByteStream) async throws -> R) async throws -> R {
        let number = try await open()
        do {
            let result = try await body(RelayStream(client: self, number: number))
            await close(number, isOrderly: true)
            return result
        } catch {
            await close(number, isOrderly: false)
            throw error
        }
    }

    /// Waits for the end of the relay, and returns the reason.
    ///
    /// - Throws: `CancellationError`.
    public func end() async throws -> RelayError {
        while true {
            let generation = ended.generation
            if let failure { return failure }
            try await ended.wait(after: generation)
        }
    }
}

// MARK: - The child tasks

extension RelayClient {
    private func receive(from process: any ByteStream) async {
        do {
            while failure == nil {
                let bytes = try await process.read(upTo: 1 << 18)
                guard !bytes.isEmpty else { return fail(endOfProcess()) }
                lastHeard = clock.now
                decoder.append(bytes)
                while let frame = try decoder.next() { try receive(frame) }
                if decoder.isGreeted { greeted.signal() }
            }
        } catch let error as RelayError {
            fail(error)
        } catch is CancellationError {
            return  // the scope is over
        } catch {
            fail(endOfProcess(cause: error))
        }
    }

    private func send(to process: any ByteStream) async {
        do {
            while failure == nil {
                let generation = outboundFilled.generation
                guard !outbound.isEmpty else {
                    try await outboundFilled.wait(after: generation)
                    continue
                }
                let batch = outbound
                outbound = []
                outboundTaken.signal()
                try await process.write(batch)
            }
        } catch is CancellationError {
            return  // the scope is over
        } catch {
            fail(endOfProcess(cause: error))
        }
    }

    private func keepTime() async {
        let begin = clock.now
        while failure == nil {
            do {
                try await clock.sleep(for: configuration.pingInterval)
            } catch {
                return  // the scope is over
            }
            if !decoder.isGreeted, clock.now - begin > configuration.startLimit {
                fail(
                    RelayError(
                        .notStarted,
                        "The relay did not start on the worker within \(configuration.startLimit)\(heardInstead())"))
            } else if decoder.isGreeted, clock.now - lastHeard > configuration.silenceLimit {
                fail(
                    RelayError(
                        .unresponsive, "The relay on the worker has not answered for \(configuration.silenceLimit)"))
            } else {
                enqueue(.ping, on: 0)
            }
        }
    }

    /// Ends everything for this reason; the first one counts.
    private func fail(_ error: RelayError) {
        guard failure == nil else { return }
        failure = error
        for entry in entries.values {
            entry.connection.fail(error)
            entry.changed.signal()
        }
        for condition in [greeted, outboundFilled, outboundTaken, ended] { condition.signal() }
    }

    private func endOfProcess(cause: (any Error)? = nil) -> RelayError {
        decoder.isGreeted
            ? RelayError(.ended, "The relay on the worker has ended", cause: cause)
            : RelayError(.notStarted, "The relay did not start on the worker\(heardInstead())", cause: cause)
    }

    private func heardInstead() -> String {
        decoder.noise.isEmpty ? "" : "; it was heard instead: \(decoder.noise)"
    }

    private func greeting() async throws {
        while true {
            let generation = greeted.generation
            if let failure { throw failure }
            if decoder.isGreeted { return }
            try await greeted.wait(after: generation)
        }
    }
}

// MARK: - Connections

extension RelayClient {
    private func receive(_ frame: RelayFrame) throws(RelayError) {
        switch frame.body {
        case .pong:
            return  // that it was heard is all that counts
        case .open, .ping:
            throw RelayError(.protocolViolation, "The relay sent a frame that only its client sends")
        default:
            // Without an entry, the connection is over here, and the relay does not know it yet.
            guard let entry = entries[frame.connection] else { return }
            try entry.connection.receive(frame.body)
            entry.changed.signal()
        }
    }

    private func open() async throws -> UInt32 {
        if let failure { throw failure }
        repeat { lastNumber &+= 1 } while lastNumber == 0 || entries[lastNumber] != nil
        let number = lastNumber
        let entry = Entry(RelayConnection(window: Int(configuration.window)))
        entries[number] = entry
        enqueue(.open(window: configuration.window), on: number)
        do {
            while true {
                let generation = entry.changed.generation
                switch entry.connection.phase {
                case .opening: try await entry.changed.wait(after: generation)
                case .open: return number
                case .over(let error): throw error
                }
            }
        } catch {
            close(number, isOrderly: false)
            throw error
        }
    }

    fileprivate func read(upTo limit: Int, on number: UInt32) async throws -> [UInt8] {
        let entry = try entry(number)
        while true {
            try Task.checkCancellation()
            let generation = entry.changed.generation
            switch try entry.connection.read(upTo: limit) {
            case .bytes(let bytes, let credit):
                if let credit { enqueue(.window(increment: credit), on: number) }
                return bytes
            case .end:
                return []
            case .nothingYet:
                try await entry.changed.wait(after: generation)
            }
        }
    }

    fileprivate func write(_ bytes: [UInt8], on number: UInt32) async throws {
        let entry = try entry(number)
        var rest = bytes[...]
        while !rest.isEmpty {
            try Task.checkCancellation()
            let taken = outboundTaken.generation
            guard outbound.count < Self.outboundLimit || failure != nil else {
                try await outboundTaken.wait(after: taken)
                continue
            }
            let generation = entry.changed.generation
            let count = try entry.connection.reserve(min(rest.count, Self.chunk))
            guard count > 0 else {
                try await entry.changed.wait(after: generation)
                continue
            }
            enqueue(.data(Array(rest.prefix(count))), on: number)
            rest = rest.dropFirst(count)
            await Task.yield()  // to the other writers, so that one with much to say does not take all the room
        }
    }

    fileprivate func finishWriting(on number: UInt32) throws {
        if let body = try entry(number).connection.finishWriting() { enqueue(body, on: number) }
    }

    private func close(_ number: UInt32, isOrderly: Bool) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        if let body = entry.connection.close(isOrderly: isOrderly) { enqueue(body, on: number) }
        entry.changed.signal()
    }

    private func entry(_ number: UInt32) throws(RelayError) -> Entry {
        guard let entry = entries[number] else { throw Self.outOfScope }
        return entry
    }

    private func enqueue(_ body: RelayFrame.Body, on number: UInt32) {
        guard failure == nil else { return }
        RelayFrame(connection: number, body: body).encode(into: &outbound)
        outboundFilled.signal()
    }

    private static var outOfScope: RelayError {
        RelayError(.closed, "The relay is used after the end of a scope")
    }
}

/// One connection, as its user sees it.
private struct RelayStream: ByteStream {
    let client: RelayClient
    let number: UInt32

    func read(upTo limit: Int) async throws -> [UInt8] {
        try await client.read(upTo: limit, on: number)
    }

    func write(_ bytes: [UInt8]) async throws {
        try await client.write(bytes, on: number)
    }

    func finishWriting() async throws {
        try await client.finishWriting(on: number)
    }
}
