import Foundation
import Testing

/// How the user proves who they are: keys, agents, passphrases, questions.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(2)))
struct LoginTests {
    /// Lends a server that the alias `fir` leads to, whose host key is known.
    private func withFir(
        _ configuration: [String] = [], questions: [SSHServer.Question] = [], client: [String] = [],
        _ body: @Sendable (Repository, SSHServer) async throws -> Void
    ) async throws {
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk, configuration, questions: questions) { server in
                try desk.writeSSH("known_hosts", try server.knownHost())
                let lines = ["HostName 127.0.0.1", "Port \(server.port)"] + client
                try desk.writeSSH("config", "Host fir\n" + lines.map { "    \($0)\n" }.joined())
                try await body(repository, server)
            }
        }
    }

    // MARK: Keys

    @Test func theAgentsRSAKeyWillDo() async throws {
        try await withFir(client: ["IdentityFile ~/.ssh/cluster.pub", "IdentitiesOnly yes"]) { repository, server in
            let desk = repository.desk
            let key = try await desk.makeSSHKey("cluster", type: "rsa")
            try server.authorize(key)
            var others: [String] = []
            for index in 1...7 { others.append(try await desk.makeSSHKey("other\(index)")) }
            try await desk.withAgent(holding: others + [key]) { agent in
                // Only the agent has it.
                try FileManager.default.removeItem(atPath: key)
                var launch = try repository.submission(to: "fir")
                launch.environment["SSH_AUTH_SOCK"] = agent
                expectIn(try await run(launch))
                // Named where the agent is, too.
                launch.environment["SSH_AUTH_SOCK"] = nil
                try desk.writeSSH("config", "    IdentityAgent \(agent)\n", adding: true)
                expectIn(try await run(launch))
                // All its keys are more than the server's six attempts, but one is named.
                try desk.writeSSH(
                    "config", try desk.readSSH("config").replacingOccurrences(of: "IdentitiesOnly yes", with: ""))
                expectIn(try await run(launch))
                try desk.writeSSH(
                    "config", try desk.readSSH("config").replacingOccurrences(of: "IdentityFile", with: "#"))
                // None is named, but one is remembered.
                expectIn(try await run(launch))
                try FileManager.default.removeItem(atPath: desk.home + "/.local/state/cluster-tools/logins")
                let finished = try await run(launch)
                #expect(finished.status == .exited(77))
                #expect(finished.errors.contains("Too many authentication failures"), "\(finished.errors)")
            }
        }
    }

    @Test func aPassphraseIsAskedForThreeTimesAndNeverShown() async throws {
        try await withFir { repository, server in
            let key = try await repository.desk.makeSSHKey("id_ed25519", passphrase: "open sesame")
            try server.authorize(key)
            let launch = try repository.submission(to: "fir")
            try await withTerminal(launch) { terminal in
                for number in 1...3 {
                    if number > 1 { try await terminal.expect("That was not it. ") }
                    try await terminal.expect("Passphrase for \(key): ")
                    await terminal.type("wrong\(number)\n")
                }
                try await terminal.expect("submit: error: cannot connect to fir")
                try await terminal.expect("three wrong passphrases")
                #expect(try await terminal.finish() == .exited(77))
                #expect(await !terminal.text().contains("wrong1"))
            }
            try await withTerminal(launch) { terminal in
                try await terminal.expect("Passphrase for \(key): ")
                await terminal.type("open sesame\n")
                #expect(try await terminal.finish() == .exited(0))
                let text = await terminal.text()
                #expect(text.contains("\nin\n"))
                #expect(!text.contains("sesame"))
                #expect(text.components(separatedBy: "Passphrase").count == 2)
            }
        }
    }

    @Test func withoutATerminalAPassphraseIsAnError() async throws {
        try await withFir { repository, server in
            let key = try await repository.desk.makeSSHKey("id_ed25519", passphrase: "open sesame")
            try server.authorize(key)
            let launch = try repository.submission(to: "fir")
            let finished = try await run(launch, within: .seconds(20))
            #expect(finished.status == .exited(77))
            #expect(
                finished.errors.contains(
                    "key \(key) (it is encrypted, and nobody is at a terminal to tell the passphrase)"),
                "\(finished.errors)")
            // Another key that the server takes is as good.
            try server.authorize(try await repository.desk.makeSSHKey("id_rsa", type: "rsa"))
            expectIn(try await run(launch))
        }
    }

    @Test func oneKeyForJumpHostAndTargetIsUnlockedOnce() async throws {
        try await withFir(client: ["ProxyJump gate", "IdentityFile ~/.ssh/mine"]) { repository, server in
            let desk = repository.desk
            let key = try await desk.makeSSHKey("mine", passphrase: "open sesame")
            try await withSSHServer(on: desk) { gate in
                for server in [gate, server] { try server.authorize(key) }
                try desk.writeSSH("known_hosts", try gate.knownHost(), adding: true)
                try desk.writeSSH(
                    "config", "Host gate\n  HostName 127.0.0.1\n  Port \(gate.port)\n  IdentityFile \(key)\n",
                    adding: true)
                try await withTerminal(try repository.submission(to: "fir")) { terminal in
                    try await terminal.expect("Passphrase for \(key): ")
                    await terminal.type("open sesame\n")
                    #expect(try await terminal.finish() == .exited(0))
                    #expect(await terminal.text().components(separatedBy: "Passphrase").count == 2)
                }
                #expect(try gate.logins == 1)
            }
        }
    }

    // MARK: What needs the user's own ssh

    @Test func aSecurityKeyIsRecognised() async throws {
        try await withFir(client: ["IdentityFile ~/.ssh/token"]) { repository, server in
            // The public part of a key that is on a token, as ssh-keygen writes it.
            let blob = Data(
                [0, 0, 0, 26] + Array("sk-ssh-ed25519@openssh.com".utf8) + [0, 0, 0, 32]
                    + [UInt8](repeating: 7, count: 32)
                    + [0, 0, 0, 4] + Array("ssh:".utf8))
            try repository.desk.writeSSH("token.pub", "sk-ssh-ed25519@openssh.com \(blob.base64EncodedString()) me\n")
            let finished = try await run(try repository.submission(to: "fir"))
            #expect(finished.status == .exited(77))
            #expect(
                finished.errors.contains("it is on a security key (sk-ssh-ed25519@openssh.com)"), "\(finished.errors)")
            #expect(finished.errors.contains("\"transport\": \"openssh\""))
        }
    }

    @Test func aCertificateIsRecognised() async throws {
        try await withFir(client: ["CertificateFile ~/.ssh/mine-cert.pub"]) { repository, _ in
            try await repository.desk.makeSSHKey("id_ed25519")
            let finished = try await run(try repository.submission(to: "fir"))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("CertificateFile"), "\(finished.errors)")
            #expect(finished.errors.contains("\"transport\": \"openssh\""))
        }
    }

    @Test func aServerWithNothingInCommonIsRecognised() async throws {
        // Still known to OpenSSH, and not asked for here.
        try await withFir(["Ciphers 3des-cbc"]) { repository, server in
            try server.authorize(try await repository.desk.makeSSHKey("id_ed25519"))
            let finished = try await run(try repository.submission(to: "fir"))
            #expect(finished.status == .exited(69))
            #expect(finished.errors.contains("no common algorithm with fir"), "\(finished.errors)")
            #expect(finished.errors.contains("\"transport\": \"openssh\""))
        }
    }

    @Test func whatTheConfigurationForbidsIsNotTried() async throws {
        try await withFir(client: ["PubkeyAuthentication no"]) { repository, server in
            try server.authorize(try await repository.desk.makeSSHKey("id_ed25519"))
            let finished = try await run(try repository.submission(to: "fir"))
            #expect(finished.status == .exited(77))
            #expect(
                finished.errors.contains("the ssh configuration does not allow publickey here"), "\(finished.errors)")
            #expect(try server.logins == 0)
        }
    }
}

/// Servers that ask questions, as those with a second factor do.
@Suite(
    .enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"),
    .enabled(if: questionsObstacle == nil, "\(questionsObstacle ?? "")"), .timeLimit(.minutes(2)))
struct SecondFactorTests {
    private static let factors = [SSHServer.Question(answer: "right"), .init(answer: "123456", echo: true)]

    /// Lends a server that wants a key and two answers.
    private func withFir(
        _ more: [String] = [], _ body: @Sendable (Repository, SSHServer) async throws -> Void
    ) async throws {
        let configuration =
            more + ["KbdInteractiveAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive"]
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk, configuration, questions: Self.factors) { server in
                try server.authorize(try await desk.makeSSHKey("id_ed25519"))
                try desk.writeSSH("known_hosts", try server.knownHost())
                try desk.writeSSH("config", "Host fir\n    HostName 127.0.0.1\n    Port \(server.port)\n")
                try await body(repository, server)
            }
        }
    }

    @Test func aKeyAndTwoAnswersOncePerSubmission() async throws {
        try await withFir { repository, server in
            try await withTerminal(try repository.submission(to: "fir")) { terminal in
                // As the server sends them: the first is not to be seen, the second is.
                try await terminal.expect("Password: ")
                await terminal.type("right\n")
                try await terminal.expect("Password: ")
                await terminal.type("123456\n")
                #expect(try await terminal.finish() == .exited(0))
                let text = await terminal.text()
                #expect(text.contains("\nin\n"))
                #expect(!text.contains("right"))
                #expect(text.contains("123456"))
                // Upload, submission, states, output: one login for all.
                #expect(text.components(separatedBy: "Password:").count == 3)
            }
            #expect(try server.logins == 1)
        }
    }

    @Test func aWrongAnswerMayBeCorrected() async throws {
        try await withFir { repository, server in
            try await withTerminal(try repository.submission(to: "fir")) { terminal in
                for answers in [["wrong", "123456"], ["right", "123456"]] {
                    for answer in answers {
                        try await terminal.expect("Password: ")
                        await terminal.type(answer + "\n")
                    }
                }
                #expect(try await terminal.finish() == .exited(0))
            }
        }
    }

    @Test func withoutATerminalItIsAnErrorAtOnce() async throws {
        try await withFir { repository, _ in
            let finished = try await run(try repository.submission(to: "fir"), within: .seconds(30))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("id_ed25519 (accepted, but not enough)"), "\(finished.errors)")
            #expect(
                finished.errors.contains("keyboard-interactive (it asks \"Password: \", and nobody is at a terminal"),
                "\(finished.errors)")
        }
    }

    @Test func aJumpHostsQuestionSaysWhoseItIs() async throws {
        try await withFir { repository, _ in
            let desk = repository.desk
            try await withSSHServer(on: desk) { target in
                try target.authorize(desk.home + "/.ssh/id_ed25519")
                try desk.writeSSH("known_hosts", try target.knownHost(), adding: true)
                try desk.writeSSH(
                    "config", "Host narval\n  HostName 127.0.0.1\n  Port \(target.port)\n  ProxyJump fir\n",
                    adding: true)
                try await withTerminal(try repository.submission(to: "narval")) { terminal in
                    try await terminal.expect("fir asks:\nPassword: ")
                    await terminal.type("right\n")
                    try await terminal.expect("fir asks:\nPassword: ")
                    await terminal.type("123456\n")
                    #expect(try await terminal.finish() == .exited(0))
                }
            }
        }
    }

    @Test func theQuestionGoesWhenTheServerHangsUp() async throws {
        try await withFir(["LoginGraceTime 2"]) { repository, _ in
            try await withTerminal(try repository.submission(to: "fir")) { terminal in
                try await terminal.expect("Password: ")
                // It is not waited for an answer that nobody would hear.
                try await terminal.expect("submit: error: cannot connect to fir", within: .seconds(10))
                try await terminal.expect("the server closed the connection")
                #expect(try await terminal.finish() == .exited(77))
                #expect(await !terminal.screen.contains("Password: \n"))
            }
        }
    }

    /// Nobody is asked again and again: after one question without an answer the user says when to log in.
    @Test func aLostLinkAsksOnce() async throws {
        try await withFir { repository, server in
            let go = repository.desk.folder + "/go"
            let script = "n=0; until [ -e \"$1\" ]; do n=$((n + 1)); echo out $n; sleep 0.05; done; echo all $n"
            var launch = try repository.submission(to: "fir")
            launch.arguments = launch.arguments.dropLast(2) + ["sh", "-c", script, "sh", go]
            try await withTerminal(launch, pipes: [.output]) { terminal in
                func logIn() async throws {
                    for answer in ["right", "123456"] {
                        try await terminal.expect("Password: ")
                        await terminal.type(answer + "\n")
                    }
                }
                try await logIn()
                try await terminal.expect("out 5\n", on: .output)

                try await server.dropConnections()
                try await terminal.expect("submit: the link is down")
                try await logIn()
                try await terminal.expect("submit: the link is back\n")

                try await server.dropConnections()
                try await terminal.expect("submit: the link is down")
                try await terminal.expect("Password: ")
                try await server.dropConnections()
                try await terminal.expect("submit: warning: cannot log in again")
                try await terminal.expect(#/Enter logs in again\. Cancel job \d+\? \[y/N/d\] /#)
                let connections = try server.connections
                try await Task.sleep(for: .seconds(3))
                #expect(try server.connections == connections)
                await terminal.type("\n")
                try await logIn()
                try await terminal.expect("submit: the link is back\n")

                try Data().write(to: URL(filePath: go))
                let count = try #require(Int(try await terminal.expect(#/all (\d+)\n/#, on: .output).1))
                #expect(try await terminal.finish() == .exited(0))
                let output = String(decoding: await terminal.child.bytes(.output), as: UTF8.self)
                #expect(output == (1...count).map { "out \($0)\n" }.joined() + "all \(count)\n")
                #expect(try server.logins == 3)
                #expect(await !terminal.text().contains("right"))
            }
        }
    }

    @Test func ctrlDIsNoAnswer() async throws {
        try await withFir { repository, server in
            try await withTerminal(try repository.submission(to: "fir")) { terminal in
                try await terminal.expect("Password: ")
                await terminal.press(.endOfInput)
                try await terminal.expect("submit: error: no answer to \"Password: \"")
                #expect(try await terminal.finish() == .exited(77))
            }
            #expect(try server.logins == 0)
        }
    }
}
