import Foundation
import IO
import Testing

@testable import SSH

@Suite struct HostConfigurationTests {
    private let account = LocalAccount(
        environment: ["KEYS": "/keys", "SSH_AUTH_SOCK": "/agent", "OTHER": "/other-agent"], home: "/home/ada",
        recordedHome: "/home/ada", name: "ada", id: 1000, hostName: "laptop.example")

    private func configuration(_ lines: String...) throws -> HostConfiguration {
        let always = ["host fir", "user ada", "hostname fir.example.org", "port 22"]
        return try HostConfiguration(output: (always + lines).joined(separator: "\n") + "\n", name: "fir")
    }

    private func login(_ configuration: HostConfiguration) -> Login {
        configuration.login(for: account, prompter: Prompter())
    }

    @Test func whereAndWhoAndThroughWhom() throws {
        let configuration = try configuration(
            "port 2200", "hostkeyalias cluster", "proxyjump bob@gate:2222,ssh://x%40y@h:99/,[::1]:23,inner")
        #expect(configuration.endpoint == Endpoint(host: "fir.example.org", port: 2200, user: "ada", name: "fir"))
        #expect(configuration.endpoint.description == "ada@fir:2200")
        #expect(
            configuration.jumpHosts == [
                JumpHost(user: "bob", host: "gate", port: 2222), JumpHost(user: "x@y", host: "h", port: 99),
                JumpHost(host: "::1", port: 23), JumpHost(host: "inner"),
            ])
        #expect(configuration.hostKeyAlias == "cluster")
    }

    @Test(arguments: [
        "", ",", "a,", "a b", "-oProxyCommand=x", "-x@host", "@host", "host:", "host:0", "host:65536", "host:x", "[::1",
        "[::1]x", "[]", "ssh://%zz@host", "ssh://", "u@",
    ])
    func jumpHostsThatAreNone(text: String) {
        #expect(JumpHost.list(text) == nil)
    }

    @Test func noneIsNone() throws {
        let configuration = try configuration(
            "identityfile none", "proxyjump none", "proxycommand none", "userknownhostsfile none", "identityagent none",
            "certificatefile none", "connecttimeout none", "pkcs11provider none")
        #expect(configuration.identityFiles.isEmpty)
        #expect(configuration.jumpHosts.isEmpty)
        #expect(configuration.proxyCommand == nil)
        #expect(configuration.userKnownHosts.isEmpty)
        let login = login(configuration)
        #expect(login.agentSocket == nil)
        #expect(login.limits.isEmpty)
        #expect(login.connectTimeout == .seconds(15))
        #expect(login.silenceLimit == .seconds(15))
    }

    @Test func keysAreExpandedAsSSHDoes() throws {
        let configuration = try configuration(
            "identityfile ~/.ssh/%r-%h-%p-%n-%u-%i-%L-%l-%%", "identityfile ${KEYS}/two words", "identityfile ${NO}/x",
            "identityfile %d/$KEYS/%", "identityfile /x%q")
        let login = login(configuration)
        #expect(
            login.identityFiles == [
                "/home/ada/.ssh/ada-fir.example.org-22-fir-ada-1000-laptop-laptop.example-%", "/keys/two words",
                "/home/ada/$KEYS/%", "/x%q",
            ])
        #expect(login.prefersIdentityFiles)
    }

    @Test func theUsualKeysAreNoChoiceOfTheUsers() throws {
        let usual = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"].map {
            "identityfile ~/.ssh/\($0)"
        }
        let output = (["user ada"] + usual).joined(separator: "\n")
        #expect(!login(try HostConfiguration(output: output, name: "x")).prefersIdentityFiles)
        #expect(login(try configuration("identityfile ~/.ssh/id_ed25519")).prefersIdentityFiles)
        #expect(!login(try configuration("identityfile none")).prefersIdentityFiles)
    }

    @Test(arguments: [
        ("SSH_AUTH_SOCK", "/agent"), ("$OTHER", "/other-agent"), ("$NOWHERE", nil),
        ("~/agent-%r", "/home/ada/agent-ada"),
        ("none", nil), ("${OTHER}.2", "/other-agent.2"),
    ])
    func theAgent(option: String, socket: String?) throws {
        #expect(login(try configuration("identityagent \(option)")).agentSocket == socket)
        #expect(login(try configuration()).agentSocket == "/agent")
    }

    @Test func knownHostsFilesMayHaveSpaces() throws {
        let configuration = try configuration(
            "userknownhostsfile /home/ada/.ssh/a /b c/d /dev/null", "globalknownhostsfile ~/g /etc/g h",
            "hashknownhosts yes", "hostkeyalias k")
        guard case .knownHosts(let policy) = login(configuration).hostKeys else {
            Issue.record("no known hosts")
            return
        }
        #expect(policy.userFiles == ["/home/ada/.ssh/a", "/b c/d", "/dev/null"])
        #expect(policy.globalFiles == ["/home/ada/g", "/etc/g h"])
        #expect(policy.hashesNames)
        #expect(policy.alias == "k")
    }

    @Test(arguments: [
        ("yes", false, KnownHostsPolicy.NewKeys.refuse, false), ("true", false, .refuse, false),
        ("ask", false, .ask, false), ("ask", true, .refuse, false), ("accept-new", false, .accept, false),
        ("accept-new", true, .accept, false), ("no", false, .accept, true), ("false", false, .accept, true),
        ("off", false, .accept, true),
    ])
    func strictHostKeyChecking(option: String, batch: Bool, new: KnownHostsPolicy.NewKeys, bears: Bool) throws {
        let configuration = try configuration("stricthostkeychecking \(option)", "batchmode \(batch ? "yes" : "no")")
        guard case .knownHosts(let policy) = login(configuration).hostKeys else {
            Issue.record("no known hosts")
            return
        }
        #expect(policy.newKeys == new)
        #expect(policy.bearsChangedKeys == bears)
    }

    @Test func deadlinesThatAreSetCount() throws {
        let set = login(try configuration("serveraliveinterval 7", "serveralivecountmax 2", "connecttimeout 60"))
        #expect(set.silenceLimit == .seconds(14))
        #expect(set.connectTimeout == .seconds(60))
        #expect(login(try configuration("serveraliveinterval 0")).silenceLimit == .seconds(15))
        // Debian's ssh sets this one by itself.
        #expect(login(try configuration("batchmode yes", "serveraliveinterval 300")).silenceLimit == .seconds(15))
    }

    @Test(arguments: [
        (["preferredauthentications password,publickey"], "password publickey"),
        (["preferredauthentications gssapi-with-mic"], ""),
        (["kbdinteractiveauthentication no"], "publickey password"),
        (["pubkeyauthentication false", "passwordauthentication no"], "keyboard-interactive"),
        (["pubkeyauthentication unbound"], "publickey keyboard-interactive password"),
        (["batchmode yes"], "publickey"),
    ])
    func methods(lines: [String], methods: String) throws {
        let output = (["user ada"] + lines).joined(separator: "\n")
        let configuration = try HostConfiguration(output: output, name: "x")
        #expect(configuration.methods.map(\.rawValue).joined(separator: " ") == methods)
    }

    @Test func whatIsNotSupportedIsKnown() throws {
        let configuration = try configuration(
            "certificatefile ~/c", "pkcs11provider /lib/token.so", "gssapiauthentication yes", "identitiesonly yes")
        let login = login(configuration)
        #expect(login.limits.map(\.method) == ["gssapi-with-mic", "gssapi-keyex", "publickey", "publickey"])
        #expect(login.usesOnlyIdentityFiles)
        #expect(try self.configuration("proxyusefdpass yes").passesDescriptor)
    }

    @Test func aProxyCommandGetsNoForeignShellWords() throws {
        let configuration = try configuration("proxycommand nc \"x y\" %h %p %r %n %% ${HOME} $HOME")
        #expect(
            try configuration.expandedProxyCommand(try #require(configuration.proxyCommand), for: account)
                == "nc \"x y\" fir.example.org 22 ada fir % ${HOME} $HOME")
        for name in ["$(touch x)", "a;b", "`a`", "a b", "-oX", "a'b", "a\nb"] {
            var evil = configuration
            evil.user = name
            #expect(throws: SSHError.self) { try evil.expandedProxyCommand("nc %h", for: account) }
        }
    }

    @Test(arguments: ["port 0", "port abc", "stricthostkeychecking maybe", "proxyjump a b", "serveraliveinterval -1"])
    func nonsenseIsSaid(line: String) {
        let error = #expect(throws: SSHError.self) { try configuration(line) }
        #expect(error?.code == .configurationInvalid)
        #expect(error?.message.contains(line) == true)
        #expect(throws: SSHError.self) { try HostConfiguration(output: "hostname x\n", name: "x") }
    }

    // MARK: With the ssh that is here

    private func lookup(
        home: String, recordedHome: String, _ body: (ConfigurationLookup) async throws -> Void
    ) async throws {
        var account = LocalAccount.current(environment: ProcessInfo.processInfo.environment)
        account.home = home
        account.recordedHome = recordedHome
        try await body(ConfigurationLookup(account: account, loop: try PollLoop()))
    }

    @Test func aConfigurationIsReadByTheSSHThatIsHere() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/.ssh", withIntermediateDirectories: false)
            try write(
                """
                Host fir
                    HostName %h.example.org
                    Port 2200
                    IdentityFile "~/my key"
                    ProxyJump gate,inner:23
                    UserKnownHostsFile ~/.ssh/known_%k
                Match user kim
                    StrictHostKeyChecking accept-new
                """, to: "\(folder)/.ssh/config")
            let recorded = LocalAccount.current(environment: [:]).recordedHome
            try await lookup(home: folder, recordedHome: recorded) { lookup in
                let fir = try await lookup.configuration(of: "fir")
                #expect(fir.hostName == "fir.example.org")
                #expect(fir.port == 2200)
                #expect(fir.user == LocalAccount.current(environment: [:]).name)
                #expect(fir.identityFiles == ["~/my key"])
                #expect(fir.jumpHosts.map(\.host) == ["gate", "inner"])
                // ssh itself would take `~` for another folder.
                #expect(fir.userKnownHosts == ["\(folder)/.ssh/known_fir"])
                let kim = try await lookup.configuration(of: "fir", user: "kim", port: 7)
                #expect(kim.user == "kim")
                #expect(kim.port == 7)
                #expect(kim.strictHostKeyChecking == .acceptNew)

                try write("Host *\n  Bogus yes\n", to: "\(folder)/.ssh/config")
                let error = await #expect(throws: SSHError.self) { _ = try await lookup.configuration(of: "fir") }
                #expect(error?.code == .configurationInvalid)
                #expect(error?.message.contains("line 2: Bad configuration option: bogus") == true)
            }
        }
    }

    @Test func theUsualsAreTakenForTheUsuals() async throws {
        try await withTemporaryFolder { folder in
            try await lookup(home: folder, recordedHome: "/nowhere") { lookup in
                let plain = try await lookup.configuration(of: "somewhere.example")
                #expect(!plain.namesIdentities, "\(plain.identityFiles)")
                #expect(plain.hostName == "somewhere.example")
                #expect(plain.port == 22)
            }
        }
    }
}
