import Foundation
import Testing

/// The tunnel under the load of a browser, and of several of them.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct TunnelTests {
    /// TensorBoard's program for the browser: megabytes, more than any window on the way.
    private let large = "index.js"

    /// The same page without a tunnel: worker and laptop are one machine here.
    private func direct(_ workplace: Workplace, _ path: String) async throws -> WebPage {
        let run = try #require(try workplace.leftovers().first)
        let words = try #require(try workplace.state("tensorboard", of: run)).split(separator: " ")
        return try await fetch("http://127.0.0.1:\(words[0])/\(words[1])/\(path)")
    }

    @Test(arguments: Place.availableByEachTransport) func manyConnectionsAtOnce(place: Place) async throws {
        try await withBoard(place) { _, workplace, address in
            let expected = try await direct(workplace, large)
            #expect(expected.status == 200)
            #expect(expected.body.count > 2_000_000)
            try await withThrowingTaskGroup(of: WebPage.self) { group in
                for _ in 1...6 { group.addTask { try await fetch(address + large, within: .seconds(60)) } }
                for try await page in group { #expect(page.status == 200 && page.body == expected.body) }
            }
            let page = try await direct(workplace, "")
            try await withThrowingTaskGroup(of: WebPage.self) { group in
                for _ in 1...40 { group.addTask { try await fetch(address, within: .seconds(60)) } }
                for try await other in group { #expect(other.status == 200 && other.body == page.body) }
            }
        }
    }

    @Test(arguments: Place.availableByEachTransport) func theAnswerComesAfterTheRequestsEnd(place: Place) async throws {
        try await withBoard(place) { _, workplace, address in
            let expected = try await direct(workplace, large)
            let page = try await fetch(address + large, manners: .halfClose)
            #expect(page.body == expected.body)
        }
    }

    @Test(arguments: Place.availableByEachTransport) func aSlowReaderStallsNobodyElse(place: Place) async throws {
        try await withBoard(place) { terminal, workplace, address in
            let expected = try await direct(workplace, large)
            async let slow = fetch(address + large, manners: .slow(.seconds(4)), within: .seconds(60))
            // Until the way is full of what it does not read.
            try await Task.sleep(for: .milliseconds(500))
            let began = ContinuousClock.now
            for _ in 1...5 { #expect(try await fetch(address).status == 200) }
            #expect(ContinuousClock.now - began < .seconds(3))
            let page = try await slow
            #expect(page.body == expected.body)
            // The job's output was not held up either.
            try workplace.raise("go")
            #expect(try await terminal.finish() == .exited(3))
        }
    }

    @Test func twoSubmitsHaveTwoTunnels() async throws {
        try await withBoard(.thisMachine) { _, _, first in
            try await withBoard(.demoCluster) { _, _, second in
                #expect(first != second)
                let statuses = [try await fetch(first).status, try await fetch(second).status]
                #expect(statuses == [200, 200])
                let ports = [first, second].compactMap { URL(string: $0)?.port }
                #expect(Set(ports).count == 2)
                // Each port knows its own secret only.
                let crossed = "http://localhost:\(ports[0])" + (URL(string: second)?.path() ?? "")
                let status = try await fetch(crossed).status
                #expect(status == 404)
            }
        }
    }

    @Test func itWorksAgainAfterALostLink() async throws {
        try await withDemoCluster { cluster in
            try await withFaultyLink(to: cluster) { link, profile in
                try await withBoard(.demoCluster, cluster: cluster, profile: profile) { terminal, workplace, address in
                    #expect(try await fetch(address).status == 200)
                    for _ in 1...2 {
                        link.cut(staysDown: true)
                        try await terminal.expect("submit: the link is down")
                        // A click meanwhile waits for the link.
                        async let patient = fetch(address)
                        try await Task.sleep(for: .milliseconds(300))
                        link.mend()
                        let page = try await patient
                        #expect(page.status == 200)
                        #expect(try await fetch(address).status == 200)
                    }
                    try workplace.raise("go")
                    #expect(try await terminal.finish() == .exited(3))
                    // The same address all the time, and said once.
                    #expect(await terminal.text().components(separatedBy: "http://").count == 2)
                }
            }
        }
    }

    /// Whoever connects while the job is cancelled, or breaks off in the middle of a page, disturbs nothing.
    @Test(arguments: Place.availableByEachTransport) func aBrowserThatHangsUpDoesNoHarm(place: Place) async throws {
        try await withBoard(place) { terminal, workplace, address in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...5 {
                    group.addTask { _ = try? await fetch(address + large, within: .milliseconds(60)) }
                }
                try await group.waitForAll()
            }
            #expect(try await fetch(address).status == 200)
            async let pending = fetch(address + large, manners: .slow(.seconds(2)))
            await terminal.press(.interrupt)
            try await terminal.expect("[y/N/d]")
            await terminal.type("y\n")
            #expect(try await terminal.finish() == .exited(130))
            _ = try? await pending
            try await workplace.allJobsEnd()
        }
    }
}
