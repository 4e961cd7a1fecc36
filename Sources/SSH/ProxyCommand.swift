internal import IO

/// A shell command that connects to a host: what it reads is sent there, what it writes came from there.
public struct ProxyCommand: Sendable {
    /// As for a shell, with nothing left to expand but the shell's own.
    public var text: String
    /// The user's shell, which runs it.
    public var shell: String
    public var environment: [String: String]

    public init(_ text: String, shell: String, environment: [String: String]) {
        self.text = text
        self.shell = shell
        self.environment = environment
    }

    /// Runs it while `body` talks through it.
    ///
    /// It has no terminal: Ctrl-C must not end it, and a question of its own would be mixed with ours.
    ///
    /// - Throws: what `body` throws; when the connection was of no use from the start, with what the command said.
    func withStream<R: Sendable>(
        to endpoint: Endpoint, loop: PollLoop, _ body: (any ByteStream) async throws -> R
    ) async throws -> R {
        try await withChildProcess(
            shell, ["-c", "exec " + text], environment: environment, newSession: true, loop: loop
        ) { process in
            try await withErrorTail(of: process) { errors in
                do {
                    return try await body(process)
                } catch let error as SSHError where [.connectFailed, .linkLost].contains(error.code) {
                    guard let reason = await reason(of: process, errors) else { throw error }
                    throw SSHError(
                        error.code, "the ProxyCommand of \(endpoint.name) (\(text)) \(reason)", cause: error)
                }
            }
        }
    }

    /// How the command ended, and its last words; nil when it has not ended.
    private func reason(of process: any RunningProcess, _ errors: ErrorTail) async -> String? {
        let status: ExitStatus
        do {
            status = try await withTimeout(.seconds(1), or: CancellationError()) {
                let status = try await process.exitStatus()
                try await errors.waitForEnd()
                return status
            }
        } catch {
            return nil
        }
        let ending =
            switch status {
            case .exited(let code): "ended with status \(code)"
            case .signaled(let name): "was ended by SIG\(name)"
            case .unknown: "ended"
            }
        return errors.text.isEmpty ? ending : "\(ending): \(errors.text)"
    }
}
