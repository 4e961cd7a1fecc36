import Archive
import IO
import Testing

@testable import ClusterTools

/// How hard an archive is compressed on its way.
@Suite(.timeLimit(.minutes(1))) struct CompressionTests {
    @Test func aSlowLinkIsWorthMoreEffort() {
        var effort = CompressionEffort(most: 3)
        #expect(effort.level == 1)
        for _ in 0..<10 { effort.adapt(ready: 4, of: 4) }
        #expect(effort.level == 3)
        effort.adapt(ready: 3, of: 4)
        #expect(effort.level == 3, "neither of them is waited for")
    }

    @Test func aQuickLinkIsNotKeptWaiting() {
        var effort = CompressionEffort(most: 3)
        for _ in 0..<10 { effort.adapt(ready: 4, of: 4) }
        for _ in 0..<10 { effort.adapt(ready: 0, of: 4) }
        #expect(effort.level == 1)
    }

    /// Twelve times the same, by a link that takes its time.
    @Test(arguments: [CompressedStream.Codec.gzip, .zstd]) func laterPiecesAreSmaller(
        codec: CompressedStream.Codec
    ) async throws {
        let words = (0..<4096).map { Array("word\($0 &* 2_654_435_761 % 100_003) ".utf8) }
        var generator = SystemRandomNumberGenerator()
        var text: [UInt8] = []
        while text.count < 1 << 20 { text += words.randomElement(using: &generator) ?? [] }
        let piece = Array(text.prefix(1 << 20))
        var sizes: [Int] = []
        try await CompressedStream(codec).run { put in
            for _ in 0..<12 { guard put(piece, 0) else { return } }
        } send: { bytes, _ in
            sizes.append(bytes.count)
            try await Task.sleep(for: .milliseconds(200))
            return true
        }
        let (first, last) = try (#require(sizes.first), #require(sizes.last))
        #expect(sizes.count == 12)
        #expect(Double(last) < Double(first) * 0.97, "\(sizes)")
    }
}
