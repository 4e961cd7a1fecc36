import Foundation
import Testing

/// What a profile promises, as the job finds it.
@Suite(.timeLimit(.minutes(2))) struct ProfileUseTests {
    /// A profile for this machine, where no test needs a cluster for it.
    private func job(
        _ values: [String: any Sendable], in repository: Repository, _ script: String, options: [String] = []
    ) async throws -> Finished {
        let profile = try writeProfile(values, on: repository.desk)
        return try await run(
            repository.desk.submit(
                ["-c", profile, "--no-tensorboard"] + options + ["bash", "-c", script], in: repository.folder))
    }

    // MARK: Environment

    @Test func variablesAreSet() async throws {
        try await withRepository { repository in
            let finished = try await job(
                [
                    "environment": [
                        "PLAIN": "two  words 'and' \"quotes\" \\ $(date) `date` #x", "NUMBER": 4, "FOLDER": "~/data",
                        "PATHS": "$HOME/lib:${NOT_SET}:${HOME}", "EMPTY": "",
                    ] as [String: any Sendable]
                ], in: repository, "printf '%s\\n' \"$PLAIN\" \"$NUMBER\" \"$FOLDER\" \"${EMPTY-unset}\" \"$PATHS\"")
            let home = repository.desk.home
            #expect(
                finished.output
                    == "two  words 'and' \"quotes\" \\ $(date) `date` #x\n4\n\(home)/data\n\n\(home)/lib::\(home)\n",
                "\(finished.errors)")
        }
    }

    @Test func linesAreRunInOrderAndMayPrint() async throws {
        try await withRepository { repository in
            let finished = try await job(
                [
                    "environment": [
                        "A=one", "export A", "echo chatter", "B=${A}two; export B", "module() { echo \"$@\"; }",
                    ],
                    "activate_python": "C=$B-three && export C && echo activated",
                ], in: repository, "echo $C; exit 3")
            // What the lines print is not the command's output.
            #expect(finished.output == "one" + "two-three\n", "\(finished.errors)")
            #expect(finished.errors.contains("chatter\nactivated\n"))
            #expect(finished.status == .exited(3))
        }
    }

    @Test(arguments: [
        ("source nowhere/bin/activate", 1), ("false", 1), ("(exit 9)", 9), ("true\nsource nowhere/activate", 1),
    ])
    func anActivationThatFailsEndsTheJob(line: String, status: Int) async throws {
        try await withRepository { repository in
            let finished = try await job(["activate_python": line], in: repository, "echo never")
            #expect(finished.status == .exited(78))
            #expect(finished.output == "")
            #expect(finished.errors.contains("the profile's activate_python failed with status \(status)"))
            #expect(finished.statusLines.last?.contains("did not start its command: ") == true, "\(finished.errors)")
        }
    }

    @Test(arguments: Place.available)
    func aVirtualEnvironmentIsActivated(place: Place) async throws {
        try await withRepository { repository in
            let folder = repository.desk.folder + "/my env"
            let make = Launch(
                program: "python3", arguments: ["-m", "venv", "--without-pip", folder], directory: "/",
                environment: repository.desk.environment)
            _ = try await run(make).checked("venv")
            let activate = ["activate_python": "source '\(folder)/bin/activate'"]
            let profile =
                switch place {
                case .thisMachine: try writeProfile(activate, on: repository.desk)
                case .demoCluster, .demoClusterByOpenSSH:
                    try await withDemoCluster {
                        try $0.profile(on: repository.desk, activate.merging(["transport": place.transport]) { $1 })
                    }
                }
            let finished = try await run(
                repository.submit(
                    "-c", profile, "--no-tensorboard", "python", "-c", "import sys; print(sys.prefix)"))
            #expect(finished.output == folder + "\n", "\(finished.errors)")
        }
    }

    @Test func aTemplateOfOnesOwn() async throws {
        try await withRepository { repository in
            let template = """
                #!/bin/bash -l
                {{OPTIONS}}
                cd "$CLUSTER_TOOLS_RUN/code" || exit
                echo "mine"
                {{COMMAND}}
                """
            try template.write(toFile: repository.desk.folder + "/mine.sh", atomically: true, encoding: .utf8)
            let finished = try await job(["template": "mine.sh"], in: repository, "echo \"it's here\"; ls; exit 6")
            #expect(finished.output == "mine\nit's here\nmain.py\n", "\(finished.errors)")
            let missing = try await job(["template": "nowhere.sh"], in: repository, "true")
            #expect(missing.status == .exited(66))
            #expect(missing.errors.contains("cannot read the template \(repository.desk.folder)/nowhere.sh"))
            try "#!/bin/bash\necho no command\n".write(
                toFile: repository.desk.folder + "/mine.sh", atomically: true, encoding: .utf8)
            let incomplete = try await job(["template": "mine.sh"], in: repository, "true")
            #expect(incomplete.status == .exited(78))
            #expect(incomplete.errors.contains("{{COMMAND}}"))
        }
    }

    // MARK: The run folder

    @Test(arguments: [
        ("~/runs", "home/runs"), ("$HOME/a b/it's", "home/a b/it's"), ("${SCRATCH}/x", "scr atch/x"),
        (nil, "scr atch/cluster-tools"),
    ])
    func whereRunsAre(path: String?, place: String) async throws {
        try await withRepository { repository in
            let profile = try writeProfile(path.map { ["untar_path": $0] } ?? [:], on: repository.desk)
            var launch = repository.submit("-c", profile, "--no-tensorboard", "pwd")
            launch.environment["SCRATCH"] = repository.desk.folder + "/scr atch"
            let finished = try await run(launch)
            let run = try #require(finished.job).run
            #expect(run.hasPrefix("\(repository.desk.folder)/\(place)/example/"), "\(finished.errors)")
            #expect(finished.output == run + "/code\n")
        }
    }

    @Test func aFolderThatIsNotKnownIsNamed() async throws {
        try await withRepository { repository in
            for (path, reason) in [
                ("$NOWHERE/runs", "NOWHERE"), ("runs", "it is: runs"),
                ("/proc/nowhere", "cannot make the folder for runs"),
            ] {
                let finished = try await job(["untar_path": path], in: repository, "true")
                #expect(finished.status == .exited(path.hasPrefix("/") ? 73 : 78))
                #expect(finished.errors.contains(reason), "\(finished.errors)")
                #expect(try entries(of: repository.desk.home + "/.local/state/cluster-tools/jobs") == [])
            }
        }
    }

    @Test(arguments: Place.available)
    func theRunFolderIsPrivateAndTheUmaskIsTheUsers(place: Place) async throws {
        try await withRepository { repository in
            let script = "umask; mkdir made; touch made/file; stat -c %a ../.. .. . made made/file ../job"
            var launch = try await repository.submission(of: ["sh", "-c", script], on: place)
            if place == .thisMachine {
                launch.arguments = ["-c", "umask 027; exec submit \"$@\"", "sh"] + launch.arguments
                launch.program = "sh"
            }
            let finished = try await run(launch)
            let (umask, folder, file) = place == .thisMachine ? ("0027", "750", "640") : ("0022", "755", "644")
            #expect(
                finished.output.split(separator: "\n").map(String.init) == [
                    umask, "700", "700", "755", folder, file, "700",
                ],
                "\(finished.errors)")
            let run = try #require(finished.job).run
            #expect(try entries(of: run) == ["code", "job", "sbatch_script.sh", "slurm.err", "slurm.out"])
            let state = try ["state", "exit", "node", "start", "end"].map {
                try String(contentsOfFile: "\(run)/job/\($0)", encoding: .utf8)
            }
            #expect(state[0] == "ended\n")
            #expect(state[1] == "0\n")
            let (start, end) = (Int(state[3].dropLast()) ?? 0, Int(state[4].dropLast()) ?? 0)
            #expect(start > 1_700_000_000 && start <= end && end < start + 60)
        }
    }
}
