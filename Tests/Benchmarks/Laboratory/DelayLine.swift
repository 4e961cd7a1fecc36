import IO
import Synchronization

/// Bytes on their way: each leaves when those before it have left, at the link's rate, and arrives so much later.
///
/// It is as long as the link needs to be full, and no longer: whoever puts more in waits, as on a real one.
actor DelayLine {
    private struct Chunk {
        var bytes: [UInt8]
        var arrival: ContinuousClock.Instant
    }

    private let delay: Duration
    /// Bytes a second; nil for no limit.
    private let rate: Double?
    private let capacity: Int
    private var chunks: [Chunk] = []
    private var count = 0
    private var hasEnded = false
    /// When the last byte that was put in has left.
    private var departure = ContinuousClock.now
    private nonisolated let changed = Condition()

    init(delay: Duration, rate: Double?) {
        self.delay = delay
        self.rate = rate
        // Without a rate, enough for 1 GB/s.
        let full = (rate ?? 1e9) * (delay * 2 / .seconds(1))
        capacity = max(1 << 20, Int(full))
    }

    func put(_ bytes: [UInt8]) async throws {
        while count >= capacity {
            let generation = changed.generation
            try await changed.wait(after: generation)
        }
        departure = max(departure, .now)
        if let rate { departure += .seconds(Double(bytes.count) / rate) }
        chunks.append(Chunk(bytes: bytes, arrival: departure + delay))
        count += bytes.count
        changed.signal()
    }

    func end() {
        hasEnded = true
        changed.signal()
    }

    /// What arrives next, when it arrives; nothing at the end.
    func next() async throws -> [UInt8] {
        while chunks.isEmpty {
            let generation = changed.generation
            if hasEnded { return [] }
            try await changed.wait(after: generation)
        }
        try await Task.sleep(until: chunks[0].arrival, tolerance: .zero, clock: .continuous)
        let arrived = chunks.removeFirst().bytes
        count -= arrived.count
        changed.signal()
        return arrived
    }
}
