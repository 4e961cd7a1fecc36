import Foundation
import Testing

/// `cluster check`: each requirement with its finding, and the remedy where there is something to do.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(3)))
struct CheckVerbTests {
    private struct Line: Equatable {
        var verdict: String
        var name: String
        var finding: String
        var remedy: String
    }

    private func check(_ workplace: Workplace, _ profile: String?, status: Int32) async throws -> [Line] {
        var launch = workplace.cluster("check")
        if let profile { launch.arguments.append(profile) }
        let finished = try await run(launch)
        #expect(finished.status == .exited(status), "\(finished.output)\(finished.errors)")
        return finished.output.split(separator: "\n").map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Line(verdict: fields[0], name: fields[1], finding: fields[2], remedy: fields[3])
        }
    }

    private func problems(_ lines: [Line]) -> [Line] {
        // Whether this machine's Python has TensorBoard is its own affair.
        lines.filter { $0.verdict != "ok" && $0.name != "TensorBoard" }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"), arguments: Place.clusters)
    func aClusterThatIsInOrder(place: Place) async throws {
        try await withWorkplace(place, files: ["empty": ""]) { workplace in
            let lines = try await check(workplace, workplace.profile, status: 0)
            #expect(problems(lines) == [])
            #expect(
                lines.map(\.name).filter { !$0.hasSuffix("here") && $0 != "ssh key" } == [
                    "profile", "login", "shell", "unpacking", "scheduler", "bash", "options", "way to workers",
                    "folder for runs", "Python", "TensorBoard",
                ])
            // Nothing is left of what was tried.
            let left = try await workplace.jobs()
            #expect(left == [])
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aProfileThatSlurmRefuses() async throws {
        try await withWorkplace(.demoCluster, files: ["empty": ""]) { workplace in
            let cluster = try #require(workplace.cluster)
            let profile = try cluster.profile(
                on: workplace.repository.desk,
                [
                    "sbatch_options": ["--partition": "nosuch"], "untar_path": "/proc/nowhere",
                    "activate_python": "echo looking; false",
                ])
            let found = problems(try await check(workplace, profile, status: 78))
            #expect(found.map(\.name) == ["options", "folder for runs", "activate_python"], "\(found)")
            #expect(found.allSatisfy { $0.verdict == "failure" && !$0.remedy.isEmpty })
            #expect(found[0].finding.contains("invalid partition specified: nosuch"))
            #expect(found[0].remedy.contains("partitions: debug"))
            #expect(found[1].finding.hasPrefix("/proc/nowhere: "))
            #expect(found[2].finding == "the activation ended with status 1: looking")
        }
    }

    @Test(arguments: Place.clusters) func aPlainMachine(place: Place) async throws {
        try await withPlainMachine(by: place) { machine in
            let workplace = machine.workplace
            #expect(problems(try await check(workplace, workplace.profile, status: 0)) == [])
            let folder = workplace.repository.desk.home + "/cluster-tools"
            #expect(!FileManager.default.fileExists(atPath: folder))
            // The same machine, taken for a cluster: there is no Slurm, as far as its sessions see.
            let values = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(filePath: try #require(workplace.profile))))
            var changed = try #require(values as? [String: Any])
            changed["scheduler"] = "slurm"
            let programs = workplace.signpost("few")
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            let wrong = try writeProfile(changed, on: workplace.repository.desk)
            let finished = try await run(workplace.cluster("check", wrong, "--json"))
            // Debian's own Slurm commands are found here, and have no controller.
            #expect(finished.status != .exited(0), "\(finished.output)")
        }
    }

    @Test func whatCannotBeReachedOrRead() async throws {
        try await withWorkplace(.thisMachine, files: ["empty": ""]) { workplace in
            let desk = workplace.repository.desk
            let closed = try writeProfile(["hostname": "127.0.0.1", "port": 1, "user": "ada"], on: desk)
            let login = problems(try await check(workplace, closed, status: 69))
            #expect(login.map(\.name) == ["login"])
            #expect(login[0].finding.hasPrefix("cannot connect to 127.0.0.1"))
            #expect(!login[0].remedy.isEmpty)
            let wrong = try writeProfile(["hostnme": "127.0.0.1"], on: desk)
            #expect(
                problems(try await check(workplace, wrong, status: 78)).map(\.remedy) == ["did you mean \"hostname\"?"])
            let unfilled = try writeProfile(["hostname": "127.0.0.1", "user": "YOUR_NAME"], on: desk)
            #expect(problems(try await check(workplace, unfilled, status: 78)).map(\.name) == ["profile"])
            let unknown = try await run(workplace.cluster("check", "nowhere"))
            #expect(unknown.status == .exited(66))
            // Without a name: the default, which is this machine.
            #expect(problems(try await check(workplace, nil, status: 0)) == [])
        }
    }

    @Test func aTerminalGetsTheRemedyBelow() async throws {
        try await withWorkplace(.thisMachine, files: ["empty": ""]) { workplace in
            let closed = try writeProfile(
                ["hostname": "127.0.0.1", "port": 1, "user": "ada"], on: workplace.repository.desk)
            try await withTerminal(workplace.cluster("check", closed)) { terminal in
                try await terminal.expect("FAIL  login ")
                try await terminal.expect("-> does ssh 127.0.0.1 work?")
                let status = try await terminal.finish()
                #expect(status == .exited(69))
            }
        }
    }
}
