public import IO

/// This machine, without ssh.
public struct LocalHost: Host {
    public let name = "this machine"
    private let loop: PollLoop

    public init(loop: PollLoop) { self.loop = loop }

    public func withProcess<R: Sendable>(
        _ command: String, _ body: (any RunningProcess) async throws -> R
    ) async throws -> R {
        // A session of its own: Ctrl-C in the terminal is ours to handle, not the child's to die of.
        try await withChildProcess("/bin/sh", ["-c", command], newSession: true, loop: loop, body)
    }

    public func withTerminal<R: Sendable>(
        _ terminal: TerminalRequest, running command: String, _ body: (any TerminalProcess) async throws -> R
    ) async throws -> R {
        try await withChildProcess("/bin/sh", ["-c", command], on: terminal, loop: loop, body)
    }

    public func withStream<R: Sendable>(
        toPort port: UInt16, _ body: (any ByteStream) async throws -> R
    ) async throws -> R {
        try await withConnection(toHost: "127.0.0.1", port: port, timeout: .seconds(5), loop: loop, body)
    }

    public func loss() async throws -> any Error {
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    public func withHop<R: Sendable>(to worker: Worker, _ body: (any Host) async throws -> R) async throws -> R {
        throw NoWayThrough(description: "jobs on this machine need no way to a worker")
    }
}
