import Testing

@testable import ClusterTools

@Suite struct LineFilterTests {
    private func shown(_ pattern: String, _ pieces: [String]) throws -> String {
        var filter = LineFilter(try LinePattern(pattern, "--grep"))
        let bytes = pieces.flatMap { filter.feed(Array($0.utf8)) } + filter.finish()
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func wholeLinesHoweverTheyCome() throws {
        let text = "loss 1\nstep\nloss 2\n\nlast loss"
        #expect(try shown("loss", [text]) == "loss 1\nloss 2\nlast loss")
        #expect(try shown("loss", text.map(String.init)) == "loss 1\nloss 2\nlast loss")
        #expect(try shown("^$", [text]) == "\n")
        #expect(try shown("^loss [2-9]$", [text]) == "loss 2\n")
        #expect(try shown("nothing", [text]) == "")
    }

    @Test func bytesThatAreNoTextPass() throws {
        var filter = LineFilter(try LinePattern("a", "--grep"))
        #expect(filter.feed([0xFF, 0x61, 0x0A, 0xFE, 0x0A]) == [0xFF, 0x61, 0x0A])
    }

    @Test func aLineWithoutAnEndDoesNotFillTheMemory() throws {
        var filter = LineFilter(try LinePattern("x", "--grep"))
        let portion = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 19)
        var count = 0
        for _ in 0..<8 { count += filter.feed(portion).count }
        #expect(count >= 2 << 20)
    }

    @Test func whatIsNoPatternIsSaid() {
        let failure = #expect(throws: Failure.self) { try LinePattern("(", "--grep") }
        #expect(failure?.status == Exit.usage)
    }
}
