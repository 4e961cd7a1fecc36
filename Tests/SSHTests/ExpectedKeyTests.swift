import Foundation
import IO
import Synchronization
import Testing

@testable import SSH

/// Logins that make use of what an earlier one has shown.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ExpectedKeyTests {
    private final class Lessons: Sendable {
        private let lessons = Mutex<[String?]>([])
        var all: [String?] { lessons.withLock { $0 } }
        func add(_ lesson: String?) { lessons.withLock { $0.append(lesson) } }
    }

    private func login(
        _ server: TestServer, keys: [String]? = nil, expecting name: String?, _ lessons: Lessons = Lessons()
    ) throws -> Login {
        var login = try server.login(keys: keys)
        login.expectedKey = try name.map { try publicKey("\(server.folder)/\($0).pub").fingerprint }
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
            try await withSession(server, try login(server, expecting: nil, lessons)) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
            try #expect(lessons.all == [fingerprint("key", server)])
        }
    }

    @Test func aKnownKeyIsTriedWithoutAskingForTheMethods() async throws {
        try await TestServer.with { server in
            let lessons = Lessons()
            try await withSession(server, try login(server, expecting: "key", lessons)) { session in
                for _ in 0..<3 { try await expect(session.run("echo in").output, is: "in\n") }
            }
            #expect(!server.log.contains("method none"))
            #expect(server.log.contains("method publickey"))
            #expect(lessons.all.isEmpty)
        }
    }

    @Test func anExpectedKeyMayBeOfRSA() async throws {
        try await TestServer.with { server in
            let key = "\(server.folder)/old"
            try await generateKey(key, type: "rsa", options: ["-b", "2048"], loop: server.loop)
            try copyFileOver("\(key).pub", "\(server.folder)/authorized_keys")
            for _ in 0..<3 {
                try await withSession(server, try login(server, keys: [key], expecting: "old")) { session in
                    try await expect(session.run("echo in").output, is: "in\n")
                }
            }
        }
    }

    @Test func aKeyThatIsRefusedByNowMakesWayForTheOthers() async throws {
        try await TestServer.with { server in
            try await generateKey("\(server.folder)/old", loop: server.loop)
            let lessons = Lessons()
            let keys = ["\(server.folder)/old", "\(server.folder)/key"]
            try await withSession(server, try login(server, keys: keys, expecting: "old", lessons)) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
            try #expect(lessons.all == [fingerprint("key", server)])
        }
    }

    @Test func anExpectedKeyThatHasGoneIsNoObstacle() async throws {
        try await TestServer.with { server in
            try await generateKey("\(server.folder)/gone", loop: server.loop)
            try await withSession(server, try login(server, expecting: "gone")) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
        }
    }

    @Test func aServerThatWantsMoreByNowGetsIt() async throws {
        try await TestServer.with(["AuthenticationMethods publickey,publickey"]) { server in
            try await generateKey("\(server.folder)/second", loop: server.loop)
            let both = try ["key.pub", "second.pub"].map {
                try String(contentsOfFile: "\(server.folder)/\($0)", encoding: .utf8)
            }
            try write(both.joined(), to: "\(server.folder)/authorized_keys")
            let lessons = Lessons()
            let keys = ["\(server.folder)/key", "\(server.folder)/second"]
            try await withSession(server, try login(server, keys: keys, expecting: "key", lessons)) { session in
                try await expect(session.run("echo in").output, is: "in\n")
            }
            #expect(lessons.all == [nil])
        }
    }

    @Test func aPassphraseIsAskedForOnceAndAfterTheServerHasAcceptedTheKey() async throws {
        try await TestServer.with { server in
            let key = "\(server.folder)/locked"
            try await generateKey(key, passphrase: "secret", options: ["-a", "1"], loop: server.loop)
            try copyFileOver("\(key).pub", "\(server.folder)/authorized_keys")
            let prompter = Prompter(answers: ["secret"])
            var login = try server.login(keys: [key], prompter: prompter)
            login.expectedKey = try fingerprint("locked", server)
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
