import Foundation
import IO
import Synchronization

/// The link between submit and the access node, as a test wants it: slow, silent, cut, down. A TCP proxy on a port of its own.
final class FaultyLink: Sendable {
    enum Direction: Sendable { case up, down }

    private enum Fault: Error { case cut }

    private struct State {
        var isDown = false
        var isSilent = false
        /// Bytes a second towards the access node; nil for no limit.
        var rate: Int?
        /// How long a byte is under way.
        var delay = Duration.zero
        /// Cuts the connection that carries this byte, counted over all of them.
        var cuts: [Direction: Int] = [:]
        var carried: [Direction: Int] = [.up: 0, .down: 0]
        var connections = 0
        /// Every cut ends the connections of the generation before it.
        var generation = 0
    }

    private let state = Mutex(State())
    private let target: UInt16
    private let loop: PollLoop

    fileprivate init(target: UInt16, loop: PollLoop) {
        self.target = target
        self.loop = loop
    }

    /// How many bytes have passed in one direction.
    func carried(_ direction: Direction) -> Int { state.withLock { $0.carried[direction] ?? 0 } }

    /// How many connections were made.
    var connections: Int { state.withLock { $0.connections } }

    /// Ends the open connections. While it is down new ones end at once.
    func cut(staysDown: Bool = false) {
        state.withLock {
            $0.generation += 1
            $0.isDown = staysDown
        }
    }

    /// Ends the connection that carries this byte, after it.
    func cut(after bytes: Int, _ direction: Direction) { state.withLock { $0.cuts[direction] = bytes } }

    /// Lets the open connections be, and ends new ones at once.
    func refuse() { state.withLock { $0.isDown = true } }

    /// New connections are accepted again.
    func mend() { state.withLock { $0.isDown = false } }

    /// Holds all bytes back, as a network does that has lost its route.
    func silence(_ isSilent: Bool) { state.withLock { $0.isSilent = isSilent } }

    /// Makes the way longer, in both directions.
    func delay(by delay: Duration) { state.withLock { $0.delay = delay } }

    /// Limits the bytes a second towards the access node.
    func slow(to rate: Int?) { state.withLock { $0.rate = rate } }

    fileprivate func serve(_ listener: Listener) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                let connection = try await listener.accept()
                group.addTask { await self.pass(connection) }
            }
        }
    }

    private func pass(_ near: Descriptor) async {
        let generation = state.withLock { state in
            state.connections += 1
            return state.isDown ? nil : state.generation
        }
        if let generation {
            do {
                try await withConnection(toHost: "127.0.0.1", port: target, timeout: .seconds(5), loop: loop) { far in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await self.carry(.up, from: near, to: far) }
                        group.addTask { try await self.carry(.down, from: far, to: near) }
                        group.addTask {
                            while self.state.withLock({ $0.generation == generation }) {
                                try await Task.sleep(for: .milliseconds(5))
                            }
                        }
                        // Whichever ends first ends the connection.
                        defer { group.cancelAll() }
                        try await group.next()
                    }
                }
            } catch {
                // A cut, or an end that is not orderly: either way this connection is over.
            }
        }
        await near.close()
    }

    private func carry(_ direction: Direction, from source: any ByteStream, to target: any ByteStream) async throws {
        while case var bytes = try await source.read(upTo: 1 << 13), !bytes.isEmpty {
            let delay = state.withLock { $0.delay }
            if delay > .zero { try await Task.sleep(for: delay) }
            while state.withLock({ $0.isSilent }) { try await Task.sleep(for: .milliseconds(5)) }
            let (isCut, rate) = state.withLock { state in
                let carried = state.carried[direction] ?? 0
                let isCut = state.cuts[direction].map { carried + bytes.count >= $0 } ?? false
                if isCut, let limit = state.cuts.removeValue(forKey: direction) {
                    bytes = Array(bytes.prefix(limit - carried))
                }
                state.carried[direction] = carried + bytes.count
                return (isCut, direction == .up ? state.rate : nil)
            }
            try await target.write(bytes)
            if isCut { throw Fault.cut }
            if let rate { try await Task.sleep(for: .microseconds(bytes.count * 1_000_000 / rate)) }
        }
    }
}

/// Lends a link to a cluster's access node, and the profile that leads over it.
func withFaultyLink<Result: Sendable>(
    to cluster: DemoCluster, for place: Place = .demoCluster,
    _ body: @Sendable (FaultyLink, _ profile: String) async throws -> Result
) async throws -> Result {
    var values = try cluster.profileValues()
    guard let port = values["port"] as? Int, let knownHosts = values["known_hosts"] as? String else {
        throw LabError(code: .command, message: "the profile \(cluster.profile) is not complete")
    }
    let keys = String(decoding: try Data(contentsOf: URL(filePath: knownHosts)), as: UTF8.self)
    let loop = try PollLoop()
    defer { loop.stop() }
    return try await withListener(preferredPort: nil, loop: loop) { listener in
        let link = FaultyLink(target: UInt16(port), loop: loop)
        let path = "\(Programs.temporary)/ct-link-\(UUID().uuidString.prefix(8))"
        defer {
            for suffix in [".json", ".known_hosts"] { unlink(path + suffix) }
        }
        values["port"] = Int(listener.port)
        values["transport"] = place.transport
        values["known_hosts"] = path + ".known_hosts"
        let ours = keys.replacingOccurrences(of: "]:\(port) ", with: "]:\(listener.port) ")
        try Data(ours.utf8).write(to: URL(filePath: path + ".known_hosts"))
        try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: path + ".json"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await link.serve(listener) }
            defer { group.cancelAll() }
            return try await body(link, path + ".json")
        }
    }
}
