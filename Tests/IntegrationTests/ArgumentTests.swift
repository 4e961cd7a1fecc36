import Foundation
import Testing

/// Words are words: the command gets exactly those that were typed, and submit takes none of them for its own.
@Suite(.timeLimit(.minutes(2))) struct ArgumentTests {
    /// Prints the words that it got, each with a NUL after it.
    private static let echo = "#!/bin/sh\nprintf '%s\\0' \"$@\"\n"

    private func words(of finished: Finished) -> [String] {
        finished.output.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private static let difficult = [
        "two words", "  around  ", "", "it's", "\"double\"", "back\\slash", "\\", "trailing\\", "$HOME", "${HOME}",
        "$(touch /tmp/never)", "`date`", "*", "?", "[a-z]", "{a,b}", "~", "~root", "!!", "#no comment", ";", "&", "|",
        "<in", ">out", "(", ")", "a\nb", "\n", "#SBATCH --time=9\n#SBATCH --hold", "tab\there", "\r", "\u{1b}[31mred",
        "\u{7f}", "日本語", "e\u{301}", "é", "🐍", "\u{feff}bom", "\u{2028}", "%j", "%%", "%s\\n", "{{COMMAND}}", "{{",
        "EOF", "'\"'\"'", "--", "-", "--help", "--version", "-n", "5", "-c", "y", "--cluster=other", "--json", "=",
        "a=b",
    ]

    @Test(arguments: Place.available)
    func wordsArriveExactly(place: Place) async throws {
        try await withRepository { repository in
            try repository.write("echo me", Self.echo, executable: true)
            // Without a `--`: the first word that is no option begins the command.
            let launch = repository.desk.submit(
                try await place.options() + ["--no-tensorboard", "./echo me"] + Self.difficult, in: repository.folder)
            let finished = try await run(launch)
            #expect(finished.status == .exited(0), "\(finished.errors)")
            #expect(words(of: finished) == Self.difficult)
            // Byte for byte: String calls two spellings of é equal.
            #expect(words(of: finished).map { Array($0.utf8) } == Self.difficult.map { Array($0.utf8) })
        }
    }

    @Test func aLongWordAndManyWordsArrive() async throws {
        try await withRepository(files: ["count.py": "import sys; print(len(sys.argv), len(sys.argv[-1]))"]) {
            let many = (1...2000).map { "word \($0)" } + [String(repeating: "x", count: 100_000)]
            let launch = $0.desk.submit(["--no-tensorboard", "python3", "count.py"] + many, in: $0.folder)
            let finished = try await run(launch)
            #expect(finished.output == "2002 100000\n", "\(finished.errors)")
        }
    }

    @Test func theCommandsOptionsAreNotSubmits() async throws {
        try await withRepository { repository in
            let script = "import sys; print(sys.argv[1:])"
            let finished = try await run(
                repository.submit("--no-tensorboard", "python3", "-c", script, "-n", "5", "-c", "y", "--detach", "-q"))
            #expect(finished.output == "['-n', '5', '-c', 'y', '--detach', '-q']\n")
        }
    }

    @Test func aCommandMayBeginWithADash() async throws {
        try await withRepository { repository in
            try repository.write("bin/-odd", Self.echo, executable: true)
            let profile = try writeProfile(
                ["environment": ["PATH": "\(repository.folder)/bin:$PATH"]], on: repository.desk)
            let found = try await run(repository.submit("-c", profile, "--no-tensorboard", "--", "-odd", "a b", "-c"))
            #expect(words(of: found) == ["a b", "-c"], "\(found.errors)")
            let missing = try await run(repository.submit("--no-tensorboard", "--", "-not-there", "x"))
            #expect(missing.status == .exited(127))
            #expect(missing.errors.contains("-not-there: command not found"))
        }
    }

    @Test func variablesBeforeACommandAreAWord() async throws {
        try await withRepository { repository in
            let finished = try await run(repository.submit("--no-tensorboard", "A=b", "env"))
            #expect(finished.status == .exited(127))
            #expect(finished.errors.contains("A=b: command not found"))
        }
    }

    @Test func wordsThatAreNoTextAreRefused() async throws {
        try await withRepository { repository in
            let shell = Launch(
                program: "sh", arguments: ["-c", #"exec submit python3 main.py "$(printf 'caf\351')""#],
                directory: repository.folder, environment: repository.desk.environment)
            let finished = try await run(shell)
            #expect(finished.status == .exited(64))
            #expect(finished.output == "")
            #expect(
                finished.errors == """
                    submit: error: argument 3 is not UTF-8: caf\u{fffd}
                      it could not reach the command exactly as typed

                    """)
        }
    }
}
