import Foundation
import IO
import Synchronization

/// A link of a given length and width to the access node: a TCP relay that hands bytes on when they would have arrived.
///
/// Modelled: the propagation delay of each direction, the rate at which bytes leave, and the handshake of TCP: a round trip
/// until the near side can send, half of one more until the far side can. Not modelled: losses, and the slow start and
/// congestion control of TCP, since both sides talk to a near kernel: every program gets the whole width at once, whatever
/// its sockets' buffers are. `connect` itself returns at once, and its time passes before the first byte. Without delay,
/// rate and counting there is no relay, for it would be the bottleneck.
final class Link: Sendable {
    /// What has passed.
    struct Traffic: Sendable {
        var connections = 0
        /// Bytes towards the access node.
        var sent = 0
        /// Bytes from it.
        var received = 0
        /// The handshakes of TCP, and how often the near side has sent something after it had heard something new. That is
        /// the number of round trips at most: what it sent may have been no answer to what it had heard, or one that
        /// nobody waited for.
        var turns = 0
    }

    private struct State {
        var traffic = Traffic()
        var isCut = false
        /// Every cut ends the connections of the generation before it.
        var generation = 0
    }

    private let state = Mutex(State())
    private let oneWay: Duration
    private let rate: Double?
    private let target: UInt16
    private let loop: PollLoop

    fileprivate init(roundTrip: Duration, rate: Double?, target: UInt16, loop: PollLoop) {
        oneWay = roundTrip / 2
        self.rate = rate
        self.target = target
        self.loop = loop
    }

    /// What has passed since the link was made.
    var traffic: Traffic { state.withLock { $0.traffic } }

    /// Ends all connections. Until ``mend()`` new ones end too.
    func cut() {
        state.withLock {
            $0.generation += 1
            $0.isCut = true
        }
    }

    func mend() { state.withLock { $0.isCut = false } }

    fileprivate func serve(_ listener: Listener) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                let connection = try await listener.accept()
                // All on one thread: to change between some takes longer than what there is to do.
                group.addTask(executorPreference: loop) { await self.pass(connection) }
            }
        }
    }

    private func pass(_ near: Descriptor) async {
        let generation = state.withLock { state -> Int? in
            guard !state.isCut else { return nil }
            state.traffic.connections += 1
            state.traffic.turns += 1
            return state.generation
        }
        if let generation {
            do {
                try await Task.sleep(for: oneWay * 2, tolerance: .zero)
                try await withConnection(toHost: "127.0.0.1", port: target, timeout: .seconds(5), loop: loop) { far in
                    try await self.carry(near, far, generation)
                }
            } catch {
                // A cut, or an end that is not orderly: either way this connection is over.
            }
        }
        await near.close()
    }

    /// How many bytes are taken at once.
    private static let piece = 1 << 18

    /// Lets more of a bulk come together: this relay must not need the processors that those need who are measured. The
    /// error is small against any delay that is worth measuring.
    private func rest(after count: Int) async throws {
        if count >= 1 << 13, oneWay > .zero { try await Task.sleep(for: .milliseconds(1), tolerance: .zero) }
    }

    /// Carries both directions until both have ended, or the link is cut.
    private func carry(_ near: Descriptor, _ far: any ByteStream, _ generation: Int) async throws {
        let up = DelayLine(delay: oneWay, rate: rate)
        let down = DelayLine(delay: oneWay, rate: rate)
        let turns = Turns()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                while case let bytes = try await near.read(upTo: Link.piece), !bytes.isEmpty {
                    let isTurn = turns.speak()
                    self.state.withLock {
                        $0.traffic.sent += bytes.count
                        if isTurn { $0.traffic.turns += 1 }
                    }
                    try await up.put(bytes)
                    try await self.rest(after: bytes.count)
                }
                await up.end()
                return false
            }
            group.addTask {
                while case let bytes = try await up.next(), !bytes.isEmpty { try await far.write(bytes) }
                try await far.finishWriting()
                return true
            }
            group.addTask {
                // The far side hears of the connection half a round trip later.
                try await Task.sleep(for: self.oneWay, tolerance: .zero)
                while case let bytes = try await far.read(upTo: Link.piece), !bytes.isEmpty {
                    try await down.put(bytes)
                    try await self.rest(after: bytes.count)
                }
                await down.end()
                return false
            }
            group.addTask {
                while case let bytes = try await down.next(), !bytes.isEmpty {
                    turns.hear()
                    self.state.withLock { $0.traffic.received += bytes.count }
                    try await near.write(bytes)
                }
                await near.finishWriting()
                return true
            }
            group.addTask {
                while self.state.withLock({ $0.generation == generation }) {
                    try await Task.sleep(for: .milliseconds(5))
                }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            var ended = 0
            while ended < 2, let isDirection = try await group.next() { ended += isDirection ? 1 : 0 }
        }
    }
}

/// Whether the near side of a connection has heard something since it last spoke.
private final class Turns: Sendable {
    private let hasHeard = Mutex(false)

    func hear() { hasHeard.withLock { $0 = true } }

    /// - Returns: whether it says this with knowledge of something new.
    func speak() -> Bool {
        hasHeard.withLock { heard in
            defer { heard = false }
            return heard
        }
    }
}

extension Laboratory {
    /// Lends a link to a cluster's access node, and the way over it. Everybody who goes that way shares it.
    ///
    /// - Parameters:
    ///   - roundTrip: zero together with no rate is no link at all: the access node itself, and nothing is counted.
    ///   - rate: bytes a second, of each direction of each connection; nil for no limit.
    ///   - isCounted: whether there is a relay in any case.
    func withLink<Result: Sendable>(
        to cluster: DemoCluster, roundTrip: Duration, rate: Double? = nil, isCounted: Bool = false,
        _ body: (Link, DemoCluster.Access) async throws -> Result
    ) async throws -> Result {
        var access = cluster.access
        // A thread of its own: what is measured must not wait for it.
        let loop = try PollLoop()
        defer { loop.stop() }
        let link = Link(roundTrip: roundTrip, rate: rate, target: access.port, loop: loop)
        guard isCounted || roundTrip > .zero || rate != nil else { return try await body(link, access) }
        return try await withListener(preferredPort: nil, loop: loop) { listener in
            // Hosts are known by their ports.
            let keys = try String(contentsOfFile: access.knownHosts, encoding: .utf8)
            let path = try self.makeFolder("link") + "/known_hosts"
            try Data(keys.replacingOccurrences(of: "]:\(access.port) ", with: "]:\(listener.port) ").utf8)
                .write(to: URL(filePath: path))
            access.knownHosts = path
            access.port = listener.port
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await link.serve(listener) }
                defer { group.cancelAll() }
                return try await body(link, access)
            }
        }
    }
}
