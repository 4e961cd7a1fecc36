import Foundation
import IO
import Testing

@testable import ClusterTools

@Suite(.timeLimit(.minutes(1))) struct BrowserTests {
    private func command(_ environment: [String: String], programs: Set<String>) -> [String]? {
        Browser(environment: environment.merging(["PATH": "/usr/bin:/opt/bin"]) { $1 }) { programs.contains($0) }?
            .command
    }

    @Test func theUsersOwnChoiceCounts() {
        let programs: Set = ["/opt/bin/firefox", "/usr/bin/xdg-open", "/home/ada/show"]
        #expect(command(["BROWSER": "firefox -new-tab"], programs: programs) == ["/opt/bin/firefox", "-new-tab"])
        #expect(command(["BROWSER": "missing:/home/ada/show %s"], programs: programs) == ["/home/ada/show", "%s"])
    }

    #if !canImport(Darwin)
        @Test func theSystemsOwnNeedsAScreen() {
            let programs: Set = ["/usr/bin/xdg-open"]
            #expect(command([:], programs: programs) == nil)
            #expect(command(["DISPLAY": ":0"], programs: programs) == ["/usr/bin/xdg-open"])
            #expect(command(["WAYLAND_DISPLAY": "w"], programs: programs) == ["/usr/bin/xdg-open"])
            #expect(command(["DISPLAY": ":0"], programs: []) == nil)
        }
    #endif

    /// What is asked of an HTTP server, and what it answers.
    private func fetch(_ address: String, loop: PollLoop) async throws -> String {
        let url = try #require(URL(string: address))
        let port = try #require(url.port)
        return try await withConnection(
            toHost: "127.0.0.1", port: UInt16(port), timeout: .seconds(5), loop: loop
        ) { stream in
            try await stream.write(Array("GET \(url.path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            return String(decoding: try await stream.readToEnd(), as: UTF8.self)
        }
    }

    @Test func anAddressLeadsToAnotherOnce() async throws {
        let loop = try PollLoop()
        defer { loop.stop() }
        let address = OneTimeAddress(target: "http://localhost:1/secret/", loop: loop)
        let isUsed = try await address.lend { link in
            // The listener answers when the body has returned.
            Task {
                let root = try #require(link.firstRange(of: #/^http:\/\/localhost:\d+/#)).upperBound
                let icon = try await fetch(link[..<root] + "/favicon.ico", loop: loop)
                #expect(icon.hasPrefix("HTTP/1.1 404 "))
                let page = try await fetch(link, loop: loop)
                #expect(page.hasPrefix("HTTP/1.1 303 "))
                #expect(page.contains("\r\nLocation: http://localhost:1/secret/\r\n"))
                await #expect(throws: (any Error).self) { try await fetch(link, loop: loop) }
            }
        }
        #expect(isUsed)
    }
}
