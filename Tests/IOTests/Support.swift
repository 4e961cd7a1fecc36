import IO
import Testing

/// A deadline for what a test awaits, so that a hang is a failure of that test.
func within<Value: Sendable>(
    _ seconds: Int = 10, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withTimeout(.seconds(seconds), or: TestTimeout(), body)
}

struct TestTimeout: Error {}

/// What a task gives. The task is cancelled with whoever waits for it, so that a deadline ends both.
func value<Value: Sendable>(of task: Task<Value, any Error>) async throws -> Value {
    try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
