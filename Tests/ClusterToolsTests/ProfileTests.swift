import Foundation
import Slurm
import Testing

@testable import ClusterTools

struct ProfileTests {
    private func profile(_ json: String, path: String = "clusters/x.json") throws -> Profile {
        try Profile(json: Array(json.utf8), path: path, home: "/home/me")
    }

    private func text(of json: String) throws -> String? {
        #expect(throws: Failure.self) { _ = try profile(json) }?.text(program: "submit")
    }

    @Test func anOriginalProfileWorksUnchanged() throws {
        let profile = try profile(
            #"""
            {
                "hostname": "cedar.computecanada.ca",
                "user": "me",
                "activate_python": "source ~/ENV/bin/activate",
                "tar_path": "~/tars",
                "untar_path": "~/jobs",
                "ssh_key": "~/.ssh/id_rsa",
                "sbatch_options": {
                    "--gres": "gpu:1", "--mem": "12G", "-c": "4", "--time": "10:00:00", "--account": "def-x"
                }
            }
            """#, path: "../cedar.json")
        #expect(profile.name == "cedar")
        #expect(profile.path == "../cedar.json")
        #expect(profile.hostname == "cedar.computecanada.ca")
        #expect(profile.user == "me")
        #expect(profile.sshKey == "/home/me/.ssh/id_rsa")
        #expect(profile.activatePython == ["source ~/ENV/bin/activate"])
        #expect(profile.untarPath?.text == "~/jobs")
        #expect(profile.scheduler == .slurm)
        #expect(profile.tunnel == TunnelPlan())
        #expect(profile.port == nil)
        #expect(
            profile.sbatchOptions.arguments == [
                "--gres=gpu:1", "--mem=12G", "--cpus-per-task=4", "--time=10:00:00", "--account=def-x",
            ])
    }

    @Test func theNewKeys() throws {
        let profile = try profile(
            #"""
            {
                "hostname": "h", "port": 2222, "scheduler": "none", "template": "job.sh", "known_hosts": "~/kh",
                "ssh_key": "/keys/a", "requirements": true,
                "activate_python": ["module load python", "source x"],
                "environment": {"A": "it's $HOME/x", "B": 3},
                "tunnel": {"way": "ssh", "host": "%n.internal", "port": 23},
                "sbatch_options": {"--exclusive": true, "--nice": -5, "--mem": null, "--hold": false}
            }
            """#)
        #expect(profile.port == 2222)
        #expect(profile.scheduler == .none)
        #expect(profile.template == "clusters/job.sh")
        #expect(profile.knownHosts == "/home/me/kh")
        #expect(profile.sshKey == "/keys/a")
        #expect(profile.requirements == EnvironmentPlan())
        #expect(profile.activatePython == ["module load python", "source x"])
        #expect(profile.environment.shellLines == [#"export A='it'\''s '"${HOME-}"/x"#, "export B=3"])
        #expect(profile.tunnel == TunnelPlan(way: .ssh, host: "%n.internal", port: 23))
        #expect(profile.tunnel.host(ofNode: "gpu-01") == "gpu-01.internal")
        #expect(profile.sbatchOptions.arguments == ["--exclusive", "--nice=-5"])
    }

    @Test func theOtherForms() throws {
        let profile = try profile(
            #"""
            {"environment": ["export A=1", "umask 077"], "tunnel": "srun", "requirements": "env/r.txt", "user": null,
             "activate_python": "a\nb"}
            """#)
        #expect(profile.scheduler == .none)
        #expect(profile.environment.shellLines == ["export A=1", "umask 077"])
        #expect(profile.tunnel.way == .srun)
        #expect(profile.requirements == EnvironmentPlan(file: "env/r.txt"))
        #expect(profile.activatePython == ["a", "b"])
        #expect(profile.user == nil)
        #expect(try self.profile(#"{"requirements": false}"#).requirements == nil)
        #expect(
            try self.profile(#"{"requirements": {"file": "uv.lock", "build": "access"}}"#).requirements
                == EnvironmentPlan(file: "uv.lock", place: .access))
        #expect(try self.profile("{}", path: "here").name == "here")
    }

    @Test(arguments: [
        (#"{"sbatch_options": {"--mem": ["1"]}}"#, "sbatch_options.--mem: expected a string or number, found a list"),
        (#"{"sbatch_options": []}"#, "sbatch_options: expected an object, found a list"),
        (#"{"hostname": 3}"#, "hostname: expected a string, found a number"),
        (#"{"hostname": ""}"#, "hostname: is empty"),
        (#"{"hostname": "-oProxyCommand=x"}"#, "hostname: expected a host name, found \"-oProxyCommand=x\""),
        (#"{"user": "a b"}"#, "user: expected the name of an account, found \"a b\""),
        (#"{"port": "22"}"#, "port: expected a number, found a string"),
        (#"{"port": 0}"#, "port: expected a whole number from 1 to 65535, found 0"),
        (#"{"port": 22.5}"#, "port: expected a whole number from 1 to 65535, found 22.5"),
        (#"{"activate_python": ["a", 1]}"#, "activate_python[1]: expected a string, found a number"),
        (#"{"activate_python": {}}"#, "activate_python: expected a string or a list of strings, found an object"),
        (#"{"environment": {"A": null}}"#, "environment.A: expected a string or number, found null"),
        (#"{"environment": {"1A": "x"}}"#, "environment.1A: \"1A\" is no name of a variable"),
        (#"{"environment": {"A.B": "x"}}"#, "environment[\"A.B\"]: \"A.B\" is no name of a variable"),
        (
            #"{"requirements": 1}"#,
            "requirements: expected true, false, the path of a file or an object, found a number"
        ),
        (
            #"{"requirements": {"build": "here"}}"#,
            "requirements.build: expected \"job\" or \"access\", found \"here\""
        ),
        (#"{"tunnel": 1}"#, "tunnel: expected a string or an object, found a number"),
        (#"{"tunnel": {"port": 99999}}"#, "tunnel.port: expected a whole number from 1 to 65535, found 99999"),
        ("[]", "expected an object, found a list"),
        (#"{"untar_path": "a\nb"}"#, "untar_path: has a line break or another control character"),
        ("{\n  \"hostname\": x\n}", "2:15: expected a value, found x: strings are in double quotes"),
        ("{\"user\": \"a\", \"user\": \"b\"}", "1:15: \"user\" is given twice"),
    ])
    func wrongValuesAreNamed(json: String, message: String) throws {
        let separator = message.first?.isNumber == true ? ":" : ": "
        #expect(try text(of: json) == "submit: error: clusters/x.json" + separator + message)
    }

    @Test(arguments: [
        (
            #"{"hostnme": "x"}"#,
            "hostnme: no such key\n  hint: did you mean \"hostname\"?"
        ),
        (
            #"{"requirements": {"files": "x"}}"#,
            "requirements.files: no such key\n  hint: did you mean \"file\"?"
        ),
        (
            #"{"requirements": "../r.txt"}"#,
            "requirements: \"../r.txt\" is no path in the repository\n"
                + "  hint: as in \"requirements.txt\" or \"env/gpu.yml\""
        ),
        (
            #"{"tunnel": {"hots": "x"}}"#,
            "tunnel.hots: no such key\n  hint: did you mean \"host\"?"
        ),
        (
            #"{"tunnel": {"through": "x"}}"#,
            "tunnel.through: no such key\n  hint: the keys are way, host and port"
        ),
        (
            #"{"scheduler": "slrum"}"#,
            "scheduler: expected \"slurm\" or \"none\", found \"slrum\"\n  hint: did you mean \"slurm\"?"
        ),
        (
            #"{"tunnel": "sshh"}"#,
            "tunnel: expected \"auto\", \"ssh\", \"srun\" or \"direct\", found \"sshh\"\n  hint: did you mean \"ssh\"?"
        ),
        (
            #"{"hostname": "me@fir.ca"}"#,
            "hostname: expected a host name, found \"me@fir.ca\"\n  hint: write \"user\": \"me\" and \"hostname\": \"fir.ca\""
        ),
        (
            #"{"untar_path": "$(pwd)/x"}"#,
            "untar_path: $( is not expanded here\n  hint: ~, ~/folder, $NAME and ${NAME} are, on the cluster"
        ),
        (
            #"{"sbatch_options": {"mem": "1G"}}"#,
            "sbatch_options.mem: \"mem\" is no sbatch option: they start with dashes\n  hint: write \"--mem\""
        ),
        (
            #"{"sbatch_options": {"-mem": "1G"}}"#,
            "sbatch_options.-mem: sbatch has no option \"-mem\"\n  hint: write \"--mem\""
        ),
        (
            #"{"sbatch_options": {"--mem=1G": null}}"#,
            "sbatch_options.--mem=1G: \"--mem=1G\" has its value in its name\n  hint: write \"--mem\": \"1G\""
        ),
        (
            #"{"sbatch_options": {"--wrap": "ls"}}"#,
            "sbatch_options.--wrap: --wrap cannot be used here: the command to run is what follows submit's options"
        ),
        (
            #"{"password": "hunter2"}"#,
            """
            password: a password is not read from a file
              anyone who gets the file, or a copy of the repository, would have the account
              hint: remove it: submit asks for a password when the host wants one; better is a key (ssh_key)
            """
        ),
    ])
    func whatWasMeantIsSaid(json: String, message: String) throws {
        #expect(try text(of: json) == "submit: error: clusters/x.json: " + message)
    }

    @Test func aMissingFileIsNamed() {
        let failure = #expect(throws: Failure.self) { try Profile.load("/nonexistent/x.json", home: "/") }
        #expect(
            failure?.text(program: "submit") == """
                submit: error: cannot read the profile /nonexistent/x.json
                  No such file or directory
                """)
        let folder = #expect(throws: Failure.self) { try Profile.load("/", home: "/") }
        #expect(folder?.why == "Is a directory")
    }

    @Test func whatIsNotFilledInIsNoticed() throws {
        let profile = try profile(#"{"user": "YOUR_NAME", "sbatch_options": {"-A": "def-YOUR_PI"}}"#)
        let user = #expect(throws: Failure.self) { try profile.checkFilledIn(options: profile.sbatchOptions) }
        #expect(
            user?.text(program: "submit") == """
                submit: error: clusters/x.json: user: still says "YOUR_NAME"
                  hint: put your own there
                """)
        var filledIn = profile
        filledIn.user = "me"
        let account = #expect(throws: Failure.self) { try filledIn.checkFilledIn(options: profile.sbatchOptions) }
        #expect(account?.what == "clusters/x.json: sbatch_options.--account: still says \"def-YOUR_PI\"")
        var layer = SbatchOptions()
        try layer.set("--account", to: .text("def-me"))
        try filledIn.checkFilledIn(options: profile.sbatchOptions.overridden(by: layer))
    }

    @Test func theFolderOfTheCommandHasOptionsToo() throws {
        let top = FileManager.default.temporaryDirectory.appending(path: "sbatch-tests-\(UUID().uuidString)")
        let folder = top.path(percentEncoded: false)
        try FileManager.default.createDirectory(at: top, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: top) } }
        #expect(try SbatchOptions.load(folder: folder) == nil)

        try Data(#"{"--mem": "1G", "--outpt": "x", "--output": "y"}"#.utf8).write(
            to: top.appending(path: "sbatch.json"))
        let options = try #require(try SbatchOptions.load(folder: folder))
        #expect(options.arguments == ["--mem=1G", "--outpt=x"])
        #expect(
            options.notices == [
                "--output is not used: standard output goes to slurm.out in the run folder",
                "--outpt is passed on, but sbatch's manual does not have it; did you mean --output?",
            ])

        try Data(#"{"--mem": {}}"#.utf8).write(to: top.appending(path: "sbatch.json"))
        let failure = #expect(throws: Failure.self) { try SbatchOptions.load(folder: folder) }
        #expect(failure?.what == "\(folder)/sbatch.json: --mem: expected a string or number, found an object")
    }

    /// Every profile the repository ships.
    private static let shipped: [URL] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../clusters").standardized
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "json" && $0.lastPathComponent != "demo.json" }
    }()

    @Test func profilesAreShipped() {
        let names = Set(Self.shipped.map(\.lastPathComponent))
        #expect(names.isSuperset(of: ["cedar.json", "fir.json", "workstation.json"]))
    }

    @Test(arguments: shipped)
    func everyShippedProfileDecodes(file: URL) throws {
        let profile = try Profile.load(file.path(percentEncoded: false), home: "/home/me")
        #expect(profile.hostname != nil)
        #expect(profile.sbatchOptions.notices == [])
        #expect(profile.untarPath?.suspicious == nil)
    }
}
