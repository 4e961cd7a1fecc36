import Testing

@testable import ClusterTools

@Suite struct RelayFrameTests {
    static let frames: [RelayFrame] = [
        RelayFrame(connection: 1, body: .open(window: 1 << 20)),
        RelayFrame(connection: 1, body: .opened(window: .max)),
        RelayFrame(connection: 0xffff_fffe, body: .refused(reason: "Connection refused ✗")),
        RelayFrame(connection: 0x0102_0304, body: .data([0, 1, 2, 255])),
        RelayFrame(connection: 7, body: .data(Array(repeating: 9, count: 300))),
        RelayFrame(connection: 7, body: .window(increment: 0x0a0b_0c0d)),
        RelayFrame(connection: 7, body: .eof),
        RelayFrame(connection: 7, body: .reset),
        RelayFrame(connection: 0, body: .ping),
        RelayFrame(connection: 0, body: .pong),
    ]

    static func encode(_ frames: [RelayFrame], after noise: [UInt8] = []) -> [UInt8] {
        var bytes = noise + RelayFrame.magic
        for frame in frames { frame.encode(into: &bytes) }
        return bytes
    }

    func decode(_ pieces: [ArraySlice<UInt8>]) throws -> [RelayFrame] {
        var decoder = RelayDecoder()
        var frames: [RelayFrame] = []
        for piece in pieces {
            decoder.append(Array(piece))
            while let frame = try decoder.next() { frames.append(frame) }
        }
        return frames
    }

    @Test func layoutIsAsDocumented() {
        var bytes: [UInt8] = []
        RelayFrame(connection: 0x0102_0304, body: .data([0xaa, 0xbb])).encode(into: &bytes)
        #expect(bytes == [4, 0, 0, 2, 1, 2, 3, 4, 0xaa, 0xbb, 10])
        #expect(RelayFrame.magic.count == 16)
    }

    @Test func decodesWhereverTheBytesAreCut() throws {
        let bytes = Self.encode(Self.frames, after: Array("Welcome to the cluster\n".utf8))
        for cut in bytes.indices {
            #expect(try decode([bytes[..<cut], bytes[cut...]]) == Self.frames, "cut at \(cut)")
        }
    }

    @Test func decodesByteByByte() throws {
        let bytes = Self.encode(Self.frames)
        #expect(try decode(bytes.indices.map { bytes[$0...$0] }) == Self.frames)
    }

    @Test func skipsNoiseThatLooksLikeTheGreeting() throws {
        let almost = Array(RelayFrame.magic.dropLast())
        let noises: [[UInt8]] = [[], [0], almost, almost + almost, RelayFrame.magic.dropFirst() + [0], Array(0...255)]
        for noise in noises {
            let bytes = Self.encode(Self.frames, after: noise)
            #expect(try decode([bytes[...]]) == Self.frames, "after \(noise)")
            #expect(try decode(bytes.indices.map { bytes[$0...$0] }) == Self.frames, "after \(noise), byte by byte")
        }
    }

    @Test func tellsWhatWasHeardInsteadOfTheGreeting() throws {
        var decoder = RelayDecoder()
        decoder.append(Array("python3: command not found\n".utf8))
        #expect(try decoder.next() == nil)
        #expect(!decoder.isGreeted)
        #expect(decoder.noise == "python3: command not found\n")
    }

    @Test func givesUpOnEndlessNoise() throws {
        var decoder = RelayDecoder()
        let error = #expect(throws: RelayError.self) {
            for _ in 0...RelayDecoder.maximumNoise / 1000 {
                decoder.append(Array(repeating: 0x79, count: 1001))
                _ = try decoder.next()
            }
        }
        #expect(error?.code == .notStarted)
        #expect(decoder.noise.utf8.count < 4096)
    }

    @Test(
        arguments: [
            [0, 0, 0, 0, 0, 0, 0, 1, 10],  // no kind has the number 0
            [10, 0, 0, 0, 0, 0, 0, 1, 10],  // nor 10
            [4, 1, 0, 1, 0, 0, 0, 1],  // 65,537 bytes
            [5, 0, 0, 3, 0, 0, 0, 1, 1, 2, 3, 10],  // a number of three bytes
            [6, 0, 0, 0, 0, 0, 0, 1, 13],  // a terminal made \r\n of the newline
        ] as [[UInt8]])
    func refusesGarbage(_ garbage: [UInt8]) {
        let error = #expect(throws: RelayError.self) { try decode([(RelayFrame.magic + garbage)[...]]) }
        #expect(error?.code == .protocolViolation)
    }

    @Test func longestFrame() throws {
        let frame = RelayFrame(connection: 1, body: .data(Array(repeating: 1, count: RelayFrame.maximumPayload)))
        #expect(try decode([Self.encode([frame, frame])[...]]) == [frame, frame])
    }
}

@Suite struct ByteQueueTests {
    @Test func keepsOrderAndCount() {
        var queue = ByteQueue()
        var expected: [UInt8] = []
        var taken: [UInt8] = []
        for round in 0..<200 {
            let bytes = (0..<round).map { UInt8(truncatingIfNeeded: $0 &* round) }
            queue.append(bytes)
            expected += bytes
            taken += queue.removeFirst(upTo: round / 2 + 1)
            #expect(queue.count == expected.count - taken.count)
        }
        while !queue.isEmpty { taken += queue.removeFirst(upTo: 77) }
        #expect(taken == expected)
        #expect(queue.removeFirst(upTo: 10) == [])
    }
}
