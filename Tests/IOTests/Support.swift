import IO
import Testing

/// A deadline for what a test awaits, so that a hang is a failure of that test.
func within<Value: Sendable>(
    _ seconds: Int = 10, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withTimeout(.seconds(seconds), or: TestTimeout(), body)
}

struct TestTimeout: Error {}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
