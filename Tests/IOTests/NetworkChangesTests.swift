import Foundation
import IO
import Testing

@Suite(.timeLimit(.minutes(1))) struct NetworkChangesTests {
    #if os(Linux)
        private static let obstacle: String? =
            geteuid() != 0
            ? "changing the network needs root"
            : FileManager.default.isExecutableFile(atPath: "/usr/sbin/ip") ? nil : "there is no ip (iproute2)"

        @Test(.enabled(if: obstacle == nil, "\(obstacle ?? "")")) func aNewAddressIsNoticed() async throws {
            let loop = try PollLoop()
            defer { loop.stop() }
            let noticed = OneShot<Void>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await watchNetwork(loop: loop) { noticed.deliver(.success(())) } }
                // An address of the loopback interface that nobody uses.
                let address = "127.\(Int.random(in: 100...200)).\(Int.random(in: 1...250)).7/32"
                while !noticed.isSettled {
                    for verb in ["add", "del"] {
                        try await withChildProcess("/usr/sbin/ip", ["address", verb, address, "dev", "lo"], loop: loop)
                        {
                            _ = try await $0.exitStatus()
                        }
                    }
                }
                group.cancelAll()
            }
        }
    #endif

    @Test func watchingCanBeCancelled() async throws {
        let loop = try PollLoop()
        defer { loop.stop() }
        let watch = Task { try await watchNetwork(loop: loop) {} }
        try await Task.sleep(for: .milliseconds(50))
        watch.cancel()
        await #expect(throws: CancellationError.self) { try await watch.value }
    }
}
