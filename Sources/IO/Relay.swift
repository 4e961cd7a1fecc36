/// Connects two streams: what one gives, the other gets, in both directions at once, until both have ended.
///
/// The end of one direction is passed on as a half-close, while the other flows on. Nothing is read before what was read
/// earlier has been accepted, so a slow receiver slows its sender. When one direction fails, the other is cancelled and
/// the failure thrown.
public func relay(_ a: any ByteStream, _ b: any ByteStream) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await copy(from: a, to: b) }
        group.addTask { try await copy(from: b, to: a) }
        // Not waitForAll(), which would wait for the other direction before it throws.
        for try await _ in group {}
    }
}

/// Sends all that `source` has left to `target`, and then its end.
public func copy(from source: any ByteStream, to target: any ByteStream) async throws {
    while case let bytes = try await source.read(upTo: 1 << 17), !bytes.isEmpty {
        try await target.write(bytes)
    }
    try await target.finishWriting()
}
