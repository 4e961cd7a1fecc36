import Foundation
import IO

/// A program to start, in a session of its own: the terminal's Ctrl-C does not reach it, its end does.
struct Command: Sendable {
    let laboratory: Laboratory
    /// A path, or found in the laboratory's PATH.
    var program: String
    var arguments: [String]
    var directory: String
    var input: [UInt8] = []
    /// Over the laboratory's.
    var variables: [String: String] = [:]

    /// What a finished program left.
    struct Finished: Sendable {
        let status: ExitStatus
        let output: String
        let errors: String
        /// From its start to its end, in seconds.
        let seconds: Double
    }

    /// Runs it to its end.
    ///
    /// - Throws: ``BenchmarkError`` when it takes longer than `limit`, and has been ended, or fails, with what it wrote.
    @discardableResult
    func run(within limit: Duration = .seconds(120)) async throws -> Finished {
        let finished = try await finish(within: limit)
        guard finished.status.isSuccess else {
            throw BenchmarkError("\(words) failed (\(finished.status)): \(finished.errors)\(finished.output)")
        }
        return finished
    }

    /// As ``run(within:)``, whatever its exit status is.
    func finish(within limit: Duration = .seconds(120)) async throws -> Finished {
        let start = ContinuousClock.now
        return try await with(limit) { process in
            async let output = process.readToEnd(limit: 1 << 24)
            async let errors = readErrors(of: process)
            try await feed(process)
            let texts = (String(decoding: try await output, as: UTF8.self), try await errors)
            let status = try await process.exitStatus()
            return Finished(
                status: status, output: texts.0, errors: texts.1, seconds: (ContinuousClock.now - start) / .seconds(1))
        }
    }

    /// Starts it, and hands its lines of standard error to `body` as they come. It ends with `body`.
    ///
    /// - Parameter limit: for all of it.
    func watch<Result: Sendable>(
        within limit: Duration = .seconds(120), _ body: @escaping @Sendable (LineReader) async throws -> Result
    ) async throws -> Result {
        try await with(limit) { process in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { while case let bytes = try await process.read(upTo: 1 << 18), !bytes.isEmpty {} }
                defer { group.cancelAll() }
                try await feed(process)
                return try await body(LineReader(name: words) { try await process.readError(upTo: 1 << 16) })
            }
        }
    }

    /// Starts it, and hands it to `body`, which drains its streams. It ends with `body`.
    func with<Result: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable (any RunningProcess) async throws -> Result
    ) async throws -> Result {
        let environment = laboratory.environment.merging(variables) { $1 }
        return try await withTimeout(
            limit, or: BenchmarkError("\(words) took longer than \(limit.components.seconds) s")
        ) {
            // The program is looked up in our own PATH otherwise.
            try await withChildProcess(
                "/usr/bin/env", [program] + arguments, environment: environment, directory: directory,
                newSession: true, loop: laboratory.loop, body)
        }
    }

    private var words: String { ([program] + arguments).joined(separator: " ") }

    private func feed(_ process: any RunningProcess) async throws {
        if !input.isEmpty { try await process.write(input) }
        try await process.finishWriting()
    }

    private func readErrors(of process: any RunningProcess) async throws -> String {
        var bytes: [UInt8] = []
        while case let more = try await process.readError(upTo: 1 << 16), !more.isEmpty {
            bytes += more.prefix(max(0, 1 << 20 - bytes.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The lines of a stream, one after the other.
actor LineReader {
    private let name: String
    private let read: @Sendable () async throws -> [UInt8]
    private var pending: [UInt8] = []
    private var seen = ""

    init(name: String, read: @escaping @Sendable () async throws -> [UInt8]) {
        self.name = name
        self.read = read
    }

    /// The next line, without its end; nil at the end of the stream.
    func next() async throws -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                seen = String((seen + line + "\n").suffix(4000))
                return line
            }
            let more = try await read()
            if more.isEmpty { return nil }
            pending += more
        }
    }

    /// Passes over lines until one that `transform` gives something for.
    ///
    /// - Throws: ``BenchmarkError`` with the last lines when the stream ends before.
    func first<Result: Sendable>(_ transform: @Sendable (String) -> Result?) async throws -> Result {
        while let line = try await next() {
            if let result = transform(line) { return result }
        }
        throw BenchmarkError("\(name) ended too early, having said:\n\(seen)")
    }

    /// Passes over lines until the event of that name, as `submit --json` writes them.
    ///
    /// - Returns: its fields that are strings or numbers, as text.
    func event(_ name: String) async throws -> [String: String] {
        try await first { line in
            // Lines that are no JSON are the job's own.
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                object["event"] as? String == name
            else { return nil }
            return object.mapValues { "\($0)" }
        }
    }
}
