import Foundation
import IO
import SSH
import Testing

@testable import ClusterTools

/// What the user's own ssh is told, and what its words mean.
struct OpenSSHTests {
    private func login(_ change: (inout Profile) -> Void = { _ in }) -> OpenSSHLogin {
        var profile = Profile(name: "fir", hostname: "fir")
        change(&profile)
        return OpenSSHLogin(profile: profile, destination: "fir", home: "/home/ada b")
    }

    /// The words without the options that every login has.
    private func own(_ login: OpenSSHLogin) -> [String] {
        let common = self.login().words(folder: "/f").count - 2
        return Array(login.words(folder: "/f").dropFirst(common))
    }

    @Test func anAliasAloneLeavesAllToTheConfiguration() {
        #expect(own(login()) == ["--", "fir"])
        #expect(login().words(folder: "/f").prefix(3) == ["ssh", "-F", "/f/config"])
        let configuration = login().files().first { $0.name == "config" }?.text ?? ""
        let lines = configuration.split(separator: "\n").map { $0.drop { $0 == " " } }
        #expect(lines.first == #"Include "/home/ada b/.ssh/config""#)
        // After what the user has set, where the first value counts.
        #expect(lines.dropFirst(2).first == "Host *")
        #expect(lines.contains("ServerAliveInterval 5"))
    }

    @Test func theProfilesKeysWin() {
        let login = login {
            $0.user = "ada"
            $0.port = 2222
            $0.sshKey = "/home/ada/100%/key"
            $0.knownHosts = "/home/ada/known hosts"
        }
        #expect(
            own(login) == [
                "-l", "ada", "-i", "/home/ada/100%%/key", "-o", "IdentitiesOnly=yes", "-p", "2222", "-o",
                #"UserKnownHostsFile="/home/ada/known hosts""#, "--", "fir",
            ])
    }

    @Test func aHopHasTheIdentityOfTheFirstLoginAndKeysOfItsOwn() throws {
        var login = login {
            $0.user = "ada"
            $0.port = 2222
        }
        let key = HostKey(type: "ssh-ed25519", blob: [0, 0, 0, 11] + Array("ssh-ed25519".utf8) + [0, 0, 0, 0])
        let worker = Worker(host: "n1; rm", port: 22, hostKeys: [key.line])
        login.hop = .init(worker: worker, control: "/outer/control", hostKeys: [key])
        let words = own(login)
        #expect(words.prefix(2) == ["-l", "ada"])
        #expect(words.suffix(2) == ["--", "fir"])
        #expect(words.contains("HostName=n1; rm"))
        #expect(words.contains("Port=22"))
        #expect(words.contains("StrictHostKeyChecking=yes"))
        #expect(words.contains("UserKnownHostsFile=/f/known_hosts"))
        let through = try #require(words.first { $0.hasPrefix("ProxyCommand=") })
        #expect(
            through.hasSuffix(" -S /outer/control -o 'ControlMaster=no' -o 'ProxyCommand=false' -W 'n1; rm:22' -- fir"))
        #expect(login.files().first { $0.name == "known_hosts" }?.text == "n1; rm \(key.line)\n")
        // Without keys of its own, those that are recorded count.
        login.hop = .init(worker: worker, control: "/outer/control", hostKeys: [])
        #expect(!own(login).contains { $0.hasPrefix("UserKnownHostsFile") })
        #expect(login.files().map(\.name) == ["config"])
    }

    /// ssh itself takes all of it, and understands it as it is meant.
    @Test(.enabled(if: hasSSH, "ssh is not installed")) func sshTakesTheseWords() async throws {
        var login = login { $0.sshKey = "/home/ada/key" }
        login.hop = .init(
            worker: Worker(host: "n1", port: 2022, hostKeys: []), control: "/outer/control",
            hostKeys: [HostKey(type: "ssh-ed25519", blob: [])])
        let loop = try PollLoop()
        let settings = try await withPrivateFolder(environment: [:]) { folder in
            for file in login.files() { try writePrivateFile("\(folder)/\(file.name)", file.text) }
            let words = ["-G"] + login.words(folder: folder).dropFirst()
            return try await withChildProcess("ssh", words, loop: loop) { ssh in
                let output = String(decoding: try await ssh.readToEnd(), as: UTF8.self)
                let errors = String(decoding: try await ssh.readError(upTo: 4096), as: UTF8.self)
                let status = try await ssh.exitStatus()
                #expect(status == .exited(0), "\(errors)")
                return output.split(separator: "\n").map(String.init)
            }
        }
        for setting in [
            "hostname n1", "port 2022", "hostkeyalias n1", "identitiesonly yes", "controlmaster true",
            "controlpersist no", "stricthostkeychecking true", "globalknownhostsfile /dev/null", "connecttimeout 15",
            "serveraliveinterval 5", "serveralivecountmax 3", "localcommand echo ready", "permitlocalcommand yes",
            "proxycommand ssh -F none -S /outer/control -o 'ControlMaster=no' -o 'ProxyCommand=false' -W n1:2022 -- fir",
        ] { #expect(settings.contains(setting), "\(setting) is not among\n\(settings.joined(separator: "\n"))") }
    }

    @Test func questionsAreRecognised() {
        #expect(
            OpenSSHQuestion("Enter passphrase for key '/home/ada/.ssh/id_ed25519': ", hint: "")
                == .passphrase(key: "/home/ada/.ssh/id_ed25519"))
        #expect(
            OpenSSHQuestion("(ada@fir) Passcode or option (1-3): ", hint: "")
                == .secret("(ada@fir) Passcode or option (1-3): "))
        #expect(
            OpenSSHQuestion("Confirm user presence for key", hint: "none") == .notice("Confirm user presence for key"))
        #expect(
            OpenSSHQuestion("Allow shared connection? ", hint: "confirm") == .confirmation("Allow shared connection? "))
    }

    @Test(arguments: ["is", "is:"]) func aHostKeyQuestionSaysWhichKey(word: String) {
        let prompt = """
            The authenticity of host '[fir]:22 ([::1]:22)' can't be established.
            ED25519 key fingerprint \(word) SHA256:uNiVztksCsDhcc0u9e8BrYUSICRXi7w5BJRZNzQ9HA0\(word == "is" ? "." : "")
            This key is not known by any other names.
            Are you sure you want to continue connecting (yes/no/[fingerprint])?\u{20}
            """
        #expect(
            OpenSSHQuestion(prompt, hint: "")
                == .hostKey(type: "ED25519", fingerprint: "SHA256:uNiVztksCsDhcc0u9e8BrYUSICRXi7w5BJRZNzQ9HA0"))
        // Other words, as another version may have them, are shown as they are.
        #expect(OpenSSHQuestion("Go on (yes/no)? ", hint: "") == .confirmation("Go on (yes/no)? "))
    }

    @Test(arguments: [
        ("ada@fir: Permission denied (publickey,keyboard-interactive).", Exit.noPermission),
        ("Received disconnect from fir port 22:2: Too many authentication failures", Exit.noPermission),
        ("@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@\nHost key verification failed.", Exit.noHost),
        (
            "No ED25519 host key is known for fir and you have requested strict checking.\nHost key verification failed.",
            68
        ),
        ("ssh: connect to host fir port 22: Connection refused", Exit.unavailable),
        ("words that no version has ever said", Exit.unavailable), ("", Exit.unavailable),
        ("/home/ada/.ssh/config: line 3: Bad configuration option: foo", Exit.configuration),
    ])
    func sshsWordsChooseTheStatus(words: String, status: Int32) throws {
        let error = OpenSSHComplaint(status: .exited(255), words: words).error(host: "fir")
        let failure = try #require(Failure.connecting(to: "fir", error) as? Failure)
        #expect(failure.status == status)
        #expect(failure.text(program: "submit").contains(words.split(separator: "\n").first ?? "fir"))
    }

    @Test func aMissingSSHIsExplained() throws {
        let error = OpenSSHComplaint(status: .exited(127), words: "sh: 1: ssh: not found").error(host: "fir")
        let failure = try #require(error as? Failure)
        #expect(failure.status == Exit.unavailable)
        #expect(failure.remedy == "install OpenSSH, or remove \"transport\" from the profile")
    }

    @Test func aFolderForSocketsIsPrivateShortAndGoesAway() async throws {
        let loop = try PollLoop()
        // The first is too long and the second has characters that ssh would expand.
        let environment = ["XDG_RUNTIME_DIR": "/tmp/" + String(repeating: "x", count: 100), "TMPDIR": "/tmp/%h"]
        let folder = try await withPrivateFolder(environment: environment) { folder in
            #expect(folder.hasPrefix("/tmp/ct-ssh-"))
            try writePrivateFile(folder + "/secret", "text")
            let listing = try await withChildProcess("ls", ["-ld", folder, folder + "/secret"], loop: loop) {
                String(decoding: try await $0.readToEnd(), as: UTF8.self).split(separator: "\n")
            }
            #expect(listing.map { $0.prefix(10) } == ["drwx------", "-rw-------"])
            return folder
        }
        let status = try await withChildProcess("test", ["-e", folder], loop: loop) { try await $0.exitStatus() }
        #expect(status == .exited(1))
    }
}

private let hasSSH = ["/usr/bin/ssh", "/usr/local/bin/ssh", "/opt/homebrew/bin/ssh"]
    .contains { FileManager.default.isExecutableFile(atPath: $0) }
