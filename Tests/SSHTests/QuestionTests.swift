import Foundation
import IO
import Testing

@testable import SSH

/// Passwords and questions need PAM, and PAM with a configuration of our own needs Debian's libpam-wrapper.
private let wrapper = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
    .map { "\($0)/libpam_wrapper.so" }.first { FileManager.default.fileExists(atPath: $0) }

@Suite(.serialized, .enabled(if: wrapper != nil, "libpam-wrapper is not installed: no PAM to ask questions"))
struct QuestionTests {
    /// A server whose PAM asks for a password, and then for a second one.
    private func withServer(_ configuration: [String], _ body: (TestServer) async throws -> Void) async throws {
        let library = try #require(wrapper)
        let modules = library.replacingOccurrences(of: "libpam_wrapper.so", with: "pam_wrapper")
        try await TestServer.with(
            ["UsePAM yes"] + configuration,
            environment: { folder in
                try FileManager.default.createDirectory(atPath: "\(folder)/pam", withIntermediateDirectories: false)
                for (file, word) in [("first", "right"), ("second", "123456")] {
                    try write("\(NSUserName()):\(word):sshd\n", to: "\(folder)/\(file)")
                }
                let matrix = "required \(modules)/pam_matrix.so"
                let service = """
                    auth \(matrix) passdb=\(folder)/first
                    auth \(matrix) passdb=\(folder)/second echo
                    account required pam_permit.so
                    session required pam_permit.so
                    """
                try write(service + "\n", to: "\(folder)/pam/sshd")
                return ["LD_PRELOAD": library, "PAM_WRAPPER": "1", "PAM_WRAPPER_SERVICE_DIR": "\(folder)/pam"]
            }, body)
    }

    private func logIn(_ server: TestServer, _ answers: [String], keys: [String] = []) async throws -> [String] {
        let prompter = Prompter(answers: answers)
        let login = try server.login(keys: keys, prompter: prompter, allowsPassword: true)
        try await within(30) {
            try await server.withSession(login) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
        }
        return await prompter.prompts
    }

    @Test func severalRoundsOfQuestions() async throws {
        try await withServer(["KbdInteractiveAuthentication yes"]) { server in
            let prompts = try await logIn(server, ["right", "123456"])
            #expect(prompts.count == 2)
            #expect(prompts.first?.contains("Password") == true)
        }
    }

    @Test func aMistakeMayBeMadeTwice() async throws {
        try await withServer(["KbdInteractiveAuthentication yes"]) { server in
            let prompts = try await logIn(server, ["wrong", "123456", "right", "0", "right", "123456"])
            #expect(prompts.count == 6)
        }
    }

    @Test func aKeyAndThenQuestions() async throws {
        let methods = "AuthenticationMethods publickey,keyboard-interactive"
        try await withServer(["KbdInteractiveAuthentication yes", methods]) { server in
            let prompts = try await logIn(server, ["right", "123456"], keys: ["\(server.folder)/key"])
            #expect(prompts.count == 2)
            // Without the answers, the message says what is missing.
            let login = try server.login()
            let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("accepted, but not enough") == true)
            #expect(error?.message.contains("the server accepts keyboard-interactive") == true)
        }
    }

    @Test(arguments: [["KbdInteractiveAuthentication yes"], ["PasswordAuthentication yes"]])
    func nobodyToAnswerIsSaidAndNoHang(configuration: [String]) async throws {
        try await withServer(configuration) { server in
            let login = try server.login(keys: [], prompter: AbsentPrompter(), allowsPassword: true)
            let error = await #expect(throws: SSHError.self) {
                try await within(20) { try await server.withSession(login) { _ in } }
            }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("(it asks Password") == true, "\(error?.message ?? "")")
            // In batch mode not even the prompter is asked.
            var batch = try server.login(keys: [], prompter: Prompter(), allowsPassword: true)
            batch.mayAsk = false
            let refusal = await #expect(throws: SSHError.self) { try await server.withSession(batch) { _ in } }
            #expect(refusal?.message.contains("BatchMode") == true)
        }
    }

    @Test func wrongAnswersFail() async throws {
        try await withServer(["KbdInteractiveAuthentication yes"]) { server in
            let answers = (0..<6).map { "wrong\($0)" }
            let error = await #expect(throws: SSHError.self) { _ = try await logIn(server, answers) }
            #expect(error?.code == .authenticationFailed)
        }
    }

    @Test func theUserMayTakeTimeAndGiveUp() async throws {
        try await withServer(["KbdInteractiveAuthentication yes"]) { server in
            let login = try server.login(keys: [], prompter: SlowPrompter(), allowsPassword: true)
            let task = Task { try await server.withSession(login) { _ in } }
            try await Task.sleep(for: .seconds(1))
            // Meanwhile the loop's thread is free.
            let port = try await within(2) { try await withListener(preferredPort: nil, loop: server.loop) { $0.port } }
            #expect(port > 0)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await within(60) { try await value(of: task) } }
        }
    }

    @Test func aPassword() async throws {
        try await withServer(["PasswordAuthentication yes"]) { server in
            // This method carries one answer only.
            let service = try String(contentsOfFile: "\(server.folder)/pam/sshd", encoding: .utf8)
            let lines = service.split(separator: "\n").filter { !$0.contains("echo") }
            try write(lines.joined(separator: "\n") + "\n", to: "\(server.folder)/pam/sshd")
            let prompts = try await logIn(server, ["wrong", "right"])
            #expect(prompts.count == 2)
            #expect(prompts.first == "Password for \(server.endpoint.description): ")
        }
    }
}

private struct SlowPrompter: LoginPrompter {
    func confirm(_ question: HostKeyQuestion) async throws -> Bool { false }
    func answer(_ prompt: String, echo: Bool) async throws -> String {
        try await Task.sleep(for: .seconds(60))
        return ""
    }
}
