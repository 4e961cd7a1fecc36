import Testing

@testable import ClusterTools

@Suite struct AnswerDecoderTests {
    private static let text = """
        Welcome to the cluster!
        @tag job 42
        no line break at its end@tag\u{20}
        @tag out 7 9
        a\n@tag
        @tag err 0 0

        @tag done files

        """

    private static let items: [AnswerDecoder.Item] = [
        .noise("Welcome to the cluster!"), .line(key: "job", value: "42"), .noise("no line break at its end@tag "),
        .bytes(key: "out", Array("a\n@tag\n".utf8), total: 9), .bytes(key: "err", [], total: 0),
        .line(key: "done", value: "files"),
    ]

    private func items(_ pieces: [[UInt8]]) -> [AnswerDecoder.Item] {
        var decoder = AnswerDecoder(tag: "@tag")
        var items: [AnswerDecoder.Item] = []
        for piece in pieces {
            decoder.feed(piece)
            while let item = decoder.next() { items.append(item) }
        }
        return items
    }

    @Test func answersAreTakenFromBetweenNoise() {
        #expect(items([Array(Self.text.utf8)]) == Self.items)
    }

    @Test func whereTheBytesAreCutMakesNoDifference() {
        let bytes = Array(Self.text.utf8)
        for cut in bytes.indices { #expect(items([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.items) }
        #expect(items(bytes.map { [$0] }) == Self.items)
    }

    @Test func anotherTagIsNoise() {
        #expect(items([Array("@other done\n".utf8)]) == [.noise("@other done")])
    }

    @Test func aLengthThatIsNoneIsAnOrdinaryLine() {
        #expect(items([Array("@tag out many 3\n@tag done x\n".utf8)]).last == .line(key: "done", value: "x"))
        #expect(items([Array("@tag out -5 3\n".utf8)]) == [.line(key: "out", value: "-5 3")])
    }

    @Test func noiseWithoutLineBreaksDoesNotGather() {
        var decoder = AnswerDecoder(tag: "@tag")
        decoder.feed([UInt8](repeating: 65, count: AnswerDecoder.longestLine + 1))
        guard case .noise(let text) = decoder.next() else {
            Issue.record("nothing was dropped")
            return
        }
        #expect(text.utf8.count == AnswerDecoder.longestLine + 1)
        decoder.feed(Array("\n@tag done x\n".utf8))
        #expect(decoder.next() == .line(key: "done", value: "x"))
    }
}
