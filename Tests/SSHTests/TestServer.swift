import Foundation
import IO
import SSH
import Testing

/// A private sshd on a port of its own, with keys of its own, as whoever runs the tests.
struct TestServer: Sendable {
    /// Holds everything; `key` and `host` are key files in it.
    let folder: String
    let port: UInt16
    let loop: PollLoop

    /// Starts one, hands it to `body`, ends it and removes its folder.
    ///
    /// - Parameters:
    ///   - configuration: Lines for sshd_config; the first mention of an option counts.
    ///   - environment: What sshd gets beside our own variables, made from its folder.
    static func with<R>(
        _ configuration: [String] = [], environment: (String) throws -> [String: String] = { _ in [:] },
        _ body: (TestServer) async throws -> R
    ) async throws -> R {
        try await withTemporaryFolder { folder in
            let loop = try PollLoop()
            try await generateKey("\(folder)/host", loop: loop)
            try await generateKey("\(folder)/key", loop: loop)
            try copyFile("\(folder)/key.pub", to: "\(folder)/authorized_keys")
            // sshd started by root insists on this folder.
            if getuid() == 0 {
                try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
            }
            let port = try await withListener(preferredPort: nil, loop: loop) { $0.port }
            let lines =
                configuration + [
                    "Port \(port)", "ListenAddress 127.0.0.1", "HostKey \(folder)/host", "PidFile none", "UsePAM no",
                    "StrictModes no", "AuthorizedKeysFile \(folder)/authorized_keys", "PermitRootLogin yes",
                    "PasswordAuthentication no", "KbdInteractiveAuthentication no", "MaxSessions 200",
                    "MaxStartups 100",
                    "LogLevel DEBUG1",
                ]
            try write(lines.joined(separator: "\n") + "\n", to: "\(folder)/sshd_config")
            let arguments = ["-D", "-f", "\(folder)/sshd_config", "-E", "\(folder)/log"]
            let variables = ProcessInfo.processInfo.environment.merging(try environment(folder)) { $1 }
            return try await withChildProcess("/usr/sbin/sshd", arguments, environment: variables, loop: loop) { _ in
                let server = TestServer(folder: folder, port: port, loop: loop)
                try await server.waitUntilUp()
                return try await body(server)
            }
        }
    }

    private func waitUntilUp() async throws {
        for _ in 0..<200 {
            do {
                return try await withConnection(toHost: "127.0.0.1", port: port, timeout: .seconds(1), loop: loop) {
                    _ in
                }
            } catch {
                try await Task.sleep(for: .milliseconds(25))
            }
        }
        throw TestFailure("sshd did not start: \(log)")
    }

    var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "no log" }

    var endpoint: Endpoint { Endpoint(host: "127.0.0.1", port: port, user: NSUserName()) }

    var hostKey: HostKey {
        get throws { try publicKey("\(folder)/host.pub") }
    }

    /// With the server's own key, and no prompt.
    func login(
        keys: [String]? = nil, agentSocket: String? = nil, prompter: any LoginPrompter = Prompter(),
        hostKeys: HostKeyPolicy? = nil, allowsPassword: Bool = false, silenceLimit: Duration = .seconds(15)
    ) throws -> Login {
        Login(
            identityFiles: keys ?? ["\(folder)/key"], agentSocket: agentSocket,
            methods: allowsPassword ? AuthenticationMethod.allCases : [.publicKey],
            hostKeys: try hostKeys ?? .exactly([hostKey]), prompter: prompter,
            connectTimeout: .seconds(10), silenceLimit: silenceLimit)
    }

    func withSession<R: Sendable>(
        _ login: Login? = nil, _ body: (Session) async throws -> R
    ) async throws -> R {
        try await Session.withSession(to: endpoint, login: try login ?? self.login(), loop: loop, body)
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Answers as told, and notes what it was asked.
actor Prompter: LoginPrompter {
    private var answers: [String]
    private let accepts: Bool
    private(set) var prompts: [String] = []
    private(set) var questions: [HostKeyQuestion] = []
    private(set) var notices: [String] = []

    init(answers: [String] = [], accepts: Bool = false) {
        self.answers = answers
        self.accepts = accepts
    }

    func confirm(_ question: HostKeyQuestion) -> Bool {
        questions.append(question)
        return accepts
    }

    func answer(_ prompt: String, echo: Bool) throws -> String {
        prompts.append(prompt)
        guard !answers.isEmpty else { throw TestFailure("asked too often: \(prompts)") }
        return answers.removeFirst()
    }

    func show(_ notice: String) { notices.append(notice) }
}

/// Nobody is there.
struct AbsentPrompter: LoginPrompter {
    func confirm(_ question: HostKeyQuestion) throws -> Bool { throw NobodyToAsk("nobody is here") }
    func answer(_ prompt: String, echo: Bool) throws -> String { throw NobodyToAsk("it asks \(prompt)") }
}

/// A deadline for what a test awaits, so that a hang is a failure of that test.
func within<Value: Sendable>(
    _ seconds: Int = 20, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withTimeout(.seconds(seconds), or: TestFailure("no end within \(seconds) s"), body)
}

/// As `#expect(value == expected)`, which does not compile around `try await` in every closure.
func expect<Value: Equatable>(_ value: Value, is expected: Value, at place: SourceLocation = #_sourceLocation) {
    #expect(value == expected, sourceLocation: place)
}

/// What a task gives. The task is cancelled with whoever waits for it, so that a deadline ends both.
func value<Value: Sendable>(of task: Task<Value, any Error>) async throws -> Value {
    try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
}

func copyFile(_ path: String, to target: String) throws {
    try FileManager.default.copyItem(atPath: path, toPath: target)
}

func publicKey(_ path: String) throws -> HostKey {
    try #require(HostKey(line: try String(contentsOfFile: path, encoding: .utf8)))
}

/// A folder only we can enter, with a path short enough for sockets.
func withTemporaryFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let template = Array("/tmp/ssh-test-XXXXXX".utf8CString)
    let path = try template.withUnsafeBufferPointer { buffer in
        var copy = Array(buffer)
        guard mkdtemp(&copy) != nil else { throw TestFailure("no temporary folder") }
        return String(decoding: copy.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    let outcome: Result<R, any Error>
    do { outcome = .success(try await body(path)) } catch { outcome = .failure(error) }
    // A server's last processes may still write to their log.
    for attempt in 1... {
        do {
            try FileManager.default.removeItem(atPath: path)
            break
        } catch  where attempt < 40 {
            try? await Task.sleep(for: .milliseconds(50))
        }
    }
    return try outcome.get()
}

/// Runs a program to its end, and throws unless it succeeds.
@discardableResult
func run(
    _ program: String, _ arguments: [String], environment: [String: String]? = nil, loop: PollLoop
) async throws -> String {
    try await withChildProcess(program, arguments, environment: environment, loop: loop) { child in
        try await child.finishWriting()
        let output = try await child.readToEnd()
        let status = try await child.exitStatus()
        guard status.isSuccess else {
            let errors = try await child.readError(upTo: 4096)
            throw TestFailure("\(program) \(arguments): \(status): \(text(output)) \(text(errors))")
        }
        return text(output)
    }
}

func generateKey(
    _ path: String, type: String = "ed25519", passphrase: String = "", options: [String] = [], loop: PollLoop
) async throws {
    try await run("ssh-keygen", ["-q", "-t", type, "-f", path, "-N", passphrase, "-C", "test"] + options, loop: loop)
}

extension Session {
    /// Runs a command to its end.
    nonisolated func run(_ command: String, input: [UInt8] = []) async throws -> (output: String, status: IO.ExitStatus)
    {
        try await withProcess(command) { process in
            try await process.write(input)
            try await process.finishWriting()
            let output = text(try await process.readToEnd(limit: 1 << 26))
            return (output, try await process.exitStatus())
        }
    }
}
