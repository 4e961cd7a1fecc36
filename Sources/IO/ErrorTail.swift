internal import Synchronization

/// The last part of what a process wrote to its standard error.
public final class ErrorTail: Sendable {
    private static let limit = 4096
    private let bytes = Mutex<[UInt8]>([])
    private let hasEnded = Mutex(false)
    private let end = Condition()

    /// Without line breaks at its ends.
    public var text: String {
        let text = String(decoding: bytes.withLock { $0 }, as: UTF8.self)
        return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// Waits until nothing more can come: what a process wrote last may arrive after its exit status.
    public func waitForEnd() async throws {
        while true {
            let generation = end.generation
            if hasEnded.withLock({ $0 }) { return }
            try await end.wait(after: generation)
        }
    }

    fileprivate func finish() {
        hasEnded.withLock { $0 = true }
        end.signal()
    }

    fileprivate func append(_ more: [UInt8]) {
        bytes.withLock {
            $0 += more
            if $0.count > Self.limit { $0.removeFirst($0.count - Self.limit) }
        }
    }
}

/// Drains a process's standard error while `body` runs, as somebody must, and keeps the end of it.
public func withErrorTail<R: Sendable>(
    of process: any RunningProcess, _ body: (ErrorTail) async throws -> R
) async throws -> R {
    let tail = ErrorTail()
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { tail.finish() }
            while case let bytes = try await process.readError(upTo: 1 << 14), !bytes.isEmpty { tail.append(bytes) }
        }
        defer { group.cancelAll() }
        return try await body(tail)
    }
}
