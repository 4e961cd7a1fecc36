import Foundation
import IO
import Testing

@testable import SSH

/// Short answers do not wait behind streams that bring much, which come in nevertheless.
@Suite struct CourtesyTests {
    private let start = ContinuousClock.now

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    @Test func nobodyWaitsWhileNobodyAsks() {
        let courtesy = Courtesy()
        for time in 0..<100 { #expect(courtesy.mayTakeOver(at: at(time))) }
        #expect(courtesy.pause(at: at(100)) == nil)
    }

    @Test func theOthersGetSixTimesAsLongAsTheServersLastBytesTook() {
        let courtesy = Courtesy()
        courtesy.noteShortAnswer(at: at(0))
        // What was on its way comes in for 4 ms.
        for time in 1...4 { #expect(!courtesy.mayTakeOver(at: at(time))) }
        #expect(courtesy.pause(at: at(5)) == at(4 + 24))
        #expect(courtesy.pause(at: at(27)) == at(28))
        #expect(courtesy.pause(at: at(28)) == nil)
        // Now it may come, for a moment.
        #expect(courtesy.mayTakeOver(at: at(28)))
        #expect(!courtesy.mayTakeOver(at: at(29)))
        #expect(courtesy.pause(at: at(29)) == at(29) + Courtesy.shortestPause)
    }

    @Test func theNextQuestionsDoNotProlongAPause() {
        let courtesy = Courtesy()
        for time in 0..<1000 { courtesy.noteShortAnswer(at: at(time)) }
        #expect(courtesy.pause(at: at(1000)) == nil)
        courtesy.noteShortAnswer(at: at(1000))
        #expect(courtesy.mayTakeOver(at: at(1000)))
    }

    @Test func afterTheLastAnswerAllIsAsBefore() {
        let courtesy = Courtesy()
        courtesy.noteShortAnswer(at: at(0))
        for time in 0..<60 { #expect(!courtesy.mayTakeOver(at: at(time))) }
        for time in 60..<100 { #expect(courtesy.mayTakeOver(at: at(time))) }
    }

    /// A pause ends also when the server never stops.
    @Test func noPauseIsLong() {
        let courtesy = Courtesy()
        for time in 0..<10_000 {
            courtesy.noteShortAnswer(at: at(time))
            if courtesy.mayTakeOver(at: at(time)) { return }
        }
        Issue.record("what brings much never had a turn")
    }

    @Test func nothingIsLostBetweenTurns() async throws {
        try await TestServer.with { server in
            try await server.withSession { session in
                try await within(60) {
                    try await withListener(preferredPort: nil, loop: server.loop) { listener in
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            let pattern = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
                            let twice = Data(pattern + pattern)
                            group.addTask {
                                // The first to connect gets 60 MB, the second its questions back.
                                let bulk = try await listener.accept()
                                let small = try await listener.accept()
                                async let echo: Void = copy(from: small, to: small)
                                for _ in 0..<60 { try await bulk.write(pattern) }
                                await bulk.finishWriting()
                                try await echo
                            }
                            let port = listener.port
                            try await session.withStream(toHost: "127.0.0.1", port: port) { bulk in
                                try await session.withStream(toHost: "127.0.0.1", port: port) { small in
                                    group.addTask {
                                        for number in 0..<200 {
                                            let question = Array("question \(number)\n".utf8)
                                            try await small.write(question)
                                            var answer: [UInt8] = []
                                            while answer.count < question.count {
                                                let more = try await small.read(upTo: 100)
                                                try #require(!more.isEmpty)
                                                answer += more
                                            }
                                            #expect(answer == question)
                                        }
                                        try await small.finishWriting()
                                    }
                                    var count = 0
                                    while case let bytes = try await bulk.read(upTo: 1 << 16), !bytes.isEmpty {
                                        let expected = twice.dropFirst(count % pattern.count).prefix(bytes.count)
                                        try #require(expected == Data(bytes), "at \(count)")
                                        count += bytes.count
                                    }
                                    #expect(count == 60 * pattern.count)
                                    try await group.waitForAll()
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
