import Foundation
import Testing

/// The ways to a host that the user's ssh configuration describes.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(2)))
struct WaysInTests {
    // MARK: Aliases

    @Test func anAliasIsEnough() async throws {
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk) { server in
                try server.authorize(try await desk.makeSSHKey("cluster key"))
                try desk.writeSSH("hosts", try server.knownHost("fir-key"))
                try desk.writeSSH(
                    "config",
                    """
                    Host fir
                        HostName 127.0.0.1
                        Port \(server.port)
                        User \(NSUserName())
                        IdentityFile "~/.ssh/cluster key"
                        IdentitiesOnly yes
                        HostKeyAlias fir-key
                        UserKnownHostsFile ~/.ssh/hosts
                        StrictHostKeyChecking yes
                    """)
                expectIn(try await run(try repository.submission(to: "fir")))
                // In messages it is called what the user calls it.
                let refused = try await run(try repository.submission(to: "fir", ["user": "nobody"]))
                #expect(refused.status == .exited(77))
                #expect(refused.errors.contains("cannot connect to fir\n  no login as nobody@fir:\(server.port): "))
                #expect(refused.errors.contains("key \(desk.home)/.ssh/cluster key (refused)"), "\(refused.errors)")
            }
        }
    }

    @Test func theProfilesValuesAreTheStrongerOnes() async throws {
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk) { server in
                try server.authorize(try await desk.makeSSHKey("mine"))
                try desk.writeSSH("hosts", try server.knownHost())
                try desk.writeSSH(
                    "config",
                    """
                    Host 127.*
                        Port 1
                        User nobody
                        IdentityFile ~/.ssh/other
                        UserKnownHostsFile /dev/null
                    Match user \(NSUserName())
                        StrictHostKeyChecking yes
                    """)
                let values: [String: any Sendable] = [
                    "port": Int(server.port), "user": NSUserName(), "ssh_key": "\(desk.home)/.ssh/mine",
                    "known_hosts": "\(desk.home)/.ssh/hosts",
                ]
                expectIn(try await run(try repository.submission(to: "127.0.0.1", values)))
                // A Match block sees the profile's user: nobody is asked about a host that is not known.
                let without = values.filter { $0.key != "known_hosts" }
                let refused = try await run(try repository.submission(to: "127.0.0.1", without))
                #expect(refused.status == .exited(68))
                #expect(refused.errors.contains("StrictHostKeyChecking"), "\(refused.errors)")
            }
        }
    }

    @Test func aMistakeInTheConfigurationIsSaidInSSHsWords() async throws {
        try await withRepository { repository in
            try repository.desk.writeSSH("config", "Host fir\n  Prot 22\n")
            let finished = try await run(try repository.submission(to: "fir"))
            #expect(finished.status == .exited(78))
            #expect(
                finished.errors.contains("\(repository.desk.home)/.ssh/config: line 2: Bad configuration option: prot"),
                "\(finished.errors)")
        }
    }

    @Test func withoutSSHTheProfileIsEnough() async throws {
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk) { server in
                try server.authorize(try await desk.makeSSHKey("id_ed25519"))
                try desk.writeSSH("known_hosts", try server.knownHost())
                // Nobody can read it.
                try desk.writeSSH("config", "Host *\n  Port 1\n")
                var launch = try repository.submission(to: "127.0.0.1", ["port": Int(server.port)])
                launch.environment["PATH"] = Programs.folder
                launch.program = Programs.submit
                expectIn(try await run(launch))
            }
        }
    }

    // MARK: Through others

    /// Three servers, each with a key and a known_hosts file of its own; the last one is the target.
    private func withChain(
        gate: [String] = [], _ body: @Sendable (Repository, [SSHServer]) async throws -> Void
    ) async throws {
        try await withRepository { repository in
            let desk = repository.desk
            try await withSSHServer(on: desk, gate) { gate in
                try await withSSHServer(on: desk) { inner in
                    try await withSSHServer(on: desk) { target in
                        var configuration = ""
                        for (name, server) in [("gate", gate), ("inner", inner), ("target", target)] {
                            try server.authorize(try await desk.makeSSHKey(name))
                            try desk.writeSSH("known_\(name)", try server.knownHost())
                            configuration += """
                                Host \(name)
                                    HostName 127.0.0.1
                                    Port \(server.port)
                                    IdentityFile ~/.ssh/\(name)
                                    UserKnownHostsFile ~/.ssh/known_\(name)

                                """
                        }
                        try desk.writeSSH("config", configuration)
                        try await body(repository, [gate, inner, target])
                    }
                }
            }
        }
    }

    @Test func twoJumpHosts() async throws {
        try await withChain { repository, servers in
            try repository.desk.writeSSH(
                "config", "Host target\n  ProxyJump \(NSUserName())@gate,inner\n", adding: true)
            let finished = try await run(try repository.submission(to: "target", options: ["-v"]))
            expectIn(finished)
            #expect(try servers.map { try $0.logins } == [1, 1, 1])
            // Each is reached from the one before, which all have this address: but only the first one by us.
            #expect(finished.errors.contains("by way of \(NSUserName())@gate:\(servers[0].port)"), "\(finished.errors)")
            #expect(finished.errors.contains("by way of \(NSUserName())@inner:\(servers[1].port)"))
        }
    }

    @Test func aJumpHostHasAJumpHost() async throws {
        try await withChain { repository, servers in
            try repository.desk.writeSSH(
                "config", "Host target\n  ProxyJump inner\nHost inner\n  ProxyJump gate\n", adding: true)
            expectIn(try await run(try repository.submission(to: "target")))
            #expect(try servers.map { try $0.logins } == [1, 1, 1])
        }
    }

    @Test func jumpHostsInACircleAreNoHang() async throws {
        try await withChain { repository, _ in
            try repository.desk.writeSSH(
                "config",
                "Host target\n  ProxyJump inner\nHost inner\n  ProxyJump gate\nHost gate\n  ProxyJump inner\n",
                adding: true)
            let finished = try await run(try repository.submission(to: "target"))
            #expect(finished.status == .exited(78))
            #expect(finished.errors.contains("does it lead in a circle?"), "\(finished.errors)")
        }
    }

    @Test func aJumpHostThatForwardsNothingIsNamed() async throws {
        try await withChain(gate: ["AllowTcpForwarding no"]) { repository, servers in
            try repository.desk.writeSSH("config", "Host target\n  ProxyJump gate\n", adding: true)
            let finished = try await run(try repository.submission(to: "target"))
            #expect(finished.status == .exited(69))
            #expect(
                finished.errors.contains("gate did not connect to 127.0.0.1 port \(servers[2].port): "),
                "\(finished.errors)")
        }
    }

    @Test func aJumpHostWithAnotherKeyIsNamed() async throws {
        try await withChain { repository, servers in
            let desk = repository.desk
            try desk.writeSSH("config", "Host target\n  ProxyJump gate,inner\n", adding: true)
            try desk.writeSSH("known_inner", "# old\n[127.0.0.1]:\(servers[1].port) \(try servers[0].hostKey)\n")
            let finished = try await run(try repository.submission(to: "target"))
            #expect(finished.status == .exited(68))
            #expect(finished.errors.contains("at the jump host inner: the host key of inner,"), "\(finished.errors)")
            #expect(finished.errors.contains("\(desk.home)/.ssh/known_inner:2 has another"))
            #expect(try servers.map { try $0.logins } == [1, 0, 0])
        }
    }

    @Test func theLossOfAJumpHostIsALossOfTheLink() async throws {
        try await withChain { repository, servers in
            try repository.desk.writeSSH("config", "Host target\n  ProxyJump gate\n", adding: true)
            var launch = try repository.submission(to: "target")
            let go = repository.desk.folder + "/go"
            let job = "echo first; until [ -e '\(go)' ]; do sleep 0.05; done; echo last"
            launch.arguments = Array(launch.arguments.dropLast(2)) + ["sh", "-c", job]
            try await withTerminal(launch) { terminal in
                try await terminal.expect("first\n")
                try await servers[0].dropConnections()
                try await terminal.expect("submit: the link is down")
                try await terminal.expect("submit: the link is back\n")
                try Data().write(to: URL(filePath: go))
                try await terminal.expect("last\n")
                #expect(try await terminal.finish() == .exited(0))
            }
        }
    }

    // MARK: By a command

    @Test func aProxyCommandConnects() async throws {
        try await withChain { repository, servers in
            let options =
                "-F \(repository.desk.home)/.ssh/config -i \(repository.desk.home)/.ssh/gate "
                + "-o UserKnownHostsFile=\(repository.desk.home)/.ssh/known_gate"
            try repository.desk.writeSSH(
                "config", "Host target\n  ProxyCommand ssh \(options) -W %h:%p gate\n", adding: true)
            expectIn(try await run(try repository.submission(to: "target")))
            #expect(try servers.map { try $0.logins } == [1, 0, 1])
        }
    }

    @Test func aProxyCommandThatFailsIsHeard() async throws {
        try await withRepository { repository in
            for (command, words) in [
                ("sh -c 'echo no way to %h >&2; exit 3'", "ended with status 3: no way to fir"),
                ("nothing-of-that-name", "ended with status 127: "),
            ] {
                try repository.desk.writeSSH("config", "Host fir\n  ProxyCommand \(command)\n")
                let finished = try await run(try repository.submission(to: "fir"))
                #expect(finished.status == .exited(69))
                #expect(finished.errors.contains("the ProxyCommand of fir"), "\(finished.errors)")
                #expect(finished.errors.contains(words), "\(finished.errors)")
            }
        }
    }
}
