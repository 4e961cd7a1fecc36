import Testing

@testable import ClusterTools

@Suite struct TailSearchTests {
    /// Searches a file that is in memory.
    private func start(ofLast lines: Int, in text: [UInt8], from floor: Int = 0) -> Int {
        var search = TailSearch(lines: lines, in: floor..<text.count)
        var pieces = 0
        while let window = search.window {
            pieces += 1
            precondition(pieces < 100)
            #expect(window.count <= TailSearch.portion)
            search.take(Array(text[window]))
        }
        return search.start
    }

    private func tail(_ lines: Int, of text: String, from floor: Int = 0) -> String {
        let bytes = Array(text.utf8)
        return String(decoding: bytes[start(ofLast: lines, in: bytes, from: floor)...], as: UTF8.self)
    }

    @Test(arguments: [
        (0, "a\nb\n", ""), (1, "a\nb\n", "b\n"), (2, "a\nb\n", "a\nb\n"), (9, "a\nb\n", "a\nb\n"), (1, "a\nb", "b"),
        (1, "", ""), (1, "\n", "\n"), (1, "\n\n", "\n"), (2, "a\n\n", "a\n\n"), (3, "\n\n\n\n", "\n\n\n"),
        (1, "abc", "abc"),
    ])
    func theLastLines(lines: Int, text: String, expected: String) {
        #expect(tail(lines, of: text) == expected)
    }

    @Test func whatCameBeforeTheCommandIsNoLineOfIt() {
        #expect(tail(5, of: "noise\nfirst\nlast\n", from: 6) == "first\nlast\n")
        #expect(tail(1, of: "noise\n", from: 6) == "")
    }

    /// Against a plain count, over the borders of pieces.
    @Test func manyLines() {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<(TailSearch.portion * 2 + 77)).map { _ in
            Int.random(in: 0..<40_000, using: &generator) == 0 ? UInt8(ascii: "\n") : UInt8(ascii: "x")
        }
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") && $0 != bytes.count - 1 }
        for lines in 1...ends.count + 2 {
            let expected = lines <= ends.count ? ends[ends.count - lines] + 1 : 0
            #expect(start(ofLast: lines, in: bytes) == expected)
        }
    }

    @Test func aFileThatShrinksIsReadFromWhereItIs() {
        var search = TailSearch(lines: 3, in: 0..<10)
        search.take([])
        #expect(search.window == nil)
        #expect(search.start == 0)
    }
}
