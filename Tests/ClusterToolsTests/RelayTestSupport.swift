import Foundation
import IO
import Synchronization
import Testing

/// What the tests of the relay and of TensorBoard start: a child process on two pipes, for as long as a scope.
///
/// Its standard error goes to the tests' own, or into `errorFile`.
final class PipedProcess: ByteStream, Sendable {
    private let process: Mutex<Process>
    private let input: Int32
    private let output: Int32
    private let inputIsOpen = Mutex(true)
    let identifier: Int32

    private init(_ process: sending Process, input: Int32, output: Int32) {
        identifier = process.processIdentifier
        self.input = input
        self.output = output
        self.process = Mutex(process)
    }

    static func with<R>(
        _ arguments: [String], environment: [String: String]? = nil, directory: URL? = nil, errorFile: URL? = nil,
        _ body: (PipedProcess) async throws -> R
    ) async throws -> R {
        let input = Pipe()
        let output = Pipe()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = environment ?? ProcessInfo.processInfo.environment
        process.currentDirectoryURL = directory
        process.standardInput = input
        process.standardOutput = output
        if let errorFile {
            _ = FileManager.default.createFile(atPath: errorFile.path, contents: nil)
            process.standardError = try FileHandle(forWritingTo: errorFile)
        }
        let inputEnd = dup(input.fileHandleForWriting.fileDescriptor)
        let outputEnd = dup(output.fileHandleForReading.fileDescriptor)
        for descriptor in [inputEnd, outputEnd] {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        }
        _ = signal(SIGPIPE, SIG_IGN)
        try process.run()
        // What Foundation holds of our ends goes when these handles do.
        try input.fileHandleForWriting.close()
        try output.fileHandleForReading.close()
        let child = PipedProcess(process, input: inputEnd, output: outputEnd)
        defer { close(outputEnd) }
        do {
            let result = try await body(child)
            await child.end()
            return result
        } catch {
            await child.end()
            throw error
        }
    }

    /// Closes its input, and kills it unless it ends within two seconds.
    private func end() async {
        closeInput()
        if await exitCode(within: .seconds(2)) == nil {
            kill(SIGKILL)
            process.withLock { $0.waitUntilExit() }
        }
    }

    func kill(_ signal: Int32) {
        process.withLock { if $0.isRunning { _ = Foundation.kill(identifier, signal) } }
    }

    /// The exit status (for a signal: 128 and its number), or nil when it has not ended by then.
    func exitCode(within limit: Duration = .seconds(10)) async -> Int32? {
        let deadline = ContinuousClock.now + limit
        while process.withLock({ $0.isRunning }) {
            guard ContinuousClock.now < deadline else { return nil }
            do { try await Task.sleep(for: .milliseconds(10)) } catch { return nil }
        }
        return process.withLock { $0.terminationStatus + ($0.terminationReason == .uncaughtSignal ? 128 : 0) }
    }

    /// Its resident memory, in bytes.
    func residentMemory() async throws -> Int {
        try await PipedProcess.with(["ps", "-o", "rss=", "-p", String(identifier)]) { ps in
            let text = String(decoding: try await ps.readToEnd(), as: UTF8.self)
            return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines))) * 1024
        }
    }

    func read(upTo limit: Int) async throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = Foundation.read(output, &buffer, limit)
            if count >= 0 { return Array(buffer.prefix(count)) }
            try await retry(errno)
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(input, $0.baseAddress, $0.count) }
            if count >= 0 { rest = rest.dropFirst(count) } else { try await retry(errno) }
        }
    }

    func finishWriting() async throws {
        closeInput()
    }

    private func closeInput() {
        inputIsOpen.withLock { isOpen in
            if isOpen { close(input) }
            isOpen = false
        }
    }

    private func retry(_ code: Int32) async throws {
        guard code == EAGAIN || code == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        try await Task.sleep(for: .milliseconds(1))
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
