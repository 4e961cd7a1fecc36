import Foundation
import Testing

/// The tab key in real shells, and manual pages under a real man.
@Suite(.timeLimit(.minutes(2))) struct ShellCompletionTests {
    private static func has(_ shell: String) -> Bool {
        ["/bin/", "/usr/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + shell) }
    }

    private func shell(_ words: [String], _ workplace: Workplace) -> Launch {
        var launch = workplace.cluster()
        launch.program = "/usr/bin/env"
        launch.arguments = words
        launch.environment["TERM"] = "dumb"
        launch.environment["PS1"] = "ready> "
        launch.environment["PROMPT"] = "ready> "
        return launch
    }

    /// Types, as somebody does, and looks at what appears.
    private func check(
        _ words: [String], setUp: String, _ workplace: Workplace, job: String
    ) async throws {
        try await withTerminal(shell(words, workplace)) { terminal in
            try await terminal.expect("ready> ")
            // What the shell has made of the line is what the command would get.
            await terminal.type(
                setUp + "; cluster() { echo \"got $*\"; }; submit() { echo \"got $*\"; }; echo is''set\n")
            try await terminal.expect("isset")
            try await terminal.expect("ready> ")
            await terminal.type("cluster att\t--ta\t7 \(job.prefix(job.count - 1))\t\n")
            try await terminal.expect("got attach --tail 7 \(job)", within: .seconds(20))
            await terminal.type("submit --cluster=wo\t\n")
            try await terminal.expect("got --cluster=workplace-of-a-test")
            await terminal.type("submit --detach cat only-\t\n")
            try await terminal.expect("got --detach cat only-file")
            await terminal.type("\u{15}exit\n")
            _ = try await terminal.finish()
        }
    }

    private func withJob(_ body: @Sendable (Workplace, _ job: String) async throws -> Void) async throws {
        let files = ["clusters/workplace-of-a-test.json": "{}", "only-file": ""]
        try await withWorkplace(.thisMachine, files: files) { workplace in
            let job = try await workplace.leave("true")
            try await body(workplace, job.id)
        }
    }

    @Test(.enabled(if: has("bash"), "no bash here")) func bash() async throws {
        try await withJob { workplace, job in
            try await check(
                ["bash", "--norc", "--noprofile", "-i"], setUp: "source <(cluster completion bash)", workplace, job: job
            )
        }
    }

    @Test(.enabled(if: has("zsh"), "no zsh here")) func zsh() async throws {
        try await withJob { workplace, job in
            try await check(
                ["zsh", "-f", "-i"],
                setUp:
                    "unsetopt prompt_cr prompt_sp; autoload -U compinit; compinit -u -D; source <(cluster completion zsh)",
                workplace, job: job)
        }
    }

    @Test(.enabled(if: has("fish"), "no fish here")) func fish() async throws {
        try await withJob { workplace, job in
            for (typed, expected) in [
                ("cluster att", "attach\t"), ("cluster attach \(job.prefix(2))", "\(job)\t"),
                ("submit --cluster=wo", "--cluster=workplace-of-a-test\t"), ("submit -q cat only-", "only-file"),
                ("submit --resub", "--resubmit\t"),
            ] {
                let script = "cluster completion fish | source; complete -C '\(typed)'"
                let finished = try await run(shell(["fish", "--no-config", "-c", script], workplace))
                #expect(finished.output.contains(expected), "\(typed): \(finished.output)\(finished.errors)")
            }
        }
    }

    @Test(.enabled(if: has("groff"), "no groff here")) func manualPages() async throws {
        try await withWorkplace(.thisMachine, files: ["a": ""]) { workplace in
            for page in ["", "submit", "jobs", "attach", "logs", "open", "tensorboard", "notebook", "cancel", "clean"] {
                var launch = workplace.cluster()
                launch.arguments = ["-c", "'\(launch.program)' man \(page) | groff -man -Tutf8 -ww -P-cbuo"]
                launch.program = "/bin/bash"
                let finished = try await run(launch)
                #expect(finished.errors == "", "\(page)")
                #expect(finished.output.contains("SYNOPSIS"))
                #expect(finished.output.contains("--json"), "\(page)")
            }
        }
    }
}
