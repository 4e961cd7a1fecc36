import Foundation
import IO
import Testing

@testable import SSH

private let ed25519 = HostKey(
    line: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
private let other = HostKey(
    line: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH//////////////////////////////////////////")
private let rsa = HostKey(line: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQE=")

@Suite struct KnownHostsTests {
    private func known(_ lines: String...) -> KnownHosts {
        var known = KnownHosts()
        known.add(file: "f", text: lines.joined(separator: "\n"))
        return known
    }

    private func verdict(
        _ known: KnownHosts, _ key: HostKey?, _ host: String, port: UInt16 = 22, alias: String? = nil
    ) throws -> KnownHosts.Verdict {
        known.verdict(on: try #require(key), host: host, port: port, alias: alias)
    }

    private func line(_ hosts: String, _ key: HostKey?) throws -> String { "\(hosts) \(try #require(key).line)" }

    @Test func fingerprintsAreOpenSSHs() {
        #expect(ed25519?.fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU")
    }

    @Test func namesPortsAndLists() throws {
        let hosts = known(try line("a.example,10.0.0.1 ", ed25519), try line("[b.example]:2222", ed25519))
        #expect(try verdict(hosts, ed25519, "a.example") == .known)
        #expect(try verdict(hosts, ed25519, "A.Example") == .known)
        #expect(try verdict(hosts, ed25519, "10.0.0.1") == .known)
        #expect(try verdict(hosts, ed25519, "b.example", port: 2222) == .known)
        #expect(try verdict(hosts, ed25519, "b.example") == .unknown(recordedTypes: []))
        #expect(try verdict(hosts, ed25519, "c.example") == .unknown(recordedTypes: []))
        // A key recorded without a port is good for all; another key without a port says nothing about this one.
        #expect(try verdict(hosts, ed25519, "a.example", port: 2222) == .known)
        #expect(try verdict(hosts, other, "a.example", port: 2222) == .unknown(recordedTypes: []))
    }

    @Test func aChangedKeyHasItsPlace() throws {
        let hosts = known("# comment", "", try line("a", rsa), try line("a", ed25519))
        #expect(try verdict(hosts, other, "a") == .changed(KnownHosts.Place(file: "f", line: 4)))
        #expect(try verdict(hosts, ed25519, "a") == .known)
    }

    @Test func anotherTypeIsNoChange() throws {
        let hosts = known(try line("a", rsa))
        #expect(try verdict(hosts, ed25519, "a") == .unknown(recordedTypes: ["ssh-rsa"]))
        #expect(hosts.keyTypes(host: "a", port: 22, alias: nil) == ["ssh-rsa"])
    }

    @Test func linesMayEndAsOnWindows() throws {
        var hosts = KnownHosts()
        hosts.add(file: "f", text: try line("a", other) + "\r\n" + line("b", ed25519) + "\r\n")
        #expect(try verdict(hosts, ed25519, "b") == .known)
        #expect(try verdict(hosts, ed25519, "a") == .changed(KnownHosts.Place(file: "f", line: 1)))
    }

    @Test func oneOfSeveralKeysIsEnough() throws {
        let hosts = known(try line("a", other), try line("a", ed25519))
        #expect(try verdict(hosts, ed25519, "a") == .known)
    }

    @Test func patternsAndNegation() throws {
        let hosts = known(try line("*.example,!bad.example,node??", ed25519))
        #expect(try verdict(hosts, ed25519, "x.example") == .known)
        #expect(try verdict(hosts, ed25519, "x.y.example") == .known)
        #expect(try verdict(hosts, ed25519, "bad.example") == .unknown(recordedTypes: []))
        #expect(try verdict(hosts, ed25519, "example") == .unknown(recordedTypes: []))
        #expect(try verdict(hosts, ed25519, "node12") == .known)
        #expect(try verdict(hosts, ed25519, "node1") == .unknown(recordedTypes: []))
        #expect(try verdict(hosts, ed25519, "node123") == .unknown(recordedTypes: []))
    }

    @Test func manyStarsTakeNoTime() throws {
        let start = ContinuousClock.now
        let hosts = known(try line(String(repeating: "a*", count: 30) + "b", ed25519))
        #expect(try verdict(hosts, ed25519, String(repeating: "a", count: 200)) == .unknown(recordedTypes: []))
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    @Test func revokedWins() throws {
        let hosts = known(try line("a", ed25519), "@revoked " + (try line("*", ed25519)))
        #expect(try verdict(hosts, ed25519, "a") == .revoked(KnownHosts.Place(file: "f", line: 2)))
        #expect(try verdict(hosts, ed25519, "b", port: 2222) == .revoked(KnownHosts.Place(file: "f", line: 2)))
    }

    @Test func anAuthorityIsNoReasonToBelieve() throws {
        let hosts = known("@cert-authority " + (try line("*.example", ed25519)))
        #expect(try verdict(hosts, ed25519, "a.example") == .unknown(recordedTypes: []))
        #expect(hosts.hasCertificateAuthority(host: "a.example", port: 22, alias: nil))
        #expect(hosts.keyTypes(host: "a.example", port: 22, alias: nil) == [])
    }

    @Test func malformedLinesAreCountedAndPassedOver() throws {
        let hosts = known(
            "a", "a ssh-ed25519", "a ssh-ed25519 !!!!", "@unknown a ssh-rsa AAAA", "|1|x|y ssh-rsa AAAA",
            "a ssh-rsa \(try #require(ed25519).line.split(separator: " ")[1])",
            try line("a", ed25519) + " with a comment")
        #expect(hosts.malformedLines == 6)
        #expect(try verdict(hosts, ed25519, "a") == .known)
    }

    @Test func anAliasReplacesNameAndPort() throws {
        let hosts = known(try line("cluster", ed25519))
        #expect(try verdict(hosts, ed25519, "127.0.0.1", port: 40000, alias: "cluster") == .known)
        #expect(try verdict(hosts, ed25519, "cluster", port: 22, alias: "else") == .unknown(recordedTypes: []))
    }

    @Test func hashedNamesAreKeygens() async throws {
        try await withTemporaryFolder { folder in
            let loop = try PollLoop()
            try write(
                try line("a.example", ed25519) + "\n" + (try line("[b.example]:2222", other)) + "\n",
                to: "\(folder)/known")
            try await run("ssh-keygen", ["-q", "-H", "-f", "\(folder)/known"], loop: loop)
            var hosts = KnownHosts()
            hosts.add(file: "f", text: try String(contentsOfFile: "\(folder)/known", encoding: .utf8))
            #expect(hosts.hashesNames)
            #expect(try verdict(hosts, ed25519, "a.example") == .known)
            #expect(try verdict(hosts, other, "b.example", port: 2222) == .known)
            #expect(
                try verdict(hosts, ed25519, "b.example", port: 2222) == .changed(KnownHosts.Place(file: "f", line: 2)))
            // And ssh-keygen finds ours.
            let key = try #require(ed25519)
            let ours = KnownHosts.line(for: key, host: "c.example", port: 2222, alias: nil, salt: randomBytes(20))
            #expect(ours.hasPrefix("|1|"))
            try write(ours + "\n", to: "\(folder)/ours")
            let found = try await run("ssh-keygen", ["-F", "[c.example]:2222", "-f", "\(folder)/ours"], loop: loop)
            #expect(found.contains("line 1"))
        }
    }

    @Test func recordedTypesAreAskedForFirst() {
        let order = hostKeyAlgorithms(recorded: ["ssh-rsa"])
        #expect(order.prefix(3) == ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"])
        #expect(Set(order) == Set(hostKeyAlgorithms(recorded: [])))
        #expect(hostKeyAlgorithms(recorded: []).first == "ssh-ed25519")
        // What nobody here can verify is not asked for.
        #expect(!hostKeyAlgorithms(recorded: ["ssh-dss"]).contains("ssh-dss"))
    }

    @Test func base64GoesBothWays() {
        for count in 0..<20 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 77) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
        }
        for broken in ["A", "AA=A", "A*==", "AAAAA"] { #expect(Base64.decode(broken.utf8) == nil) }
    }
}

@Suite(.serialized) struct HostTrustTests {
    private func files(_ server: TestServer) -> (HostKeyPolicy, String) {
        let path = "\(server.folder)/new/known_hosts"
        return (.knownHosts(.init(userFiles: [path])), path)
    }

    @Test func aNewHostIsAskedForAndRecordedOnce() async throws {
        try await TestServer.with { server in
            let (policy, path) = files(server)
            let first = Prompter(accepts: true)
            try await server.withSession(try server.login(prompter: first, hostKeys: policy)) { _ in }
            let question = try #require(await first.questions.first)
            #expect(question.host == "[127.0.0.1]:\(server.port)")
            #expect(question.keyType == "ssh-ed25519")
            #expect(question.fingerprint == (try server.hostKey.fingerprint))
            let recorded = try String(contentsOfFile: path, encoding: .utf8)
            #expect(recorded == "[127.0.0.1]:\(server.port) \(try server.hostKey.line)\n")
            let attributes = { try FileManager.default.attributesOfItem(atPath: $0)[.posixPermissions] as? Int }
            #expect(try attributes(path) == 0o600)
            #expect(try attributes("\(server.folder)/new") == 0o700)

            let second = Prompter()
            try await server.withSession(try server.login(prompter: second, hostKeys: policy)) { _ in }
            #expect(await second.questions.isEmpty)
            // ssh itself believes it too.
            let options = [
                "-F", "none", "-o", "UserKnownHostsFile=\(path)", "-o", "StrictHostKeyChecking=yes", "-o",
                "BatchMode=yes",
                "-i", "\(server.folder)/key", "-p", "\(server.port)", "127.0.0.1", "echo fine",
            ]
            try await expect(run("ssh", options, loop: server.loop), is: "fine\n")
        }
    }

    @Test func aHostThatIsNotAcceptedIsNotEntered() async throws {
        try await TestServer.with { server in
            let (policy, path) = files(server)
            let login = try server.login(prompter: Prompter(accepts: false), hostKeys: policy)
            let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
            #expect(error?.code == .hostKeyUnknown)
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(!server.log.contains("Accepted"))
        }
    }

    @Test func aChangedHostIsNotEntered() async throws {
        try await TestServer.with { server in
            let path = "\(server.folder)/known"
            let name = "[127.0.0.1]:\(server.port)"
            try write("# mine\n\(name) \(try #require(other).line)\n", to: path)
            let policy = HostKeyPolicy.knownHosts(.init(userFiles: [path]))
            let login = try server.login(prompter: Prompter(accepts: true), hostKeys: policy)
            let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
            #expect(error?.code == .hostKeyChanged)
            #expect(error?.message.contains("\(path):2") == true)
            // The command it names mends it.
            let message = try #require(error).message
            let start = try #require(message.firstRange(of: "ssh-keygen -f")).lowerBound
            let command = String(message[start...])
            try await run("/bin/sh", ["-c", command], loop: server.loop)
            try await server.withSession(login) { _ in }
        }
    }

    @Test func aRevokedHostIsNotEntered() async throws {
        try await TestServer.with { server in
            let path = "\(server.folder)/known"
            try write("@revoked * \(try server.hostKey.line)\n", to: path)
            let policy = HostKeyPolicy.knownHosts(.init(userFiles: [path]))
            let login = try server.login(prompter: Prompter(accepts: true), hostKeys: policy)
            let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
            #expect(error?.code == .hostKeyRevoked)
        }
    }

    @Test func aRecordedTypeIsWhatTheServerIsAskedFor() async throws {
        try await withTemporaryFolder { folder in
            try await generateKey("\(folder)/ecdsa", type: "ecdsa", loop: try PollLoop())
            try await TestServer.with(["HostKey \(folder)/ecdsa"]) { server in
                let path = "\(server.folder)/known"
                try write("[127.0.0.1]:\(server.port) \(try publicKey("\(folder)/ecdsa.pub").line)\n", to: path)
                let policy = HostKeyPolicy.knownHosts(.init(userFiles: [path]))
                // No prompt: left to itself the server would show its Ed25519 key.
                try await server.withSession(try server.login(hostKeys: policy)) { _ in }
            }
        }
    }

    @Test func aHashedFileGetsAHashedName() async throws {
        try await TestServer.with { server in
            let path = "\(server.folder)/known"
            let hashed = KnownHosts.line(
                for: try #require(other), host: "x", port: 22, alias: nil, salt: randomBytes(20))
            // Without an end of line: the entry must not be joined to it.
            try write(hashed, to: path)
            let policy = HostKeyPolicy.knownHosts(.init(userFiles: [path], alias: "alias"))
            try await server.withSession(try server.login(prompter: Prompter(accepts: true), hostKeys: policy)) { _ in }
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.last?.hasPrefix("|1|") == true)
            try await server.withSession(try server.login(hostKeys: policy)) { _ in }
        }
    }

    private func login(
        _ server: TestServer, _ prompter: Prompter, _ path: String, _ change: (inout KnownHostsPolicy) -> Void
    ) throws -> Login {
        var policy = KnownHostsPolicy(userFiles: [path])
        change(&policy)
        return try server.login(prompter: prompter, hostKeys: .knownHosts(policy))
    }

    @Test func newKeysCanBeRefusedOrAcceptedWithoutAQuestion() async throws {
        try await TestServer.with { server in
            let path = "\(server.folder)/known"
            let prompter = Prompter(accepts: true)
            let strict = try login(server, prompter, path) { $0.newKeys = .refuse }
            let error = await #expect(throws: SSHError.self) { try await server.withSession(strict) { _ in } }
            #expect(error?.code == .hostKeyUnknown)
            #expect(error?.message.contains(try server.hostKey.fingerprint) == true)
            #expect(!FileManager.default.fileExists(atPath: path))
            let trusting = try login(server, prompter, path) { $0.newKeys = .accept }
            try await server.withSession(trusting) { _ in }
            #expect(await prompter.notices.first?.contains("is now in \(path)") == true)
            // What was accepted once is known, also to the strict.
            try await server.withSession(strict) { _ in }
            #expect(await prompter.questions.isEmpty)
        }
    }

    @Test func aChangedKeyThatIsBorneGetsNoPassword() async throws {
        try await TestServer.with { server in
            let path = "\(server.folder)/known"
            try write("[127.0.0.1]:\(server.port) \(try #require(other).line)\n", to: path)
            let prompter = Prompter()
            var bearing = try login(server, prompter, path) {
                $0.newKeys = .accept
                $0.bearsChangedKeys = true
            }
            try await server.withSession(bearing) { _ in }
            #expect(await prompter.notices.first?.contains("has changed") == true)
            #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 1)
            bearing.identityFiles = []
            bearing.methods = AuthenticationMethod.allCases
            let error = await #expect(throws: SSHError.self) { try await server.withSession(bearing) { _ in } }
            #expect(error?.code == .authenticationFailed)
            #expect(await prompter.prompts.isEmpty)
        }
    }

    @Test func anAuthorityIsMentionedInTheQuestion() async throws {
        try await TestServer.with { server in
            let path = "\(server.folder)/known"
            try write("@cert-authority * \(try server.hostKey.line)\n", to: path)
            let prompter = Prompter(accepts: false)
            let asking = try login(server, prompter, path) { _ in }
            let error = await #expect(throws: SSHError.self) { try await server.withSession(asking) { _ in } }
            #expect(error?.code == .hostKeyUnknown)
            #expect(error?.isLimitOfLibrary == true)
            #expect(await prompter.questions.first?.hasCertificateAuthority == true)
        }
    }

    @Test func onlyTheToldKeysAreBelieved() async throws {
        try await TestServer.with { server in
            let login = try server.login(prompter: Prompter(accepts: true), hostKeys: .exactly([try #require(other)]))
            let error = await #expect(throws: SSHError.self) { try await server.withSession(login) { _ in } }
            #expect(error?.code == .hostKeyChanged)
        }
    }
}
