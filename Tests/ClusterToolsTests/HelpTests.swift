import Testing

@testable import ClusterTools

struct HelpTests {
    @Test func fitsAScreen() {
        let lines = Invocation.help.text(styled: false).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 45)
        #expect(lines.allSatisfy { $0.count <= 80 })
    }

    @Test func theScreen() {
        #expect(
            Invocation.help.text(styled: false) == """
                Usage: submit [options] [--] COMMAND [ARG...]

                Put submit in front of a command, and the command runs on your cluster, with the
                files as they are now. Its output appears here; its exit status is submit's.

                Examples:
                  submit python main.py
                      here and now, without a cluster
                  submit -c cedar.json python main.py --lr 0.1
                      as a job on the cluster that cedar.json describes
                  submit -c fir --sbatch_json '{"--time": "3:00:00"}' ./train.sh
                      with another time limit than the profile's

                What runs, and where:
                  -c, --cluster PROFILE       the cluster: a JSON file, or the name of one
                                              (default: your configuration's, else this machine)
                      --need NEEDS            the machine that just has this free, of those that
                                              -c names: gpu-memory=1.5G,disk=3G,cpus=4
                  -n, --name NAME             the job's name (default: the repository's)
                  -b, --branch BRANCH         send this branch, not the working tree
                      --resubmit JOB          an earlier job once more; what else is given
                                              replaces what it had
                      --sbatch_json JSON      options for sbatch, over those of the profile and
                                              of sbatch.json; null removes one
                      --requeue-before TIME   so long before the time limit send USR1, then
                                              queue it again (5m)
                      --max-file-size SIZE    stop at a larger untracked file (100M)

                TensorBoard:
                      --[no-]tensorboard      run it with the job (default: yes)
                      --logdir DIR            what it reads (default: where the command runs)
                      --[no-]linger           keep it up when the command has ended

                How submit behaves:
                      --pull PATH             fetch this when the job has ended ('outputs/**')
                      --detach                print the job's id and leave
                      --dry-run               show what would be sent and run; connect nowhere
                      --json                  status as one JSON object a line
                  -q, --quiet                 no status lines
                  -v, --verbose               every step
                  -h, --help                  this screen
                      --version               the version

                What follows the first word that is no option is the command's own.

                """)
    }

    @Test func everyOptionIsThere() {
        let text = Invocation.help.text(styled: false)
        for option in Invocation.table.options { #expect(text.contains(option.synopsis)) }
    }

    @Test func stylingAddsNothingButStyle() {
        let styled = Invocation.help.text(styled: true)
        #expect(styled.contains("\u{1B}[1mUsage:\u{1B}[0m submit"))
        #expect(
            styled.replacing("\u{1B}[1m", with: "").replacing("\u{1B}[0m", with: "")
                == Invocation.help.text(styled: false))
    }

    @Test func aCommandWithVerbs() {
        enum Option: Hashable { case help }
        let help = Help(
            usage: "cluster VERB", summary: "Jobs.", examples: [],
            sections: [
                .init("Verbs", [("jobs", "list them"), ("a verb that is much too long", "with its words below")])
            ],
            table: OptionTable(
                command: "cluster", groups: [.init("Options", [.init(Option.help, "h", ["help"], help: "this")])]))
        #expect(
            help.text(styled: false) == """
                Usage: cluster VERB

                Jobs.

                Verbs:
                  jobs                        list them
                  a verb that is much too long
                                              with its words below

                Options:
                  -h, --help                  this

                """)
    }

    @Test func theVersion() { #expect(Invocation.versionText == "submit \(Product.version)\n") }
}
