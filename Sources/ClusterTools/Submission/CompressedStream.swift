import Archive
import Dispatch
import IO

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Bytes on their way from a thread that makes them to a task that sends them, compressed by as many threads as there are cores:
/// reading, compressing and sending overlap, in memory that does not depend on how much there is.
///
/// Who owns what: the making thread owns the piece that it fills; a full one belongs to a thread of the pool until it is compressed;
/// the queue holds the pieces in their order, and its capacity bounds them all.
final class CompressedStream: Sendable {
    /// Of a piece, in bytes, before it is compressed.
    private static let pieceSize = 1 << 20

    private struct Piece: Sendable {
        let bytes: OneShot<[UInt8]>
        let done: Int
    }

    private let queue: BoundedQueue<Piece>
    private let codec: Codec

    /// What the far side can unpack.
    enum Codec: String, Sendable {
        case gzip, zstd

        /// The level above which the next ones save little. What they need is memory, with zstd: some 5 MB for each core at this one.
        fileprivate var hardest: Int {
            switch self {
            case .gzip: 6
            case .zstd: 3
            }
        }

        fileprivate func compression(for piece: [UInt8], _ effort: CompressionEffort) -> Compression {
            switch self {
            // zlib takes its time for what it cannot make smaller, zstd does not.
            case .gzip: .gzip(level: Compression.isFutile(for: piece) ? 0 : effort.level)
            case .zstd: .zstd(level: effort.level)
            }
        }
    }

    init(_ codec: Codec) {
        self.codec = codec
        queue = BoundedQueue(capacity: min(ProcessInfo.processInfo.activeProcessorCount, 6) + 1)
    }

    /// Makes the bytes on a thread, and sends them compressed.
    ///
    /// - Parameters:
    ///   - make: hands its bytes to its argument, with how many bytes of files are done; false says that no more are wanted.
    ///   - send: is given the next compressed bytes, and how many bytes of files they complete. False ends it early.
    func run(
        _ make: @escaping @Sendable (_ put: ([UInt8], _ done: Int) -> Bool) throws -> Void,
        send: ([UInt8], _ done: Int) async throws -> Bool
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                try await onThread { [self] in
                    defer { queue.finish() }
                    try fill(make)
                }
            }
            // A thread that waits for room must not wait for ever.
            defer { queue.abandon() }
            while let piece = try await queue.take() {
                guard try await send(try await piece.bytes.value(), piece.done) else {
                    queue.abandon()
                    break
                }
            }
            try await group.waitForAll()
        }
    }

    private func fill(_ make: (_ put: ([UInt8], _ done: Int) -> Bool) throws -> Void) throws {
        var piece: [UInt8] = []
        var lastDone = 0
        var effort = CompressionEffort(most: codec.hardest)
        try make { bytes, done in
            piece += bytes
            lastDone = done
            guard piece.count >= Self.pieceSize else { return true }
            defer { piece = [] }
            return handOver(piece, done, &effort)
        }
        if !piece.isEmpty { _ = handOver(piece, lastDone, &effort) }
    }

    private func handOver(_ piece: [UInt8], _ done: Int, _ effort: inout CompressionEffort) -> Bool {
        let compressed = OneShot<[UInt8]>()
        // It waits until there is room: all that is ready then is what the link has not come to yet.
        guard queue.put(Piece(bytes: compressed, done: done)) else { return false }
        effort.adapt(ready: queue.count { $0.bytes.isSettled }, of: queue.capacity - 1)
        let compression = codec.compression(for: piece, effort)
        // On threads that stay: memory that a thread has used is kept for it, and a new one for each piece would have its own.
        DispatchQueue.global(qos: .userInitiated).async {
            compressed.deliver(Result { try compression.compress(piece) })
        }
        return true
    }
}
