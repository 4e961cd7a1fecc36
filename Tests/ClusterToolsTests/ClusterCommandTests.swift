import Testing

@testable import ClusterTools

@Suite struct ClusterCommandTests {
    private func run(_ words: String...) throws -> (verb: Verb, options: [String], operands: [String])? {
        guard case .run(let verb, let occurrences, let operands) = try ClusterRequest.parse(words) else { return nil }
        return (verb, occurrences.map(\.spelling), operands)
    }

    private func help(_ words: String...) throws -> (text: String, status: Int32)? {
        guard case .help(let help, let status) = try ClusterRequest.parse(words) else { return nil }
        return (help.text(styled: false), status)
    }

    @Test func optionsStandBeforeAndAfterWhatTheyAreOf() throws {
        let request = try #require(try run("-v", "logs", "42", "-f", "--tail", "5", "--json"))
        #expect(request.verb.name == "logs")
        #expect(request.options == ["-v", "-f", "--tail", "--json"])
        #expect(request.operands == ["42"])
        #expect(try run("logs", "-f", "42")?.operands == ["42"])
        #expect(try run("cancel", "--yes", "1", "2", "-q", "3")?.operands == ["1", "2", "3"])
        #expect(try run("attach", "--", "--all")?.operands == ["--all"])
    }

    struct Mistake: Sendable {
        var words: [String]
        var what: String
        var remedy: String?

        init(_ line: String, _ what: String, _ remedy: String?) {
            words = line.split(separator: " ").map(String.init)
            self.what = what
            self.remedy = remedy
        }
    }

    static let mistakes = [
        Mistake("lgos", "there is no verb \"lgos\"", "did you mean logs?"),
        Mistake("frobnicate", "there is no verb \"frobnicate\"", "cluster --help lists them"),
        Mistake("logs --folow", "unknown option --folow", "did you mean --follow?"),
        Mistake("logs --al", "unknown option --al", "did you mean --all?"),
        Mistake("-f logs", "unknown option -f", "options of a verb come after it: cluster logs -f"),
        Mistake("--xyzzy jobs", "unknown option --xyzzy", "cluster --help lists the options"),
        Mistake("jobs 42", "jobs takes no further words, such as \"42\"", "usage: cluster jobs [options]"),
        Mistake("attach 1 2", "attach takes one JOB, not 2", "usage: cluster attach [options] [JOB]"),
        Mistake("logs --tail", "--tail needs a value: --tail N", nil),
        Mistake("help job", "there is no verb \"job\"", "did you mean jobs?"),
    ]

    @Test(arguments: mistakes)
    func whatIsWrongIsSaidWithWhatIsMeant(mistake: Mistake) {
        let failure = #expect(throws: Failure.self) { try ClusterRequest.parse(mistake.words) }
        #expect(failure?.status == Exit.usage)
        #expect(failure?.what == mistake.what)
        #expect(failure?.remedy == mistake.remedy)
    }

    @Test func theSameHelpByTwoNames() throws {
        for verb in ClusterCommand.verbs {
            let text = try #require(try help("help", verb.name))
            #expect(try help(verb.name, "--help")?.text == text.text)
            #expect(try help(verb.name, "-h", "--json")?.text == text.text)
            #expect(text.status == 0)
        }
        #expect(try help("--help")?.status == 0)
        #expect(try help("help")?.text == help("-h")?.text)
        #expect(try help()?.status == Exit.usage)
        guard case .version = try ClusterRequest.parse(["--version"]) else {
            Issue.record("no version")
            return
        }
    }

    @Test func everyScreenFitsATerminal() throws {
        for help in [ClusterCommand.help] + ClusterCommand.verbs.map(\.help) {
            let lines = help.text(styled: false).split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 45)
            #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines.filter { $0.count > 80 })")
        }
    }

    @Test func theScreen() {
        #expect(
            ClusterCommand.help.text(styled: false) == """
                Usage: cluster VERB [options] [JOB... | NAME...]

                Picks up jobs that submit has started, from any terminal, after any absence; and
                knows the machines that they run on.

                Examples:
                  cluster jobs
                      what has not ended, on all clusters
                  cluster attach
                      watch the newest job again
                  cluster help attach
                      all about that verb; cluster attach --help says the same

                Verbs:
                  jobs                        the jobs from this machine, the newest first
                  attach [JOB]                watch a job again: output, TensorBoard, Ctrl-C
                  logs [JOB...]               the output of jobs, to standard output
                  top [JOB...]                what running jobs use: cores, memory, GPUs
                  ssh [JOB] [COMMAND...]      a shell in a running job, or a command
                  open [JOB]                  a job's TensorBoard or notebook in the browser
                  tensorboard [JOB...]        one TensorBoard over many jobs, running or ended
                  notebook                    JupyterLab as a job, shown in the browser
                  pull PATH...                fetch files of a job's run folder, or of a cluster
                  push PATH...                send files to a job's run folder, or to a cluster
                  data URL...                 let a cluster download what runs see as data/
                  env [build | remove KEY...]
                                              the Python environments that jobs share
                  cancel JOB...               end jobs, and wait until they have ended
                  clean [JOB...]              remove what old jobs have left, there and here
                  probe [NAME...]             what is free on all machines and partitions
                  add NAME                    make a profile: logs in, looks around, asks
                  check [NAME]                what jobs need, what is missing, and the remedy
                  completion SHELL            tab completion for bash, zsh or fish
                  man [PAGE]                  print a manual page: of cluster, submit, or a verb

                Options:
                      --json                  one JSON object a line
                  -q, --quiet                 no status lines
                  -v, --verbose               every step
                  -h, --help                  this screen
                      --version               the version

                JOB is a number, a name, a token, or the beginning of one; NUMBER_TASK is a task
                of an array, PROFILE:JOB the one on that cluster. Without one: the newest job.

                """)
    }

    @Test func theScreenOfAVerb() {
        #expect(
            Verb.logs.help.text(styled: false) == """
                Usage: cluster logs [options] [JOB...]

                Prints what the jobs' commands have written, byte for byte, for as long as their
                run folders exist. Of an array all tasks' output comes, and of several jobs that
                of all, each after a line that says whose it is.

                Examples:
                  cluster logs 4242 >run.log
                      all of it so far
                  cluster logs -f --tail 20
                      the newest job's last lines, and what follows, until it ends
                  cluster logs -a --since 1d --grep 'loss|Error'
                      such lines of all jobs that wrote within a day

                Options:
                  -f, --follow                go on until the jobs end
                      --stderr                the error stream
                      --tail N                only the last N lines of each, and what follows
                                              them
                      --grep PATTERN          only lines that match a regular expression
                      --since TIME            only what was written to within that time (2h)
                  -a, --all                   all jobs that there is a record of
                      --json                  one JSON object a line
                  -q, --quiet                 no status lines
                  -v, --verbose               every step
                  -h, --help                  this screen

                JOB is a number, a name, a token, or the beginning of one; NUMBER_TASK is a task
                of an array, PROFILE:JOB the one on that cluster. Without one: the newest job.

                """)
    }

    @Test func theScreensOfTheOtherVerbs() {
        #expect(
            Verb.cancel.help.text(styled: false) == """
                Usage: cluster cancel [options] JOB...

                Ends jobs and waits until the scheduler says that they have ended. At a terminal
                it asks first. The exit status is 0 when all of them have ended, by this or
                before.

                Examples:
                  cluster cancel 4242 4243
                      after a question, these two
                  cluster cancel 4242_7
                      a task of an array
                  cluster cancel --all --yes
                      every job that was submitted from this machine, without a question

                Options:
                      --all                   all jobs that have not ended, on all clusters
                  -y, --yes                   do not ask
                      --json                  one JSON object a line
                  -q, --quiet                 no status lines
                  -v, --verbose               every step
                  -h, --help                  this screen

                JOB is a number, a name, a token, or the beginning of one; NUMBER_TASK is a task
                of an array, PROFILE:JOB the one on that cluster.

                """)
    }
}
