import Foundation
import Testing

/// How a host proves that it is the one the user means.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(2)))
struct HostKeyTests {
    /// Lends a server that lets the user in, once it is believed; `fir` is its alias.
    private func withFir(
        client: [String] = [], _ body: @Sendable (Repository, SSHServer) async throws -> Void
    ) async throws {
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk) { server in
                try server.authorize(try await desk.makeSSHKey("id_ed25519"))
                let lines = ["HostName 127.0.0.1", "Port \(server.port)"] + client
                try desk.writeSSH("config", "Host fir\n" + lines.map { "    \($0)\n" }.joined())
                try await body(repository, server)
            }
        }
    }

    /// A key that is no host's.
    private let foreignKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

    @Test func anUnknownHostShowsItsFingerprintAndIsRememberedOnAYes() async throws {
        try await withFir(client: ["HashKnownHosts yes"]) { repository, server in
            let launch = try repository.submission(to: "fir")
            let fingerprint = try await server.fingerprint()
            try await withTerminal(launch) { terminal in
                try await terminal.expect("The host key of fir ([127.0.0.1]:\(server.port)) is not known.")
                try await terminal.expect(fingerprint)
                try await terminal.expect("[y/N] ")
                await terminal.type("n\n")
                try await terminal.expect("submit: error: cannot connect to fir")
                #expect(try await terminal.finish() == .exited(68))
            }
            #expect(!FileManager.default.fileExists(atPath: repository.desk.home + "/.ssh/known_hosts"))
            try await withTerminal(launch) { terminal in
                try await terminal.expect(fingerprint)
                await terminal.type("yes\n")
                #expect(try await terminal.finish() == .exited(0))
            }
            #expect(try repository.desk.readSSH("known_hosts").hasPrefix("|1|"))
            // From now on there is no question, also for nobody.
            expectIn(try await run(launch))
        }
    }

    @Test func withoutATerminalAnUnknownHostIsRefusedWithAWayOut() async throws {
        try await withFir { repository, server in
            let finished = try await run(try repository.submission(to: "fir"), within: .seconds(20))
            #expect(finished.status == .exited(68))
            let fingerprint = try await server.fingerprint()
            #expect(finished.errors.contains(fingerprint), "\(finished.errors)")
            #expect(finished.errors.contains("hint: connect once from a terminal, or add the key to known_hosts"))
            #expect(try server.logins == 0)
        }
    }

    @Test func aChangedHostIsRefusedWithTheLineToLookAt() async throws {
        try await withFir { repository, server in
            let desk = repository.desk
            try desk.writeSSH("known_hosts", "# a comment\n\n[127.0.0.1]:\(server.port) \(foreignKey)\n")
            let launch = try repository.submission(to: "fir")
            let finished = try await run(launch)
            #expect(finished.status == .exited(68))
            #expect(finished.errors.contains("\(desk.home)/.ssh/known_hosts:3 has another"), "\(finished.errors)")
            let fingerprint = try await server.fingerprint()
            #expect(finished.errors.contains(fingerprint))
            // At a terminal too there is nothing to answer.
            let status = try await withTerminal(launch) { try await $0.finish() }
            #expect(status == .exited(68))
            #expect(try server.logins == 0)
        }
    }

    @Test func aRevokedKeyIsRefusedThoughItIsRecorded() async throws {
        try await withFir(client: ["StrictHostKeyChecking no"]) { repository, server in
            try repository.desk.writeSSH("known_hosts", try server.knownHost() + "@revoked * \(server.hostKey)\n")
            let finished = try await run(try repository.submission(to: "fir"))
            #expect(finished.status == .exited(68))
            #expect(finished.errors.contains("is marked as revoked at \(repository.desk.home)/.ssh/known_hosts:2"))
            #expect(try server.logins == 0)
        }
    }

    @Test func anAuthorityIsSaidToBeUnsupported() async throws {
        try await withFir { repository, server in
            try repository.desk.writeSSH("known_hosts", "@cert-authority * \(server.hostKey)\n")
            let launch = try repository.submission(to: "fir")
            let finished = try await run(launch)
            #expect(finished.status == .exited(68))
            #expect(finished.errors.contains("certificates are not supported here"), "\(finished.errors)")
            #expect(finished.errors.contains("\"transport\": \"openssh\""))
            try await withTerminal(launch) { terminal in
                try await terminal.expect("certificates are not supported here")
                await terminal.type("\n")
                #expect(try await terminal.finish() == .exited(68))
            }
            #expect(try server.logins == 0)
        }
    }

    @Test(arguments: ["[127.0.0.1]:PORT", "[127.0.0.*]:PORT", "*,!other", "hashed", "127.0.0.1"])
    func hashesPortsAndPatternsAreUnderstood(names: String) async throws {
        try await withFir { repository, server in
            let desk = repository.desk
            let isHashed = names == "hashed"
            let line = try server.knownHost(
                isHashed ? nil : names.replacingOccurrences(of: "PORT", with: "\(server.port)"))
            try desk.writeSSH("known_hosts", line)
            if isHashed {
                let hash = Launch(
                    program: "ssh-keygen", arguments: ["-q", "-H", "-f", "\(desk.home)/.ssh/known_hosts"],
                    directory: "/",
                    environment: ["PATH": "/usr/bin:/bin"])
                _ = try await run(hash).checked("ssh-keygen")
                #expect(try desk.readSSH("known_hosts").hasPrefix("|1|"))
            }
            expectIn(try await run(try repository.submission(to: "fir")))
        }
    }

    @Test(arguments: ["[127.0.0.1]:22", "127.0.0.2", "[127.0.0.1]:PORT0", "!127.0.0.1,fir", "*,!127.0.0.1,!*:PORT"])
    func whatIsRecordedForAnotherHostDoesNotCount(names: String) async throws {
        try await withFir { repository, server in
            try repository.desk.writeSSH(
                "known_hosts",
                try server.knownHost(names.replacingOccurrences(of: "PORT", with: "\(server.port)")))
            let finished = try await run(try repository.submission(to: "fir"))
            #expect(finished.status == .exited(68), "\(finished.errors)")
            #expect(try server.logins == 0)
        }
    }

    @Test func acceptNewAcceptsTheNewAndNoChange() async throws {
        try await withFir(client: ["StrictHostKeyChecking accept-new"]) { repository, server in
            let desk = repository.desk
            let launch = try repository.submission(to: "fir")
            let first = try await run(launch)
            expectIn(first)
            #expect(first.errors.contains("is now in \(desk.home)/.ssh/known_hosts"), "\(first.errors)")
            let line = try server.knownHost()
            #expect(try desk.readSSH("known_hosts") == line)
            try desk.writeSSH("known_hosts", "[127.0.0.1]:\(server.port) \(foreignKey)\n")
            #expect(try await run(launch).status == .exited(68))
        }
    }

    @Test func yesRefusesTheNew() async throws {
        try await withFir(client: ["StrictHostKeyChecking yes"]) { repository, server in
            try await withTerminal(try repository.submission(to: "fir")) { terminal in
                try await terminal.expect("StrictHostKeyChecking")
                #expect(try await terminal.finish() == .exited(68))
                #expect(await !terminal.text().contains("[y/N]"))
            }
            #expect(try server.logins == 0)
        }
    }

    @Test func noBearsAChangeAndWarns() async throws {
        try await withFir(client: ["StrictHostKeyChecking no"]) { repository, server in
            try repository.desk.writeSSH("known_hosts", "[127.0.0.1]:\(server.port) \(foreignKey)\n")
            let finished = try await run(try repository.submission(to: "fir"))
            expectIn(finished)
            #expect(finished.errors.contains("WARNING: the host key of fir"), "\(finished.errors)")
        }
    }
}
