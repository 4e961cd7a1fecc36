import Foundation
import IO
import Synchronization
import Testing

@testable import SSH

/// Logins that make use of what an earlier one has shown.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LoginGuessTests {
    private final class Lessons: Sendable {
        private let lessons = Mutex<[LoginLesson]>([])
        var all: [LoginLesson] { lessons.withLock { $0 } }
        func add(_ lesson: LoginLesson) { lessons.withLock { $0.append(lesson) } }
    }

    private func login(
        _ server: TestServer, keys: [String]? = nil, guess: String?, _ lessons: Lessons = Lessons()
    ) throws -> Login {
        var login = try server.login(keys: keys)
        login.guess = try guess.map { LoginGuess(key: try publicKey("\(server.folder)/\($0).pub").fingerprint) }
        login.learn = { lessons.add($0) }
        return login
    }

    private func withSession(
        _ server: TestServer, _ login: Login, _ body: @escaping @Sendable (Session) async throws -> Void
    ) async throws {
        let route = Route(to: .init(endpoint: server.endpoint, login: login))
        try await within { try await Session.withSession(along: route, loop: server.loop) { try await body($0) } }
    }

    private func fingerprint(_ key: String, _ server: TestServer) throws -> String {
        try publicKey("\(server.folder)/\(key).pub").fingerprint
    }

    @Test func aLoginTellsWhichKeySufficed() async throws {
        try await TestServer.with { server in
            let lessons = Lessons()
            try await withSession(server, try login(server, guess: nil, lessons)) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
            try #expect(lessons.all == [.keySufficed(fingerprint("key", server))])
        }
    }

    @Test func aKnownKeyIsTriedWithoutAskingForTheMethods() async throws {
        try await TestServer.with { server in
            let lessons = Lessons()
            try await withSession(server, try login(server, guess: "key", lessons)) { session in
                for _ in 0..<3 { try await expect(session.run("echo in").output, is: "in\n") }
            }
            #expect(!server.log.contains("method none"))
            #expect(server.log.contains("method publickey"))
            #expect(lessons.all.isEmpty)
        }
    }

    @Test func theChannelThatCameEarlyServesTheFirstCommandAlsoAfterAForward() async throws {
        try await TestServer.with { server in
            try await withSession(server, try login(server, guess: "key")) { session in
                try await session.withStream(toHost: "127.0.0.1", port: server.port) { stream in
                    let banner = try await stream.read(upTo: 4)
                    #expect(text(banner) == "SSH-")
                }
                try await expect(session.run("echo in").output, is: "in\n")
                try await expect(session.run("exit 3").status, is: .exited(3))
            }
        }
    }

    @Test func aKeyThatIsRefusedByNowMakesWayForTheOthers() async throws {
        try await TestServer.with { server in
            try await generateKey("\(server.folder)/old", loop: server.loop)
            let lessons = Lessons()
            let keys = ["\(server.folder)/old", "\(server.folder)/key"]
            try await withSession(server, try login(server, keys: keys, guess: "old", lessons)) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
            try #expect(lessons.all == [.keySufficed(fingerprint("key", server))])
        }
    }

    @Test func aGuessWithoutItsKeyIsNone() async throws {
        try await TestServer.with { server in
            try await generateKey("\(server.folder)/gone", loop: server.loop)
            try await withSession(server, try login(server, guess: "gone")) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
        }
    }

    @Test func aServerThatWantsMoreByNowGetsItOnANewConnection() async throws {
        try await TestServer.with(["AuthenticationMethods publickey,publickey"]) { server in
            try await generateKey("\(server.folder)/second", loop: server.loop)
            let both = try ["key.pub", "second.pub"].map {
                try String(contentsOfFile: "\(server.folder)/\($0)", encoding: .utf8)
            }
            try write(both.joined(), to: "\(server.folder)/authorized_keys")
            let lessons = Lessons()
            let keys = ["\(server.folder)/key", "\(server.folder)/second"]
            try await withSession(server, try login(server, keys: keys, guess: "key", lessons)) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
            #expect(lessons.all == [.tookMore])
        }
    }

    @Test func aPassphraseIsAskedForOnceAndAfterTheServerHasAcceptedTheKey() async throws {
        try await TestServer.with { server in
            let key = "\(server.folder)/locked"
            try await generateKey(key, passphrase: "secret", options: ["-a", "1"], loop: server.loop)
            try copyFileOver("\(key).pub", "\(server.folder)/authorized_keys")
            let prompter = Prompter(answers: ["secret"])
            var login = try server.login(keys: [key], prompter: prompter)
            login.guess = LoginGuess(key: try fingerprint("locked", server))
            try await withSession(server, login) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
            #expect(await prompter.prompts.count == 1)
            #expect(!server.log.contains("method none"))
        }
    }

    private func copyFileOver(_ path: String, _ target: String) throws {
        try write(try String(contentsOfFile: path, encoding: .utf8), to: target)
    }
}
