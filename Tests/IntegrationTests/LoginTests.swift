import Foundation
import Testing

/// Logins in front of a terminal, and without one: the same questions and answers over both transports.
@Suite(.enabled(if: LoginServer.obstacle == nil, "\(LoginServer.obstacle ?? "")"), .timeLimit(.minutes(2)))
struct LoginTests {
    /// The job has run, and its status is submit's.
    private func expectJob(_ terminal: Terminal) async throws {
        try await terminal.expect("\nit runs\n")
        #expect(try await terminal.finish() == .exited(3))
    }

    @Test(arguments: Place.clusters) func anUnknownHostKeyIsShownAndRemembered(place: Place) async throws {
        try await LoginServer.with { server in
            let launch = try server.submission(by: place)
            let key = try String(contentsOfFile: server.hostKey + ".pub", encoding: .utf8).split(separator: " ")[1]
            // No is the default, and nothing is remembered.
            try await withTerminal(launch) { terminal in
                let fingerprint = try await server.keygen("-l", "-f", server.hostKey).split(separator: " ")[1]
                try await terminal.expect("fingerprint is\n  \(fingerprint)\n")
                try await terminal.expect("[y/N] ")
                await terminal.type("\n")
                #expect(try await terminal.finish() == .exited(68))
                #expect(!FileManager.default.fileExists(atPath: server.knownHosts))
            }
            try await withTerminal(launch) { terminal in
                try await terminal.expect("[y/N] ")
                await terminal.type("y\n")
                try await expectJob(terminal)
                let known = try String(contentsOfFile: server.knownHosts, encoding: .utf8)
                #expect(known.contains(key))
            }
            // From now on nobody is asked.
            #expect(try await run(launch).status == .exited(3))
        }
    }

    @Test(arguments: Place.clusters) func aChangedHostKeyIsRefused(place: Place) async throws {
        try await LoginServer.with { server in
            try server.write(try server.knownHostsLine(ofKey: server.key + ".pub"), to: server.knownHosts)
            try await withTerminal(try server.submission(by: place)) { terminal in
                let status = try await terminal.finish()
                #expect(status == .exited(68))
                let text = await terminal.text()
                #expect(text.contains("cannot connect to 127.0.0.1"))
                // The line to look at.
                #expect(text.contains("\(server.knownHosts):1"), "\(text)")
            }
        }
    }

    @Test(arguments: Place.clusters) func anEncryptedKeyAsksForItsPassphrase(place: Place) async throws {
        try await LoginServer.with { server in
            try server.introduce()
            let key = server.path("encrypted")
            try await server.generateKey(key, passphrase: "open sesame")
            try FileManager.default.removeItem(atPath: server.authorizedKeys)
            try FileManager.default.copyItem(atPath: key + ".pub", toPath: server.authorizedKeys)
            let launch = try server.submission(by: place, ["ssh_key": key])
            try await withTerminal(launch) { terminal in
                try await terminal.expect("Passphrase for \(key): ")
                await terminal.type("wrong\n")
                try await terminal.expect("That was not it. Passphrase for \(key): ")
                await terminal.type("open sesame\n")
                try await expectJob(terminal)
                #expect(await !terminal.text().contains("sesame"))
            }
            // Nobody there: a clear error at once.
            let finished = try await run(launch, within: .seconds(20))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("nobody is at a terminal to answer"), "\(finished.errors)")
        }
    }

    @Test(
        .enabled(if: LoginServer.questionObstacle == nil, "\(LoginServer.questionObstacle ?? "")"),
        arguments: Place.clusters)
    func twoFactorsAskOnceForAllChannels(place: Place) async throws {
        let methods = "AuthenticationMethods publickey,keyboard-interactive"
        try await LoginServer.with([methods], questions: ("right", "123456")) { server in
            try server.introduce()
            let launch = try server.submission(by: place)
            try await withTerminal(launch) { terminal in
                for answer in ["right", "123456"] {
                    try await terminal.expect("Password: ")
                    await terminal.type(answer + "\n")
                }
                try await expectJob(terminal)
                #expect(await !terminal.text().contains("right"))
            }
            let finished = try await run(launch, within: .seconds(20))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("nobody is at a terminal to answer"), "\(finished.errors)")
        }
    }

    @Test(arguments: Place.clusters) func nobodyIsAskedWithoutATerminal(place: Place) async throws {
        try await LoginServer.with { server in
            let finished = try await run(try server.submission(by: place), within: .seconds(20))
            #expect(finished.status == .exited(68))
            #expect(finished.errors.contains("SHA256:"), "\(finished.errors)")
            #expect(!FileManager.default.fileExists(atPath: server.knownHosts))
        }
    }

    @Test(arguments: Place.clusters) func aKeyThatIsNotTakenIsRefused(place: Place) async throws {
        try await LoginServer.with { server in
            try server.introduce()
            try server.write("", to: server.authorizedKeys)
            let finished = try await run(try server.submission(by: place), within: .seconds(20))
            #expect(finished.status == .exited(77))
            #expect(finished.errors.contains("cannot connect to 127.0.0.1"), "\(finished.errors)")
            #expect(finished.errors.contains("publickey"), "\(finished.errors)")
        }
    }

    /// libssh2 can present none; ssh can.
    @Test(arguments: Place.clusters) func aCertificate(place: Place) async throws {
        try await LoginServer.with { server in
            try server.introduce()
            try await server.generateKey(server.path("authority"))
            try await server.keygen(
                "-q", "-s", server.path("authority"), "-I", "ada", "-n", NSUserName(), "-V", "-1d:+1d", server.key + ".pub")
            try server.write(
                "cert-authority " + String(contentsOfFile: server.path("authority.pub"), encoding: .utf8),
                to: server.authorizedKeys)
            let finished = try await run(try server.submission(by: place), within: .seconds(30))
            if place == .demoClusterByOpenSSH {
                #expect(finished.status == .exited(3), "\(finished.errors)")
            } else {
                #expect(finished.status == .exited(77), "\(finished.errors)")
            }
        }
    }
}
