import Testing

@testable import ClusterTools

@Suite struct CompletionTests {
    private let completion: Completion = {
        var ended = Job.example(token: "tok2", id: "4180", name: "sweep", profile: "/p/oak.json")
        ended.end(Ending(cause: .finished, status: 3), at: 5)
        let jobs = [Job.example(token: "tok1", id: "4242", profile: "/p/fir.json"), ended]
        return Completion(
            inventory: .init(jobs: { jobs }, profiles: { ["fir", "oak"] }, branches: { ["main", "feature/x"] }))
    }()

    private func texts(_ program: String, _ words: String...) -> [String] {
        completion.answer(to: program, words).candidates.map(\.text)
    }

    @Test func optionsAndTheirValues() {
        #expect(texts("submit", "--re") == ["--resubmit", "--requeue-before"])
        #expect(texts("submit", "--no-") == ["--no-tensorboard", "--no-linger"])
        #expect(texts("/usr/bin/submit", "-c", "") == ["fir", "oak"])
        #expect(completion.answer(to: "submit", ["-c", ""]).rest == .files)
        #expect(texts("submit", "-qc", "f") == ["fir"])
        #expect(texts("submit", "--cluster=o") == ["--cluster=oak"])
        #expect(texts("submit", "-b", "") == ["main", "feature/x"])
        #expect(texts("submit", "--resubmit", "4") == ["4242", "4180"])
        #expect(texts("submit", "-n", "") == [])
    }

    @Test func theCommandIsItsOwn() {
        #expect(completion.answer(to: "submit", ["-c", "fir", "pyth"]).rest == .command(at: 3))
        #expect(completion.answer(to: "submit", ["-c", "fir", "python", "--re"]) == .init(rest: .command(at: 3)))
        #expect(completion.answer(to: "submit", ["--", "-c", ""]) == .init(rest: .command(at: 2)))
        #expect(completion.answer(to: "submit", [""]).rest == .command(at: 1))
    }

    @Test func verbsAndJobs() {
        #expect(texts("cluster", "") == ClusterCommand.verbs.map(\.name) + ["help"])
        #expect(texts("cluster", "c") == ["cancel", "clean", "check", "completion"])
        #expect(texts("cluster", "-q", "lo") == ["logs"])
        #expect(texts("cluster", "help", "at") == ["attach"])
        #expect(texts("cluster", "logs", "") == ["4242", "4180", "project", "sweep"])
        #expect(texts("cluster", "logs", "--tail", "5", "42") == ["4242"])
        #expect(texts("cluster", "logs", "--f") == ["--follow"])
        // Nothing that has ended is to be cancelled, and one job is enough for attach.
        #expect(texts("cluster", "cancel", "4242", "") == ["4242", "project"])
        #expect(texts("cluster", "attach", "4242", "") == [])
        #expect(texts("cluster", "jobs", "") == [])
        #expect(texts("cluster", "completion", "") == ["bash", "zsh", "fish"])
        #expect(texts("cluster", "notebook", "-c", "") == ["fir", "oak"])
        #expect(texts("cluster", "probe", "fir", "o") == ["oak"])
        #expect(texts("cluster", "add", "") == [])
        #expect(texts("cluster", "man", "su") == ["submit"])
        #expect(completion.answer(to: "cluster", ["push", "a", ""]).rest == .files)
        #expect(texts("cluster", "nonsense", "x") == [])
        #expect(texts("cluster") == ClusterCommand.verbs.map(\.name) + ["help"])
    }

    @Test func whatTheShellsRead() {
        #expect(
            completion.answer(to: "cluster", ["logs", "418"]).text
                == "4180\tsweep on oak, ended with exit status 3: python main.py a b \n")
        #expect(completion.answer(to: "submit", ["-c", "x"]).text == ":files\n")
        #expect(completion.answer(to: "submit", ["x"]).text == ":command 1\n")
        let odd = Completion.Answer(candidates: [.init(text: "a\nb", meaning: ""), .init(text: ":files", meaning: "")])
        #expect(odd.text == "")
    }

    @Test func everyOptionCanBeCompleted() {
        for option in Invocation.table.options { #expect(texts("submit", "--").contains("--" + option.names[0])) }
        for verb in ClusterCommand.verbs {
            for option in verb.table.options {
                #expect(texts("cluster", verb.name, "--").contains("--" + option.names[0]))
            }
        }
    }

    // MARK: Manual pages, from the same tables

    @Test func manualPages() throws {
        let page = try ManPage.named("logs").text
        #expect(page.hasPrefix(".TH \"CLUSTER-LOGS\" 1 \"\" \"cluster-tools \(Product.version)\" \"User Commands\"\n"))
        #expect(page.contains("\n.SH NAME\ncluster\\-logs \\- "))
        for option in Verb.logs.table.options {
            #expect(page.contains("\\-\\-\(option.names[0].replacing("-", with: "\\-"))"))
        }
        #expect(try ManPage.named(nil).text.contains("\\fBattach [JOB]\\fR"))
        #expect(try ManPage.named("submit").text.contains("\\fB\\-\\-[no\\-]tensorboard\\fR"))
        let failure = #expect(throws: Failure.self) { try ManPage.named("lgos") }
        #expect(failure?.remedy == "did you mean logs?")
        // No line is a request of roff's by chance.
        for verb in ClusterCommand.verbs {
            for line in try ManPage.named(verb.name).text.split(separator: "\n") where line.hasPrefix(".") {
                #expect([".TH", ".SH", ".TP", ".PP", ".nh", ".ad"].contains(String(line.prefix(3))), "\(line)")
            }
        }
    }

    // MARK: Narrow terminals

    @Test(arguments: [30, 40, 60, 80, 200]) func everyScreenFitsItsTerminal(columns: Int) {
        for help in [Invocation.help, ClusterCommand.help] + ClusterCommand.verbs.map(\.help) {
            let lines = help.text(styled: false, columns: columns).split(
                separator: "\n", omittingEmptySubsequences: false)
            // A word, or a command line to copy, that is longer than that is not broken.
            let commands = Set(help.examples.map { "  " + $0.command })
            let long = lines.filter { line in
                line.count > min(80, columns) && !commands.contains(String(line))
                    && line.drop { $0 == " " }.contains(" ") && !line.hasPrefix("  -") && !line.hasPrefix("      --")
            }
            #expect(long == [])
        }
    }
}
