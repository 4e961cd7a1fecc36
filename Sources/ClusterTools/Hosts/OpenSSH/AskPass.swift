import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The program that ssh starts to ask something (SSH_ASKPASS): this one again. It hands the question to the process that has
/// started ssh, over a socket, and prints the answer for ssh.
///
/// The question goes as the hint, a NUL and the prompt, up to the end of the stream; the answer comes as a 1 and the text. No
/// byte at all says that there is no answer.
public enum AskPass {
    /// Holds the socket's path, and tells a process that it was started to ask.
    static let variable = "CLUSTER_TOOLS_ASKPASS"
    static let isAnswer: UInt8 = 1

    /// Asks, when ssh has started this process for that.
    ///
    /// - Returns: the status to exit with; nil when the process is here for something else.
    public static func run() async -> Int32? {
        guard let socket = getenv(variable).map({ String(cString: $0) }) else { return nil }
        let prompt = CommandLine.arguments.dropFirst().joined(separator: " ")
        let hint = getenv("SSH_ASKPASS_PROMPT").map { String(cString: $0) } ?? ""
        do {
            let loop = try PollLoop()
            return try await withConnection(toSocketAt: socket, loop: loop) { connection in
                try await connection.write(Array("\(hint)\0\(prompt)".utf8))
                await connection.finishWriting()
                let reply = try await connection.readToEnd()
                guard reply.first == isAnswer else { return 1 }
                var answer = Array(reply.dropFirst()) + [UInt8(ascii: "\n")]
                // A pipe that is empty: all of it fits at once.
                let written = write(STDOUT_FILENO, &answer, answer.count)
                return written == answer.count ? 0 : 1
            }
        } catch {
            // ssh goes on as without an answer, and its other end knows better why there is none.
            return 1
        }
    }

    /// What makes an ssh ask this way.
    static func environment(socket: String, inherited: [String: String]) -> [String: String] {
        var environment = inherited
        environment["SSH_ASKPASS"] = executable
        environment["SSH_ASKPASS_REQUIRE"] = "force"
        // Before OpenSSH 8.4 this decided, together with there being no terminal.
        if environment["DISPLAY"]?.isEmpty ?? true { environment["DISPLAY"] = ":0" }
        environment[variable] = socket
        return environment
    }

    /// The running program's own file.
    private static var executable: String {
        #if canImport(Darwin)
            var size: UInt32 = 0
            _ = _NSGetExecutablePath(nil, &size)
            var path = [CChar](repeating: 0, count: Int(size))
            return _NSGetExecutablePath(&path, &size) == 0 ? String(cString: path) : CommandLine.arguments[0]
        #else
            // Not what the link says: this one leads to it even when it has been replaced since.
            return "/proc/\(getpid())/exe"
        #endif
    }
}

