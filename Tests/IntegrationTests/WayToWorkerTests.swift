import Foundation
import Testing

/// The ways from here to the worker: directly, by an SSH hop, by a step of the job.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct WayToWorkerTests {
    private func expectPages(_ address: String) async throws {
        #expect(try await fetch(address).status == 200)
        let script = try await fetch(address + "index.js", within: .seconds(60))
        #expect(script.status == 200 && script.body.count > 2_000_000)
        #expect(try await fetch(address + "index.js", manners: .halfClose, within: .seconds(60)).body == script.body)
        try await withThrowingTaskGroup(of: WebPage.self) { group in
            for _ in 1...10 { group.addTask { try await fetch(address, within: .seconds(60)) } }
            for try await page in group { #expect(page.status == 200) }
        }
    }

    /// A way that the profile forces, on the cluster that is one machine.
    ///
    /// - Parameter tunnel: the profile's value, as JSON.
    private func withWay(
        _ tunnel: String, from place: Place = .demoCluster,
        _ body: @Sendable (Terminal, Workplace, String) async throws -> Void
    ) async throws {
        let profile = try await withDemoCluster { cluster in
            var values = try cluster.profileValues()
            values["transport"] = place.transport
            values["tunnel"] = try JSONSerialization.jsonObject(with: Data(tunnel.utf8), options: .fragmentsAllowed)
            let path = "\(Programs.temporary)/ct-way-\(UUID().uuidString.prefix(8)).json"
            try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: path))
            return path
        }
        defer { unlink(profile) }
        try await withBoard(place, "-v", profile: profile, body: body)
    }

    @Test func byAStepOfTheJob() async throws {
        try await withWay(#""srun""#) { terminal, workplace, address in
            try await expectPages(address)
            let processes = try await run(
                Launch(
                    program: "ps", arguments: ["-e", "-ww", "-o", "args="], directory: "/",
                    environment: ["PATH": "/usr/bin:/bin"])
            ).output
            #expect(processes.contains("\(workplace.runs)/") && processes.contains("/job/relay.py"))
            // The step is a part of the job, and must not keep it.
            try workplace.raise("go")
            #expect(try await terminal.finish() == .exited(3))
            try await workplace.allJobsEnd(within: .seconds(10))
        }
    }

    @Test(arguments: Place.clusters) func byAnSSHHop(place: Place) async throws {
        let port = try await withDemoCluster { try #require(try $0.profileValues()["port"] as? Int) }
        let way = #"{"way": "ssh", "host": "127.0.0.1", "port": \#(port)}"#
        try await withWay(way, from: place) { terminal, workplace, address in
            try await expectPages(address)
            try workplace.raise("go")
            #expect(try await terminal.finish() == .exited(3))
        }
    }

    /// A way that leads nowhere costs TensorBoard, and not the job.
    @Test func aWayThatLeadsNowhere() async throws {
        try await withDemoCluster { cluster in
            try await withWorkplace(.demoCluster, files: TensorBoardTests.files, cluster: cluster) { workplace in
                var values = try cluster.profileValues()
                // Nobody listens there.
                values["tunnel"] = ["way": "ssh", "host": "127.0.0.1", "port": 1]
                var workplace = workplace
                workplace.profile = try writeProfile(values, on: workplace.repository.desk)
                let launch = workplace.submit("python", "train.py", workplace.signpost("go"))
                try await withTerminal(launch) { [workplace] terminal in
                    let line = try await terminal.expect(#/submit: no TensorBoard: .*\n/#, within: .seconds(60))
                    #expect(line.contains("no way leads there (ssh: "), "\(line)")
                    try workplace.raise("go")
                    #expect(try await terminal.finish() == .exited(3))
                    #expect(await terminal.text().contains("trained\n"))
                }
            }
        }
    }
}

/// Hosts of their own: the laptop, the access node and the workers have nothing in common but the network between them.
@Suite(
    .enabled(if: DemoCluster.rootObstacle == nil, "\(DemoCluster.rootObstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct SeparateHostsTests {
    @Test func hopStepAndLink() async throws {
        try await withOwnDemoCluster(.init(hasHosts: true)) { cluster in
            try await withBoard(.demoCluster, cluster: cluster) { terminal, workplace, address in
                // A real hop; the port has the same number here, where it is free.
                #expect(try await fetch(address).status == 200)
                let run = try #require(try workplace.leftovers().first)
                let state = try #require(try workplace.state("tensorboard", of: run))
                #expect(
                    state.split(separator: " ").first.map(String.init) == URL(string: address)?.port.map(String.init))

                // The cable is pulled: silence, until somebody notices.
                try await cluster.fault("link", "laptop", "down")
                try await terminal.expect("submit: the link is down", within: .seconds(40))
                try await terminal.expect("[y/N/d]")
                try await cluster.fault("link", "laptop", "up")
                try await terminal.expect("submit: the link is back", within: .seconds(60))
                #expect(try await fetch(address).status == 200)
                try workplace.raise("go")
                #expect(try await terminal.finish() == .exited(3))
            }
            // Workers that take no logins: a step of the job does it.
            for node in ["n1", "n2"] { try await cluster.stopLogins(on: node) }
            try await withBoard(.demoCluster, "-v", cluster: cluster) { terminal, workplace, address in
                #expect(await terminal.text().contains("by ssh"))
                #expect(try await fetch(address).status == 200)
                try workplace.raise("go")
                #expect(try await terminal.finish() == .exited(3))
            }
        }
    }
}

extension DemoCluster {
    /// Ends the SSH server of a worker.
    fileprivate func stopLogins(on node: String) async throws {
        let file = "\(state)/pids/sshd-\(node)"
        let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        let server = try #require(Int32(text.split(whereSeparator: \.isWhitespace).first ?? ""))
        kill(server, SIGKILL)
    }
}

/// The access node's SSH server itself fails.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct ServerFaultTests {
    @Test func itsSessionsEndAndItRestarts() async throws {
        try await withOwnDemoCluster { cluster in
            try await withBoard(.demoCluster, cluster: cluster) { terminal, workplace, address in
                let id = try #require(try await workplace.jobs().first)
                try await cluster.fault("ssh", "drop")
                try await terminal.expect("Cancel job \(id)? [y/N/d] ")
                try await terminal.expect("submit: the link is back")
                #expect(try await fetch(address).status == 200)

                try await cluster.fault("ssh", "stop")
                try await terminal.expect("submit: the link is down")
                try await terminal.expect("Cancel job \(id)? [y/N/d] ")
                await terminal.type("y\n")
                try await terminal.expect("submit: cancelling job \(id)\n")
                try await cluster.fault("ssh", "start")
                try await terminal.expect("submit: job \(id) was cancelled", within: .seconds(60))
                #expect(try await terminal.finish() == .exited(130))
                #expect(try await workplace.jobs() == [])
            }
        }
    }
}
