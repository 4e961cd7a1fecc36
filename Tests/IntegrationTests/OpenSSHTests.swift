import Foundation
import Testing

/// The processes and files behind `"transport": "openssh"`: there when they are needed, and gone afterwards, however it ends.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(2)))
struct OpenSSHTests {
    /// Says that it runs, and ends when a file appears.
    private static let job = "echo it runs; until [ -e \"$1\" ]; do sleep 0.05; done; echo it ends"

    /// A submit that watches a running job over a server of its own.
    private struct Scene {
        let terminal: Terminal
        let desk: Desk
        /// Holds the sockets of its ssh.
        let folder: String

        func letTheJobEnd() throws { try Data().write(to: URL(filePath: desk.folder + "/go")) }

        func expectNothingLeft() async throws {
            try await eventually("end of all that \(folder) is about", within: .seconds(15)) {
                guard !FileManager.default.fileExists(atPath: folder) else { return nil as Bool? }
                return try await desk.processes(with: folder).isEmpty ? true : nil
            }
        }
    }

    private func withServer(
        isKnown: Bool = true, _ body: @Sendable (SSHServer, Repository, _ key: String) async throws -> Void
    ) async throws {
        try await withRepository { repository in
            try await withSSHServer(on: repository.desk) { server in
                let key = try await repository.desk.makeSSHKey("mine")
                try server.authorize(key)
                if isKnown { try repository.desk.writeSSH("known_hosts", try server.knownHost()) }
                try await body(server, repository, key)
            }
        }
    }

    private func withJob(_ body: @Sendable (Scene) async throws -> Void) async throws {
        try await withServer { server, repository, key in
            let desk = repository.desk
            let command = ["sh", "-c", Self.job, "job", desk.folder + "/go"]
            let launch = try server.submission(from: repository, by: .demoClusterByOpenSSH, key: key, of: command)
            // Whatever fails, the job must not stay.
            defer { _ = FileManager.default.createFile(atPath: desk.folder + "/go", contents: nil) }
            try await withTerminal(launch) { terminal in
                try await terminal.expect("\nit runs\n")
                let folders = try desk.socketFolders()
                #expect(folders.count == 1)
                try await body(Scene(terminal: terminal, desk: desk, folder: try #require(folders.first)))
            }
        }
    }

    @Test func nothingIsLeftAfterTheEnd() async throws {
        try await withJob { scene in
            let attributes = try FileManager.default.attributesOfItem(atPath: scene.folder)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
            #expect(try entries(of: scene.folder) == ["ask", "config", "control"])
            try scene.letTheJobEnd()
            #expect(try await scene.terminal.finish() == .exited(0))
            #expect(try scene.desk.socketFolders() == [])
            try await scene.expectNothingLeft()
        }
    }

    @Test(arguments: [SIGKILL, SIGTERM, SIGHUP]) func aKilledSubmitLeavesNoSSH(signal: Int32) async throws {
        try await withJob { scene in
            await scene.terminal.child.signal(signal)
            _ = try await scene.terminal.finish(within: .seconds(10))
            try await scene.expectNothingLeft()
        }
    }

    /// Before it is logged in, while somebody is asked.
    @Test(arguments: [SIGKILL, SIGINT]) func aSubmitThatIsStoppedAtAQuestionLeavesNoSSH(signal: Int32) async throws {
        try await withServer(isKnown: false) { server, repository, key in
            let launch = try server.submission(from: repository, by: .demoClusterByOpenSSH, key: key)
            try await withTerminal(launch) { terminal in
                try await terminal.expect("[y/N] ")
                let folder = try #require(try repository.desk.socketFolders().first)
                await terminal.child.signal(signal)
                let status = try await terminal.finish(within: .seconds(5))
                #expect(status == (signal == SIGINT ? .exited(130) : .signaled(signal)))
                try await Scene(terminal: terminal, desk: repository.desk, folder: folder).expectNothingLeft()
            }
        }
    }

    @Test(arguments: [SIGKILL, SIGTERM]) func anSSHThatEndsIsALostLinkThatComesBack(signal: Int32) async throws {
        try await withJob { scene in
            let terminal = scene.terminal
            // The other process with these words is the shell that guards it.
            let masters = try await scene.desk.processes(with: "ssh -F \(scene.folder)/config", named: "ssh")
            #expect(masters.count == 1)
            kill(try #require(masters.first), signal)
            try await terminal.expect("submit: the link is down")
            try await terminal.expect("submit: the link is back")
            try await scene.expectNothingLeft()
            try scene.letTheJobEnd()
            try await terminal.expect("it ends\n")
            #expect(try await terminal.finish() == .exited(0))
            #expect(await terminal.text().components(separatedBy: "it runs").count == 2)
        }
    }

    /// What a user has set for shells of their own must not get in the way, and what concerns the login must count.
    @Test func theUsersConfigurationCounts() async throws {
        try await withServer { server, repository, key in
            let desk = repository.desk
            try desk.writeSSH(
                "config",
                """
                Host work
                    HostName 127.0.0.1
                    Port \(server.port)
                    User \(NSUserName())
                    IdentityFile \(key)
                Host *
                    ControlMaster auto
                    ControlPath ~/.ssh/%r@%h:%p
                    ControlPersist 10m
                    RequestTTY force
                    RemoteCommand tmux
                    LocalForward 1 127.0.0.1:1
                    ExitOnForwardFailure yes
                    PermitLocalCommand yes
                    LocalCommand false
                    LogLevel QUIET

                """)
            expectIn(try await run(try repository.submission(to: "work", ["transport": "openssh"])))
        }
    }

    @Test func withoutSSHItSaysSo() async throws {
        try await withServer { server, repository, key in
            var launch = try server.submission(from: repository, by: .demoClusterByOpenSSH, key: key)
            launch.environment["PATH"] = "/nowhere"
            let finished = try await run(launch)
            #expect(finished.status == .exited(69))
            #expect(finished.errors.contains("install OpenSSH"), "\(finished.errors)")
        }
    }
}

extension Desk {
    /// The folders for the sockets of running ssh processes.
    fileprivate func socketFolders() throws -> [String] {
        try entries(of: folder + "/tmp").filter { $0.hasPrefix("ct-ssh-") }.map { folder + "/tmp/" + $0 }
    }

    /// The numbers of the processes that have a text among their words.
    ///
    /// - Parameter name: the program's; nil for any.
    fileprivate func processes(with text: String, named name: String? = nil) async throws -> [pid_t] {
        let launch = Launch(
            program: "ps", arguments: ["-e", "-ww", "-o", "pid=,comm=,args="], directory: "/", environment: environment)
        var found: [pid_t] = []
        for line in try await run(launch).checked("ps").output.split(separator: "\n") where line.contains(text) {
            let words = line.split(separator: " ")
            if let number = pid_t(words[0]), name == nil || words[1] == name ?? "" { found.append(number) }
        }
        return found
    }
}
