import Foundation
import IO
import Testing

@testable import ClusterTools

@Suite(.timeLimit(.minutes(1))) struct OutputFollowerTests {
    private func answer(_ bytes: [UInt8], total: Int) -> Answer {
        Answer(outcome: "files", streams: ["out": (bytes, total)])
    }

    private func withFollower(
        hasOwnStart: Bool = false, limits: OutputFollower.Backlog = .init(),
        skipped: @escaping @Sendable (OutputFollower.Gap) -> Void = { _ in },
        _ body: (OutputFollower, FileHandle) async throws -> Void
    ) async throws {
        let loop = try PollLoop()
        defer { loop.stop() }
        let pipe = Pipe()
        let writer = OutputWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor, loop: loop)
        let errors = OutputWriter(descriptor: STDERR_FILENO, loop: loop)
        let follower = OutputFollower(
            output: writer, errors: errors, hasOwnStart: hasOwnStart, limits: limits, skipped: skipped)
        try await body(follower, pipe.fileHandleForReading)
        try pipe.fileHandleForWriting.close()
    }

    @Test func aConnectionThatEndsWhileTheReaderIsSlowLosesNothing() async throws {
        try await withFollower { follower, reader in
            // More than a pipe holds, so that writing stops in the middle.
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let first = Task { try await follower.take(answer(bytes, total: bytes.count + 2)) }
            try await Task.sleep(for: .milliseconds(100))
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            #expect(await !follower.isComplete)
            #expect(await follower.request == "files 300000 1048576 0 1048576")
            async let received = onThread { try reader.read(upToCount: 300_002) }
            _ = try await follower.take(answer([1, 2], total: bytes.count + 2))
            #expect(await follower.isComplete)
            #expect(try await received.map { [UInt8]($0) } == bytes + [1, 2])
        }
    }

    @Test func nothingIsAskedForBeforeTheBeginningIsKnown() async throws {
        try await withFollower(hasOwnStart: true) { follower, reader in
            #expect(await follower.request == "files 0 0 0 1048576")
            await follower.begin(at: 12)
            await follower.begin(at: 0)
            #expect(await follower.request == "files 12 1048576 0 1048576")
            await follower.pause(true)
            #expect(await follower.request == "files 12 0 0 0")
            #expect(await !follower.isComplete)
        }
    }

    @Test func aFileThatWasBegunAnewIsReadFromItsBeginning() async throws {
        try await withFollower { follower, reader in
            _ = try await follower.take(answer(Array("before".utf8), total: 6))
            _ = try await follower.take(answer([], total: 3))
            #expect(await follower.request.hasPrefix("files 0 "))
        }
    }

    @Test func aReaderThatGoesAwayIsNoFailure() async throws {
        signal(SIGPIPE, SIG_IGN)
        try await withFollower { follower, reader in
            try reader.close()
            _ = try await follower.take(answer([1], total: 5))
            #expect(await follower.isComplete)
            #expect(await follower.request.hasPrefix("files 1 0 "))
        }
    }

    @Test func aBacklogOfGigabytesIsSkippedToTheBeginningOfALine() async throws {
        let gaps = Mailbox<OutputFollower.Gap>()
        try await withFollower(limits: .init(onTerminal: 1 << 40, elsewhere: 1000, tail: 100)) {
            gaps.post($0)
        } _: { follower, reader in
            await follower.expectBacklog()
            // What is there at the first look is all new to whoever redirected it.
            _ = try await follower.take(answer(Array("one\n".utf8), total: 5000))
            #expect(await follower.request.hasPrefix("files 4 "))
            await follower.expectBacklog()
            #expect(try await follower.take(answer(Array("two\n".utf8), total: 6000)))
            #expect(await follower.request.hasPrefix("files 5900 "))
            #expect(await !follower.isComplete)
            _ = try await follower.take(answer(Array("ore\nlast\n".utf8), total: 6000))
            #expect(try await gaps.take() == OutputFollower.Gap(file: "slurm.out", range: 4..<5904))
            #expect(await follower.request.hasPrefix("files 5909 "))
            // Only once: what comes while somebody looks is shown, however much it is.
            _ = try await follower.take(answer(Array("more\n".utf8), total: 1_000_000))
            #expect(await follower.request.hasPrefix("files 5914 "))
            let received = try await onThread { try reader.read(upToCount: 14) }
            #expect(received.map { String(decoding: $0, as: UTF8.self) } == "one\nlast\nmore\n")
        }
    }
}
