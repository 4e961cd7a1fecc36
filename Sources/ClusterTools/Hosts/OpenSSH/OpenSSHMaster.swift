import IO
import SSH

/// An ssh of the user's that is logged in and opens channels: one process, whatever goes over it.
///
/// It lives in ``with(_:prompter:environment:loop:_:)`` and ends with it; when this process is killed it ends by itself.
final class OpenSSHMaster: Sendable {
    /// Opens the channels.
    let control: ControlMaster
    /// The path of its control socket.
    let socket: String

    private let host: String
    private let process: any RunningProcess
    private let words = Beacon(Words())

    /// What ssh has said.
    private struct Words {
        var bytes: [UInt8] = []
        var isComplete = false

        static let limit = 4096

        var text: String {
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            return lines.filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: "\n")
        }
    }

    /// How long nothing may happen during a login while ssh asks nobody: more than a person takes who confirms it on a phone.
    private static let loginLimit: Duration = .seconds(180)

    /// Runs ssh, with the folder and its words as arguments, until it ends or standard input does; then the folder goes too.
    ///
    /// Standard input is a pipe of ours: it ends when this process does, in whatever way, and then nothing is to be left. An ssh
    /// that asks something ends then by itself, perhaps before the guardian has heard of it: so the folder goes in both places.
    private static let guardian = """
        folder=$1
        shift
        exec 3<&0 </dev/null
        "$@" 3<&- &
        ssh=$!
        { read -r _ <&3; trap '' TERM; kill "$ssh"; rm -rf -- "$folder"; } >/dev/null 2>&1 &
        guardian=$!
        exec 3<&-
        wait "$ssh"
        status=$?
        kill "$guardian"
        rm -rf -- "$folder"
        exit "$status"
        """

    private init(_ process: any RunningProcess, host: String, socket: String, loop: PollLoop) {
        self.process = process
        self.host = host
        self.socket = socket
        control = ControlMaster(socket: socket, host: host, loop: loop)
    }

    /// Logs in and lends the logged-in ssh to `body`.
    ///
    /// - Throws: ``SSHError`` or ``Failure`` when the login fails; what the prompter throws; what `body` throws.
    static func with<R: Sendable>(
        _ login: OpenSSHLogin, prompter: any LoginPrompter, environment: [String: String], loop: PollLoop,
        _ body: (OpenSSHMaster) async throws -> R
    ) async throws -> R {
        try await withPrivateFolder(environment: environment) { folder in
            for file in login.files() { try writePrivateFile("\(folder)/\(file.name)", file.text) }
            let questions = "\(folder)/ask"
            return try await withSocketListener(at: questions, loop: loop) { listener in
                let words = ["-c", guardian, "sh", folder] + login.words(folder: folder)
                let environment = AskPass.environment(socket: questions, inherited: environment)
                // A session of its own: Ctrl-C is ours to handle, and without a terminal no ssh can ask past us.
                return try await withChildProcess(
                    "/bin/sh", words, environment: environment, newSession: true, loop: loop
                ) { process in
                    let master = OpenSSHMaster(
                        process, host: login.hop?.worker.host ?? login.destination,
                        socket: "\(folder)/\(OpenSSHLogin.control)", loop: loop)
                    return try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { await master.listen() }
                        defer { group.cancelAll() }
                        try await master.logIn(OpenSSHQuestions(of: login, prompter: prompter), listener)
                        return try await body(master)
                    }
                }
            }
        }
    }

    /// Waits until ssh has ended, and says why.
    func loss() async throws -> SSHError {
        let complaint = try await complaint()
        let reason = complaint.words.isEmpty ? "ssh ended (\(complaint.status))" : complaint.words
        return SSHError(.linkLost, "the connection to \(host) is lost: \(reason)")
    }

    // MARK: The login

    private func logIn(_ questions: OpenSSHQuestions, _ listener: SocketListener) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await self.awaitGreeting() } catch { throw questions.refusal ?? error }
            }
            group.addTask { try await questions.serve(listener) }
            group.addTask {
                while case let idle = questions.idle, idle < Self.loginLimit {
                    try await Task.sleep(for: Self.loginLimit - idle)
                }
                throw SSHError(.connectFailed, "no login within \(Self.loginLimit.components.seconds) s")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
        // What was said on the way in explains no later loss.
        words.change { $0.bytes = [] }
    }

    private func awaitGreeting() async throws {
        let greeting = Array((OpenSSHLogin.greeting + "\n").utf8)
        var said: [UInt8] = []
        while said != greeting {
            let more = try await process.read(upTo: greeting.count)
            guard !more.isEmpty else { throw try await complaint().error(host: host) }
            said = (said + more).suffix(greeting.count)
        }
    }

    // MARK: The end

    private func complaint() async throws -> OpenSSHComplaint {
        let status = try await process.exitStatus()
        // A program that ssh has started may keep its standard error open.
        do {
            try await withTimeout(.seconds(1), or: IOError(.timedOut, "ssh's standard error does not end")) {
                try await self.words.first { $0.isComplete ? () : nil }
            }
        } catch is IOError {
            // What it has said so far will do.
        }
        return OpenSSHComplaint(status: status, words: words.value.text)
    }

    /// Takes down what ssh says.
    private func listen() async {
        do {
            while case let bytes = try await process.readError(upTo: 1 << 12), !bytes.isEmpty {
                words.change { $0.bytes = ($0.bytes + bytes).suffix(Words.limit) }
            }
        } catch {
            // Cancelled, or unreadable: then that is all there is.
        }
        words.change { $0.isComplete = true }
    }
}
