import Foundation
import Testing

/// Logins in front of a terminal, and without one: the same questions and answers over both transports.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(2)))
struct TransportTests {
    /// Lends a server that takes a key, the key's path, and `submit` over the transport.
    private func withServer(
        _ place: Place, _ configuration: [String] = [], questions: [SSHServer.Question] = [], isKnown: Bool = true,
        passphrase: String = "",
        _ body: @Sendable (SSHServer, Repository, _ key: String, _ submit: Launch) async throws -> Void
    ) async throws {
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk, configuration, questions: questions) { server in
                let key = try await desk.makeSSHKey("mine", passphrase: passphrase)
                try server.authorize(key)
                if isKnown { try desk.writeSSH("known_hosts", try server.knownHost()) }
                try await body(server, repository, key, try server.submission(from: repository, by: place, key: key))
            }
        }
    }

    @Test(arguments: Place.clusters) func anUnknownHostKeyIsShownAndRemembered(place: Place) async throws {
        try await withServer(place, isKnown: false) { server, repository, _, submit in
            let fingerprint = try await server.fingerprint()
            // No is the default, and nothing is remembered.
            try await withTerminal(submit) { terminal in
                try await terminal.expect(fingerprint)
                try await terminal.expect("[y/N] ")
                await terminal.type("\n")
                #expect(try await terminal.finish() == .exited(68))
            }
            #expect(!FileManager.default.fileExists(atPath: repository.desk.home + "/.ssh/known_hosts"))
            try await withTerminal(submit) { terminal in
                try await terminal.expect("[y/N] ")
                await terminal.type("y\n")
                #expect(try await terminal.finish() == .exited(0))
            }
            let key = try server.hostKey
            #expect(try repository.desk.readSSH("known_hosts").contains(key))
            // From now on nobody is asked.
            expectIn(try await run(submit))
        }
    }

    @Test(arguments: Place.clusters) func withoutATerminalAnUnknownHostIsAnError(place: Place) async throws {
        try await withServer(place, isKnown: false) { server, repository, _, submit in
            let finished = try await run(submit, within: .seconds(20))
            #expect(finished.status == .exited(68))
            let fingerprint = try await server.fingerprint()
            #expect(finished.errors.contains(fingerprint), "\(finished.errors)")
            #expect(!FileManager.default.fileExists(atPath: repository.desk.home + "/.ssh/known_hosts"))
        }
    }

    @Test(arguments: Place.clusters) func aChangedHostKeyIsRefused(place: Place) async throws {
        try await withServer(place, isKnown: false) { server, repository, key, submit in
            let other = try String(contentsOfFile: key + ".pub", encoding: .utf8)
            try repository.desk.writeSSH("known_hosts", "[127.0.0.1]:\(server.port) \(other)")
            let finished = try await run(submit)
            #expect(finished.status == .exited(68))
            #expect(finished.errors.contains("cannot connect to 127.0.0.1"), "\(finished.errors)")
            // The line to look at.
            let line = "\(repository.desk.home)/.ssh/known_hosts:1"
            #expect(finished.errors.contains(line), "\(finished.errors)")
        }
    }

    @Test(arguments: Place.clusters) func aPassphraseMayBeCorrected(place: Place) async throws {
        try await withServer(place, passphrase: "open sesame") { _, _, key, submit in
            try await withTerminal(submit) { terminal in
                try await terminal.expect("Passphrase for \(key): ")
                await terminal.type("wrong\n")
                try await terminal.expect("That was not it. Passphrase for \(key): ")
                await terminal.type("open sesame\n")
                #expect(try await terminal.finish() == .exited(0))
                let text = await terminal.text()
                #expect(text.contains("\nin\n"))
                #expect(!text.contains("sesame") && !text.contains("wrong"))
            }
            let finished = try await run(submit, within: .seconds(20))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("nobody is at a terminal"), "\(finished.errors)")
        }
    }

    @Test(.enabled(if: questionsObstacle == nil, "\(questionsObstacle ?? "")"), arguments: Place.clusters)
    func aSecondFactorIsAskedForOnce(place: Place) async throws {
        let configuration = [
            "KbdInteractiveAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive",
        ]
        let questions = [SSHServer.Question(answer: "right"), .init(answer: "123456", echo: true)]
        try await withServer(place, configuration, questions: questions) { server, _, _, submit in
            try await withTerminal(submit) { terminal in
                for answer in ["right", "123456"] {
                    try await terminal.expect("Password: ")
                    await terminal.type(answer + "\n")
                }
                #expect(try await terminal.finish() == .exited(0))
                let text = await terminal.text()
                #expect(text.contains("\nin\n"))
                #expect(!text.contains("right"))
                #expect(text.components(separatedBy: "Password: ").count == 3)
            }
            #expect(try server.logins == 1)
            let finished = try await run(submit, within: .seconds(20))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("nobody is at a terminal"), "\(finished.errors)")
        }
    }

    @Test(arguments: Place.clusters) func aKeyThatIsNotTakenIsRefused(place: Place) async throws {
        try await withServer(place, ["AuthorizedKeysFile none"]) { _, _, _, submit in
            let finished = try await run(submit, within: .seconds(20))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("cannot connect to 127.0.0.1"), "\(finished.errors)")
            #expect(finished.errors.contains("publickey"), "\(finished.errors)")
        }
    }

    /// None is presented in this process, which says where to go; ssh can.
    @Test(arguments: Place.clusters) func aCertificate(place: Place) async throws {
        let authority = "\(Programs.temporary)/ct-authority-\(UUID().uuidString.prefix(8))"
        defer { for suffix in ["", ".pub"] { unlink(authority + suffix) } }
        try await withRepository { repository in
            let desk = repository.desk
            @Sendable func keygen(_ arguments: String...) async throws {
                let launch = Launch(
                    program: "ssh-keygen", arguments: ["-q"] + arguments, directory: "/", environment: desk.environment)
                _ = try await run(launch).checked("ssh-keygen")
            }
            try await keygen("-t", "ed25519", "-N", "", "-f", authority)
            try await withSSHServer(on: desk, ["TrustedUserCAKeys \(authority).pub"]) { server in
                let key = try await desk.makeSSHKey("mine")
                try desk.writeSSH("known_hosts", try server.knownHost())
                try await keygen("-s", authority, "-I", "ada", "-n", NSUserName(), "-V", "-1d:+1d", key + ".pub")
                let finished = try await run(try server.submission(from: repository, by: place, key: key))
                if place == .demoClusterByOpenSSH {
                    expectIn(finished)
                } else {
                    #expect(finished.status == .exited(77))
                    #expect(finished.errors.contains("certificate"), "\(finished.errors)")
                }
            }
        }
    }
}

extension SSHServer {
    /// `submit` of a command to this server, over the transport of a place.
    func submission(
        from repository: Repository, by place: Place, key: String, of command: [String] = ["echo", "in"]
    ) throws -> Launch {
        let values: [String: any Sendable] = [
            "hostname": "127.0.0.1", "port": Int(port), "user": NSUserName(), "ssh_key": key, "scheduler": "none",
            "untar_path": repository.desk.folder + "/runs", "transport": place.transport,
        ]
        let profile = try writeProfile(values, on: repository.desk)
        return repository.desk.submit(["-c", profile, "--no-tensorboard", "--"] + command, in: repository.folder)
    }
}
