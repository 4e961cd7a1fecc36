import Foundation
import Testing

/// `cluster add`: a profile from what there is and what is said.
@Suite(.enabled(if: sshdObstacle == nil, "\(sshdObstacle ?? "")"), .timeLimit(.minutes(3)))
struct AddVerbTests {
    private func path(_ name: String, on desk: Desk) -> String {
        desk.home + "/.config/cluster-tools/clusters/\(name).json"
    }

    private func profile(_ name: String, on desk: Desk) throws -> NSDictionary {
        let path = path(name, on: desk)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let value = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
        return try #require(value as? NSDictionary)
    }

    /// An alias in the user's `~/.ssh/config`.
    private func alias(_ name: String, port: Int, user: String, key: String, knownHosts: String, on desk: Desk) throws {
        try desk.writeSSH(
            "config",
            """
            Host \(name)
              HostName 127.0.0.1
              Port \(port)
              User \(user)
              IdentityFile \(key)
              UserKnownHostsFile \(knownHosts)

            """, adding: true)
    }

    /// Makes the alias `fir` of the demo cluster.
    private func aliasOfCluster(_ workplace: Workplace) throws {
        let values = try #require(workplace.cluster).profileValues()
        try alias(
            "fir", port: try #require(values["port"] as? Int), user: try #require(values["user"] as? String),
            key: try #require(values["ssh_key"] as? String), knownHosts: try #require(values["known_hosts"] as? String),
            on: workplace.repository.desk)
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func byAnAliasAndWithoutATerminal() async throws {
        try await withWorkplace(.demoCluster, files: ["empty": ""]) { workplace in
            let desk = workplace.repository.desk
            try aliasOfCluster(workplace)
            let added = try await run(workplace.cluster("add", "fir", "--mem", "300M"))
            #expect(added.status == .exited(0), "\(added.errors)")
            #expect(added.errors.contains("partitions debug; GPUs 4 a100, 7 h100_1g.10gb"), "\(added.errors)")
            let expected: NSDictionary = [
                "hostname": "fir", "sbatch_options": ["--time": "1:00:00", "--mem": "300M"],
            ]
            #expect(try profile("fir", on: desk) == expected)
            // It works as it is.
            let checked = try await run(workplace.cluster("check", "fir"))
            #expect(checked.status == .exited(0), "\(checked.output)")
            let submitted = try await run(
                desk.submit(["-c", "fir", "--no-tensorboard", "echo", "in"], in: workplace.repository.folder))
            #expect(submitted.output == "in\n", "\(submitted.errors)")
            // And is not overwritten unasked.
            let again = try await run(workplace.cluster("add", "fir"))
            #expect(again.status == .exited(73))
            #expect(try profile("fir", on: desk) == expected)
            let forced = try await run(workplace.cluster("add", "fir", "--force", "--gpus", "a100:2"))
            #expect(forced.status == .exited(0), "\(forced.errors)")
            #expect((try profile("fir", on: desk)["sbatch_options"] as? [String: String])?["--gres"] == "gpu:a100:2")
        }
    }

    @Test(.enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"))
    func aTerminalIsAsked() async throws {
        try await withWorkplace(.demoCluster, files: ["empty": ""]) { workplace in
            let desk = workplace.repository.desk
            try aliasOfCluster(workplace)
            try await withTerminal(workplace.cluster("add", "mine")) { terminal in
                try await terminal.expect("Host name, or alias of ~/.ssh/config [mine]: ")
                await terminal.type("fir\n")
                try await terminal.expect("Your account there [\(NSUserName())]: ")
                await terminal.type("\n")
                try await terminal.expect("Time limit of a job [1:00:00]: ")
                await terminal.type("soon\n")
                try await terminal.expect("write 1:00:00, or 2-00:00:00 for two days")
                try await terminal.expect("Time limit of a job [1:00:00]: ")
                await terminal.type("2:00:00\n")
                try await terminal.expect("GPUs of a job (a number, or TYPE:NUMBER) [0]: ")
                await terminal.type("a100:1\n")
                try await terminal.expect("Folder for runs [~/cluster-tools]: ")
                await terminal.type("~/my runs\n")
                try await terminal.expect("A shell line that activates Python, or Enter for none: ")
                await terminal.type("true\n")
                try await terminal.expect("Write it? [Y/n]: ")
                await terminal.type("\n")
                let status = try await terminal.finish()
                #expect(status == .exited(0))
            }
            let expected: NSDictionary = [
                "hostname": "fir", "sbatch_options": ["--time": "2:00:00", "--gres": "gpu:a100:1"],
                "untar_path": "~/my runs", "activate_python": "true",
            ]
            #expect(try profile("mine", on: desk) == expected)
            // No is the default where one is there; nothing is written after a no.
            try await withTerminal(workplace.cluster("add", "mine")) { terminal in
                try await terminal.expect("exists. Overwrite it? [y/N]: ")
                await terminal.type("\n")
                let status = try await terminal.finish()
                #expect(status == .exited(73))
            }
            try await withTerminal(workplace.cluster("add", "other", "--hostname", "fir")) { terminal in
                for _ in 1...5 {
                    try await terminal.expect("]: ")
                    await terminal.type("\n")
                    if await terminal.text().contains("Folder for runs") { break }
                }
                try await terminal.expect("Enter for none: ")
                await terminal.type("\n")
                try await terminal.expect("Write it? [Y/n]: ")
                await terminal.type("n\n")
                let status = try await terminal.finish()
                #expect(status == .exited(130))
            }
            #expect(!FileManager.default.fileExists(atPath: path("other", on: desk)))
        }
    }

    @Test(arguments: Place.clusters) func aPlainMachine(place: Place) async throws {
        try await withDesk { desk in
            // Slurm's commands are installed on the machine of the tests, and not on this one.
            let programs = desk.folder + "/programs"
            let make = Launch(
                program: "/bin/sh",
                arguments: [
                    "-c",
                    """
                    mkdir "$1"
                    for file in /usr/bin/* /bin/*; do ln -sf "$file" "$1/"; done
                    rm -f "$1"/sbatch "$1"/squeue "$1"/scancel
                    """, "sh", programs,
                ], directory: "/", environment: ["PATH": "/usr/bin:/bin"])
            _ = try await run(make).checked("a folder of programs")
            try await withPlainMachine(by: place, environment: ["PATH": programs, "SHELL": "/bin/false"]) { machine in
                let workplace = machine.workplace
                let user = workplace.repository.desk
                let key = user.home + "/.ssh/mine"
                try alias(
                    "desk", port: Int(machine.server.port), user: NSUserName(), key: key,
                    knownHosts: user.home + "/.ssh/known_hosts", on: user)
                try FileManager.default.createDirectory(
                    atPath: user.home + "/venv/bin", withIntermediateDirectories: true)
                try Data().write(to: URL(filePath: user.home + "/venv/bin/activate"))
                // A login shell's start files would find Slurm all the same.
                try Data("PATH=\(programs)\n".utf8).write(to: URL(filePath: user.home + "/.bash_profile"))
                try Data("PATH=\(programs)\n".utf8).write(to: URL(filePath: user.home + "/.profile"))
                let added = try await run(
                    workplace.cluster("add", "plain", "--hostname", "desk", "--transport", place.transport, "--yes"))
                #expect(added.status == .exited(0), "\(added.errors)")
                let expected: NSDictionary = [
                    "hostname": "desk", "transport": place.transport, "scheduler": "none",
                    "activate_python": ". ~/venv/bin/activate",
                ]
                #expect(try profile("plain", on: user) == expected)
                let submitted = try await run(
                    user.submit(["-c", "plain", "--no-tensorboard", "echo", "in"], in: workplace.repository.folder))
                #expect(submitted.output == "in\n", "\(submitted.errors)")
            }
        }
    }

    @Test func whatCannotBeAdded() async throws {
        try await withWorkplace(.thisMachine, files: ["empty": ""]) { workplace in
            for name in ["a/b", "..", "here", ""] {
                let finished = try await run(workplace.cluster("add", name))
                #expect(finished.status == .exited(64), "\(name): \(finished.errors)")
            }
            for words in [["--port", "0"], ["--transport", "telnet"], ["--gpus", "a:b:c"]] {
                var launch = workplace.cluster("add", "x", "--hostname", "127.0.0.1")
                launch.arguments += words
                let finished = try await run(launch)
                #expect(finished.status == .exited(64), "\(words): \(finished.errors)")
            }
            let closed = try await run(workplace.cluster("add", "x", "--hostname", "127.0.0.1", "--port", "1"))
            #expect(closed.status == .exited(69), "\(closed.errors)")
            #expect(!FileManager.default.fileExists(atPath: path("x", on: workplace.repository.desk)))
        }
    }
}
