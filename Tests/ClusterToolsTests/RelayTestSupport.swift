import Foundation
import IO
import Testing

/// A child process whose number is known, so that it can get signals.
struct Child: ByteStream {
    private let process: any RunningProcess
    let identifier: Int32

    /// Runs a command on two pipes while `body` does. Its standard error goes to a file, or is dropped.
    static func with<R>(
        _ command: [String], directory: URL? = nil, errorFile: URL? = nil, _ body: (Child) async throws -> R
    ) async throws -> R {
        let script = #"echo $$; exec "$@" 2>"$0""#
        let arguments = ["-c", script, errorFile?.path ?? "/dev/null", "env"] + command
        return try await withChildProcess("sh", arguments, directory: directory?.path, loop: PollLoop()) { process in
            let identifier = try #require(Int32(try await process.line()))
            return try await body(Child(process: process, identifier: identifier))
        }
    }

    func send(signal: Int32) {
        _ = kill(identifier, signal)
    }

    /// How it ended.
    ///
    /// - Throws: when it has not by the limit.
    func exitStatus(within limit: Duration = .seconds(20)) async throws -> IO.ExitStatus {
        try await withTimeout(limit, or: IOError(.timedOut, "the child does not end")) {
            try await process.exitStatus()
        }
    }

    /// Its resident memory, in bytes.
    func residentMemory() async throws -> Int {
        let text = try await Child.output(of: ["ps", "-o", "rss=", "-p", String(identifier)])
        return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines))) * 1024
    }

    static func output(of command: [String]) async throws -> String {
        try await with(command) { String(decoding: try await $0.readToEnd(limit: 1 << 24), as: UTF8.self) }
    }

    func read(upTo limit: Int) async throws -> [UInt8] { try await process.read(upTo: limit) }
    func write(_ bytes: [UInt8]) async throws { try await process.write(bytes) }
    func finishWriting() async throws { try await process.finishWriting() }
}

extension ByteStream {
    /// The next line, without its end.
    func line() async throws -> String {
        var line: [UInt8] = []
        while case let byte = try await read(upTo: 1), !byte.isEmpty, byte != [UInt8(ascii: "\n")] { line += byte }
        return String(decoding: line, as: UTF8.self)
    }
}

/// Waits until `condition` holds.
///
/// - Throws: an error that names the place, after the limit.
func eventually(
    within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "not within \(limit)", sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// The file that runs on the worker, as it is in the repository.
func template(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../templates/\(name)").standardized.path
}

func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(path: "relay-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer {
        do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
    }
    return try await body(folder)
}

/// Bytes that differ from place to place and from seed to seed, the same every time: a long random word, repeated, that
/// each seed begins elsewhere. Its length is a prime, so that it shares no period with any buffer.
struct PatternBytes {
    private static let word: [UInt8] = {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        return (0..<65_521).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }()

    private var position: Int

    init(seed: Int) {
        position = seed * 7919 % Self.word.count
    }

    mutating func next(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let piece = Self.word[position...].prefix(count - bytes.count)
            bytes += piece
            position = piece.endIndex % Self.word.count
        }
        return bytes
    }
}
