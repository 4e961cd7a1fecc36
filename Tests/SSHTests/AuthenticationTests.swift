import Foundation
import IO
import Testing

@testable import SSH

@Suite(.serialized) struct AuthenticationTests {
    /// Logs in with a key made by ssh-keygen.
    private func logIn(
        type: String, passphrase: String = "", options: [String] = [], prompter: Prompter = Prompter(),
        withoutPublicFile: Bool = false
    ) async throws {
        try await TestServer.with { server in
            let key = "\(server.folder)/user"
            try await generateKey(key, type: type, passphrase: passphrase, options: options, loop: server.loop)
            try write(String(contentsOfFile: key + ".pub", encoding: .utf8), to: "\(server.folder)/authorized_keys")
            if withoutPublicFile { try FileManager.default.removeItem(atPath: key + ".pub") }
            let login = try server.login(keys: [key], prompter: prompter)
            try await server.withSession(login) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
        }
    }

    @Test(
        arguments: [
            ("ed25519", []), ("ecdsa", ["-b", "256"]), ("ecdsa", ["-b", "384"]), ("ecdsa", ["-b", "521"]),
            ("rsa", ["-b", "2048"]), ("rsa", ["-b", "2048", "-m", "PEM"]), ("rsa", ["-b", "2048", "-m", "PKCS8"]),
            ("ecdsa", ["-m", "PEM"]), ("rsa", ["-b", "3072"]),
        ] as [(String, [String])])
    func aPlainKey(type: String, options: [String]) async throws {
        try await logIn(type: type, options: options, withoutPublicFile: true)
    }

    @Test(
        arguments: [
            ("ed25519", []), ("rsa", ["-b", "2048"]), ("ecdsa", []), ("ed25519", ["-Z", "aes256-gcm@openssh.com"]),
            ("ed25519", ["-Z", "aes128-cbc"]), ("rsa", ["-b", "2048", "-Z", "aes192-ctr"]), ("ed25519", ["-a", "16"]),
        ] as [(String, [String])])
    func anEncryptedKey(type: String, options: [String]) async throws {
        let rounds = options.contains("-a") ? [] : ["-a", "2"]
        let prompter = Prompter(answers: ["wrong", "pass ü word"])
        try await logIn(type: type, passphrase: "pass ü word", options: options + rounds, prompter: prompter)
        let prompts = await prompter.prompts
        #expect(prompts.count == 2)
        #expect(prompts.first?.hasPrefix("Passphrase for ") == true)
    }

    @Test(arguments: [["-m", "PEM"], ["-m", "PKCS8"]], [true, false])
    func anEncryptedPEMKey(options: [String], withoutPublicFile: Bool) async throws {
        let prompter = Prompter(answers: ["word wrong", "word right"])
        try await logIn(
            type: "rsa", passphrase: "word right", options: options, prompter: prompter,
            withoutPublicFile: withoutPublicFile)
        #expect(await prompter.prompts.count == 2)
    }

    @Test func noPassphraseIsAskedForAKeyThatTheServerRefuses() async throws {
        try await TestServer.with { server in
            let key = "\(server.folder)/other"
            try await generateKey(key, passphrase: "secret", loop: server.loop)
            let prompter = Prompter()
            let login = try server.login(keys: [key], prompter: prompter)
            let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("\(key) (refused)") == true)
            #expect(error?.message.contains("the server accepts publickey") == true)
            #expect(await prompter.prompts.isEmpty)
        }
    }

    @Test func threeWrongPassphrasesAreEnough() async throws {
        try await TestServer.with { server in
            let key = "\(server.folder)/user"
            try await generateKey(key, passphrase: "secret", options: ["-a", "1"], loop: server.loop)
            try write(String(contentsOfFile: key + ".pub", encoding: .utf8), to: "\(server.folder)/authorized_keys")
            let login = try server.login(keys: [key], prompter: Prompter(answers: ["a", "b", "c", "secret"]))
            let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("three wrong passphrases") == true)
        }
    }

    /// One that has been offered and is not proved must not stand in the way.
    @Test func whatCannotSignMakesWayForTheNextKey() async throws {
        try await TestServer.with { server in
            let locked = "\(server.folder)/locked"
            try await generateKey(locked, passphrase: "secret", options: ["-a", "1"], loop: server.loop)
            let both = try ["locked.pub", "key.pub"].map {
                try String(contentsOfFile: "\(server.folder)/\($0)", encoding: .utf8)
            }
            try write(both.joined(), to: "\(server.folder)/authorized_keys")
            let wrong = Prompter(answers: ["a", "b", "c"])
            for prompter in [wrong, AbsentPrompter()] as [any LoginPrompter] {
                try await withAgent(server) { agent in
                    try await run(
                        "ssh-add", ["-q", "\(server.folder)/key"], environment: ["SSH_AUTH_SOCK": agent],
                        loop: server.loop)
                    var login = try server.login(keys: [locked], agentSocket: agent, prompter: prompter)
                    // Else it would not come to the locked key at all.
                    login.prefersIdentityFiles = true
                    try await server.withSession(login) { session in
                        try await expect(session.run("echo in").output, is: "in\n")
                    }
                }
            }
            #expect(await wrong.prompts.count == 3)
        }
    }

    @Test func aKeyForTheHostComesBeforeTheAgentsMany() async throws {
        try await TestServer.with(["MaxAuthTries 2"]) { server in
            try await withAgent(server) { agent in
                for index in 0..<4 {
                    try await generateKey("\(server.folder)/other\(index)", loop: server.loop)
                    try await run(
                        "ssh-add", ["-q", "\(server.folder)/other\(index)"], environment: ["SSH_AUTH_SOCK": agent],
                        loop: server.loop)
                }
                let key = "\(server.folder)/mine"
                try await generateKey(key, passphrase: "secret", options: ["-a", "1"], loop: server.loop)
                try write(String(contentsOfFile: key + ".pub", encoding: .utf8), to: "\(server.folder)/authorized_keys")
                var login = try server.login(
                    keys: [key], agentSocket: agent, prompter: Prompter(answers: ["secret"]))
                await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
                login.prefersIdentityFiles = true
                try await server.withSession(login) { _ in }
                // With IdentitiesOnly the agent's own are not even offered.
                login.usesOnlyIdentityFiles = true
                login.identityFiles = ["\(server.folder)/nowhere"]
                let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
                #expect(error?.message.contains("nowhere (there is no such file)") == true)
                #expect(error?.message.contains("ssh-agent") == false)
            }
        }
    }

    @Test func aPromptersErrorEndsTheLogin() async throws {
        try await TestServer.with { server in
            let key = "\(server.folder)/user"
            try await generateKey(key, passphrase: "secret", options: ["-a", "1"], loop: server.loop)
            try write(String(contentsOfFile: key + ".pub", encoding: .utf8), to: "\(server.folder)/authorized_keys")
            let login = try server.login(keys: [key])
            await #expect(throws: TestFailure.self) {
                try await within { try await server.withSession(login) { _ in } }
            }
        }
    }

    @Test func theAgentsKeys() async throws {
        try await TestServer.with { server in
            try await withAgent(server) { agent in
                for (type, options) in [("ed25519", []), ("rsa", ["-b", "2048"]), ("ecdsa", ["-b", "384"])] {
                    let key = "\(server.folder)/agent-\(type)"
                    try await generateKey(key, type: type, options: options, loop: server.loop)
                    try await run("ssh-add", ["-q", key], environment: ["SSH_AUTH_SOCK": agent], loop: server.loop)
                    try write(
                        String(contentsOfFile: key + ".pub", encoding: .utf8), to: "\(server.folder)/authorized_keys")
                    let login = try server.login(keys: [], agentSocket: agent)
                    try await server.withSession(login) { session in
                        try await expect(session.run("echo in").output, is: "in\n")
                    }
                }
                // A file whose key the agent holds is asked for no passphrase, and a .pub file will do; so will the name of
                // a key file beside which only that one lies.
                try FileManager.default.removeItem(atPath: "\(server.folder)/agent-ecdsa")
                for file in ["agent-ecdsa.pub", "agent-ecdsa"] {
                    var login = try server.login(keys: ["\(server.folder)/\(file)"], agentSocket: agent)
                    login.usesOnlyIdentityFiles = true
                    try await server.withSession(login) { session in
                        try await expect(session.run("echo in").output, is: "in\n")
                    }
                }
            }
        }
    }

    @Test func aDeadAgentIsNoObstacle() async throws {
        try await TestServer.with { server in
            let login = try server.login(agentSocket: "\(server.folder)/nobody")
            try await server.withSession(login) { _ in }
            let without = try server.login(keys: [], agentSocket: "\(server.folder)/nobody")
            let error = await #expect(throws: SSHError.self) { try await server.withSession(without) { _ in } }
            #expect(error?.message.contains("ssh-agent") == true)
        }
    }

    @Test func twoKeysCanBeNeeded() async throws {
        try await TestServer.with(["AuthenticationMethods publickey,publickey"]) { server in
            let second = "\(server.folder)/second"
            try await generateKey(second, loop: server.loop)
            let both = try ["key.pub", "second.pub"].map {
                try String(contentsOfFile: "\(server.folder)/\($0)", encoding: .utf8)
            }
            try write(both.joined(), to: "\(server.folder)/authorized_keys")
            let login = try server.login(keys: ["\(server.folder)/key", second])
            try await server.withSession(login) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
        }
    }

    @Test func tooManyAttemptsSaySo() async throws {
        try await TestServer.with(["MaxAuthTries 2"]) { server in
            var keys: [String] = []
            for index in 0..<4 {
                keys.append("\(server.folder)/wrong\(index)")
                try await generateKey(keys[index], loop: server.loop)
            }
            let login = try server.login(keys: keys)
            let error = await #expect(throws: SSHError.self) {
                try await within { try await server.withSession(login) { _ in } }
            }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("Too many authentication failures") == true)
        }
    }

    @Test func whatCannotBeUsedSaysWhy() async throws {
        try await withTemporaryFolder { folder in
            let loop = try PollLoop()
            try await generateKey(
                "\(folder)/chacha", passphrase: "x", options: ["-Z", "chacha20-poly1305@openssh.com"], loop: loop)
            let file = try KeyFile(path: "\(folder)/chacha")
            let error = #expect(throws: SSHError.self) { _ = try file.unlock(passphrase: "x") }
            #expect(error?.message.contains("chacha20-poly1305@openssh.com") == true)
            #expect(error?.message.contains("ssh-keygen -p") == true)

            try write("PuTTY-User-Key-File-3: ssh-ed25519\n", to: "\(folder)/putty")
            let putty = #expect(throws: SSHError.self) { _ = try KeyFile(path: "\(folder)/putty") }
            #expect(putty?.message.contains("puttygen") == true)

            try write("nothing", to: "\(folder)/nothing")
            #expect(throws: SSHError.self) { _ = try KeyFile(path: "\(folder)/nothing") }

            var security = PacketWriter()
            security.string("sk-ssh-ed25519@openssh.com")
            security.string([1, 2, 3])
            let line = HostKey(type: "sk-ssh-ed25519@openssh.com", blob: security.bytes).line
            try write(line, to: "\(folder)/sk.pub")
            let sk = #expect(throws: SSHError.self) { _ = try KeyFile(path: "\(folder)/sk.pub") }
            #expect(sk?.message.contains("security key") == true)
            #expect(sk?.isLimitOfLibrary == true)
        }
    }

    @Test func everyTruncatedKeyFileIsAnError() async throws {
        try await withTemporaryFolder { folder in
            try await generateKey("\(folder)/whole", loop: try PollLoop())
            let text = try String(contentsOfFile: "\(folder)/whole", encoding: .utf8)
            let bytes = try #require(Base64.decode(text.split(separator: "\n").dropFirst().dropLast().joined().utf8))
            for count in stride(from: 0, to: bytes.count - 8, by: 3) {
                let part = Base64.encode(Array(bytes.prefix(count)))
                try write(
                    "-----BEGIN OPENSSH PRIVATE KEY-----\n\(part)\n-----END OPENSSH PRIVATE KEY-----\n",
                    to: "\(folder)/part")
                #expect(throws: (any Error).self) {
                    guard try KeyFile(path: "\(folder)/part").unlock(passphrase: nil) != nil else {
                        throw TestFailure("no key")
                    }
                }
            }
        }
    }

    @Test func keysThatNeedNoPassphraseComeFirst() async throws {
        try await withTemporaryFolder { folder in
            let loop = try PollLoop()
            for (name, passphrase) in [("locked", "x"), ("plain", ""), ("held", "x"), ("other", "")] {
                try await generateKey("\(folder)/\(name)", passphrase: passphrase, options: ["-a", "1"], loop: loop)
            }
            let files = try ["locked", "plain", "held"].map { try KeyFile(path: "\(folder)/\($0)") }
            let identities = try ["other", "held"].map {
                Agent.Identity(key: try publicKey("\(folder)/\($0).pub"), comment: $0)
            }
            let names = keyCandidates(files: files, identities: identities).map(\.name)
            #expect(
                names == [
                    "key \(folder)/plain", "key \"held\" of the ssh-agent", "key \"other\" of the ssh-agent",
                    "key \(folder)/locked",
                ])
        }
    }

    @Test func thePlanFollowsTheServer() {
        let key = KeyCandidate(source: .agent(comment: "k"), publicKey: HostKey(type: "ssh-ed25519", blob: []))
        var plan = AuthenticationPlan(keys: [key], methods: AuthenticationMethod.allCases)
        guard case .key = plan.next(accepted: ["publickey", "password"]) else {
            Issue.record("a key comes first")
            return
        }
        var steps: [String] = []
        while let step = plan.next(accepted: ["publickey", "keyboard-interactive", "password"]) {
            plan.note(step, .refused)
            switch step {
            case .key: steps.append("key")
            case .keyboardInteractive: steps.append("questions")
            case .password: steps.append("password")
            }
        }
        #expect(steps == ["questions", "questions", "questions", "password", "password", "password"])
        var keysOnly = AuthenticationPlan(keys: [], methods: [.publicKey])
        #expect(keysOnly.next(accepted: ["password", "keyboard-interactive"]) == nil)
        let message = plan.failureMessage(
            endpoint: Endpoint(host: "h", user: "u"), accepted: ["password", "publickey"])
        #expect(message.contains("no login as u@h"))
        #expect(message.contains("the server accepts password, publickey"))
        #expect(message.contains("ssh-copy-id"))
    }

    @Test func bcryptDerivesAsOpenBSDDoes() {
        // From the test vectors of OpenBSD's regress/lib/libutil/bcrypt_pbkdf.
        let derived = bcryptPBKDF(passphrase: Array("password".utf8), salt: Array("salt".utf8), rounds: 4, count: 32)
        #expect(
            derived == [
                0x5b, 0xbf, 0x0c, 0xc2, 0x93, 0x58, 0x7f, 0x1c, 0x36, 0x35, 0x55, 0x5c, 0x27, 0x79, 0x65, 0x98, 0xd4,
                0x7e,
                0x57, 0x90, 0x71, 0xbf, 0x42, 0x7e, 0x9d, 0x8f, 0xbe, 0x84, 0x2a, 0xba, 0x34, 0xd9,
            ])
    }

    private func withAgent(_ server: TestServer, _ body: (String) async throws -> Void) async throws {
        let socket = "\(server.folder)/agent"
        try await withChildProcess("ssh-agent", ["-D", "-a", socket], loop: server.loop) { _ in
            for _ in 0..<100 where !FileManager.default.fileExists(atPath: socket) {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await body(socket)
        }
    }
}
