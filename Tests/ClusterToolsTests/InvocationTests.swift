import Slurm
import Testing

@testable import ClusterTools

struct InvocationTests {
    private func parse(_ words: [String]) throws -> InvocationRequest {
        try InvocationRequest.parse(words.map { Array($0.utf8) })
    }

    private func invocation(_ words: [String]) throws -> Invocation {
        guard case .submit(let invocation) = try parse(words) else {
            throw Failure(Exit.software, "\(words) is no submission")
        }
        return invocation
    }

    private func failure(_ words: [String]) -> String? {
        let failure = #expect(throws: Failure.self) { _ = try parse(words) }
        #expect(failure?.status == 64)
        return failure?.text(program: "submit")
    }

    @Test func everythingAtItsDefault() throws {
        let invocation = try invocation(["python", "main.py"])
        #expect(invocation == Invocation(command: ["python", "main.py"]))
        #expect(invocation.clusters == [])
        #expect(invocation.tensorboard == nil)
        #expect(invocation.maxFileSize == 104_857_600)
        #expect(invocation.verbosity == .normal)
    }

    @Test func optionsStopAtTheFirstWordThatIsNone() throws {
        let invocation = try invocation(["-c", "x", "python", "main.py", "-n", "5", "-c", "y", "--", "--help"])
        #expect(invocation.clusters == ["x"])
        #expect(invocation.name == nil)
        #expect(invocation.command == ["python", "main.py", "-n", "5", "-c", "y", "--", "--help"])
    }

    @Test(arguments: [
        ["--", "-x", "y"], ["-", "a"], ["a", ""], ["python", "a b", "$HOME", "it's", "\n", "é", "e\u{301}", "--", "-"],
    ])
    func wordsAreKeptExactly(words: [String]) throws {
        let command = try invocation(words).command
        let expected = words[0] == "--" ? Array(words.dropFirst()) : words
        // Compared as bytes: strings that differ in their normal form only are equal.
        #expect(command.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    }

    @Test(arguments: [
        ["-c", "p.json"], ["-cp.json"], ["-c=p.json"], ["--cluster", "p.json"], ["--cluster=p.json"], ["-qcp.json"],
        ["-qvc", "p.json"], ["-vqc=p.json"], ["-c", "other", "-c", "p.json"],
    ])
    func allSpellingsOfAValue(words: [String]) throws {
        #expect(try invocation(words + ["run"]).clusters.last == "p.json")
    }

    @Test(arguments: [
        (["--tensorboard"], true), (["--no-tensorboard"], false), (["--tensorboard=false"], false),
        (["--tensorboard=no"], false), (["--tensorboard=0"], false), (["--tensorboard=True"], true),
        (["--tensorboard=yes"], true), (["--tensorboard=1"], true), (["--no-tensorboard", "--tensorboard"], true),
    ])
    func tensorboard(words: [String], wanted: Bool) throws {
        let invocation = try invocation(words + ["true", "x"])
        #expect(invocation.tensorboard == wanted)
        #expect(invocation.command == ["true", "x"])
    }

    @Test func theOtherOptions() throws {
        let invocation = try invocation([
            "-n", "my job", "-b", "feature/x", "--logdir", "runs", "--linger", "--detach", "--dry-run", "--json", "-v",
            "--max-file-size", "2G", "--sbatch-json", #"{"-c": 2, "--mem": "1G"}"#, "--sbatch_json={\"--mem\": null}",
            "x",
        ])
        #expect(invocation.name == "my job")
        #expect(invocation.branch == "feature/x")
        #expect(invocation.logdir == "runs")
        #expect(invocation.linger == true && invocation.detach && invocation.dryRun && invocation.json)
        #expect(invocation.verbosity == .verbose)
        #expect(invocation.maxFileSize == 2 << 30)
        #expect(invocation.sbatchOptions.arguments == ["--cpus-per-task=2"])
        #expect(invocation.sbatchOptions["--mem"] == .removed)
        #expect(invocation.command == ["x"])
        #expect(try self.invocation(["-qv", "x"]).verbosity == .verbose)
        #expect(try self.invocation(["-vq", "x"]).verbosity == .quiet)
    }

    @Test func anEarlierJobOnceMore() throws {
        let invocation = try invocation(["--resubmit", "4242", "--requeue-before", "5m", "--no-linger"])
        #expect(invocation.resubmitted == "4242")
        #expect(invocation.requeueBefore == 300)
        #expect(invocation.linger == false)
        #expect(invocation.command == [])
        #expect(try self.invocation(["--resubmit=4242", "python", "-c"]).command == ["python", "-c"])
    }

    @Test(arguments: [("90s", 90), ("5m", 300), ("1h30m", 5400), ("30D", 2_592_000), ("2w", 1_209_600), ("0s", 0)])
    func spansOfTime(text: String, seconds: Int) throws {
        #expect(try invocation(["--requeue-before", text, "x"]).requeueBefore == seconds)
    }

    @Test(arguments: ["5", "m", "5 m", "-5m", "1.5h", "5m3", "5x", "99999999999d", "999999999w", "٣m"])
    func whatIsNoSpanOfTime(text: String) {
        #expect(
            failure(["--requeue-before=\(text)", "x"])
                == "submit: error: --requeue-before: \"\(text)\" is no span of time\n  hint: write 90s, 5m, 1h30m or 30d"
        )
    }

    @Test(arguments: [
        ("0", 0), ("1", 1), ("1k", 1024), ("1.5K", 1536), ("100M", 104_857_600), ("2GB", 2 << 30), ("1T", 1 << 40),
    ])
    func sizes(text: String, bytes: Int) throws {
        #expect(try invocation(["--max-file-size", text, "x"]).maxFileSize == bytes)
    }

    @Test func helpAndVersionNeedNoCommand() throws {
        #expect(try parse(["--help"]) == .help)
        #expect(try parse(["-c", "x", "-h"]) == .help)
        #expect(try parse(["--version"]) == .version)
        #expect(try parse(["-qh", "python"]) == .help)
        #expect(try invocation(["python", "--help"]).command == ["python", "--help"])
    }

    @Test(arguments: [
        (
            [],
            """
            there is no command to run
              usage: submit [options] [--] COMMAND [ARG...]
              hint: try submit python main.py, or submit --help
            """
        ),
        (["--detatch", "x"], "unknown option --detatch\n  hint: did you mean --detach?"),
        (["--detatch=1", "x"], "unknown option --detatch\n  hint: did you mean --detach?"),
        (["--no-tensorbord", "x"], "unknown option --no-tensorbord\n  hint: did you mean --no-tensorboard?"),
        (["-detach", "x"], "unknown option -detach\n  hint: did you mean --detach?"),
        (["-z", "x"], "unknown option -z\n  hint: submit --help lists the options"),
        (["-qz", "x"], "unknown option -z\n  hint: submit --help lists the options"),
        (["--frobnicate", "x"], "unknown option --frobnicate\n  hint: submit --help lists the options"),
        (["--mem=4G", "x"], "unknown option --mem\n  hint: --mem is sbatch's: --sbatch_json '{\"--mem\": \"…\"}'"),
        (["-t", "1:00", "x"], "unknown option -t\n  hint: -t is sbatch's: --sbatch_json '{\"-t\": \"…\"}'"),
        (["-c"], "-c needs a value: -c PROFILE"),
        (["--cluster="], "--cluster needs a value: --cluster PROFILE"),
        (["-c", ""], "-c needs a value: -c PROFILE"),
        (["-c", "--detach", "x"], "-c needs a value, and --detach is an option\n  hint: if it is meant: -c=--detach"),
        (["--detach=yes", "x"], "--detach takes no value"),
        (["--no-tensorboard=yes", "x"], "--no-tensorboard takes no value"),
        (["-q=1", "x"], "-q takes no value"),
        (["--tensorboard=maybe", "x"], "--tensorboard=maybe: expected true or false"),
        (["--max-file-size", "big", "x"], "--max-file-size: \"big\" is no size\n  hint: write 500K, 100M or 2G"),
        (["--max-file-size", "1e400", "x"], "--max-file-size: \"1e400\" is no size\n  hint: write 500K, 100M or 2G"),
        (
            ["--sbatch_json", "{--mem: 1}", "x"],
            """
            --sbatch_json:1:2: expected a name in double quotes, found -
              hint: in single quotes the shell leaves JSON alone: --sbatch_json '{"--mem": "20G"}'
            """
        ),
        (
            ["--sbatch-json={\"mem\": 1}", "x"],
            "--sbatch-json: mem: \"mem\" is no sbatch option: they start with dashes\n  hint: write \"--mem\""
        ),
        (
            ["--resubmit", "4242", "-b", "main"],
            """
            --resubmit sends the commit of that job, and --branch another one
              hint: leave one of the two out
            """
        ),
        (["-n", "a\nb", "x"], "-n: a line break or another control character cannot be used"),
        ([""], "the command to run is an empty word"),
    ])
    func errors(words: [String], message: String) {
        #expect(failure(words) == "submit: error: " + message)
    }

    @Test func bytesThatAreNoTextAreRefusedAndNeverAltered() {
        let failure = #expect(throws: Failure.self) {
            _ = try InvocationRequest.parse([Array("python".utf8), [0x61, 0xFF]])
        }
        #expect(failure?.what == "argument 2 is not UTF-8: a\u{FFFD}")
        #expect(failure?.status == 64)
    }

    @Test func theArgumentsOfThisProcess() throws {
        #expect(try RawArguments.strings(RawArguments.ofThisProcess()) == Array(CommandLine.arguments.dropFirst()))
    }

    @Test func optionsOfAVerbMayStandAnywhere() throws {
        enum Option: Hashable { case follow, lines }
        let table = OptionTable<Option>(
            command: "cluster logs",
            groups: [
                .init(
                    "Options",
                    [
                        .init(.follow, "f", ["follow"], help: "go on"),
                        .init(.lines, "n", ["lines"], .required("N"), help: "how many"),
                    ])
            ])
        let parsed = try table.parse(["4242", "-fn3", "x", "--", "-f"], operands: .anywhere)
        #expect(parsed.operands == ["4242", "x", "-f"])
        #expect(parsed.occurrences.map(\.id) == [.follow, .lines])
        #expect(parsed.occurrences.map(\.value) == [.present, .text("3")])
        #expect(parsed.occurrences.map(\.spelling) == ["-f", "-n"])
        let failure = #expect(throws: Failure.self) { try table.parse(["--x"], operands: .anywhere) }
        #expect(failure?.remedy == "cluster logs --help lists the options")
    }
}
