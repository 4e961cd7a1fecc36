/// The options of `submit`.
public enum SubmitOption: Hashable, Sendable {
    case cluster, need, name, branch, resubmit, sbatch, requeueBefore, maxFileSize
    case tensorboard, logdir, linger
    case pull, detach, dryRun, json, quiet, verbose, help, version
}

extension Invocation {
    static let usage = "submit [options] [--] COMMAND [ARG...]"

    /// The table behind parsing, help and suggestions.
    public static let table: OptionTable<SubmitOption> = OptionTable(
        command: "submit",
        groups: [
            .init(
                "What runs, and where",
                [
                    .init(
                        .cluster, "c", ["cluster"], .required("PROFILE"),
                        help: """
                            the cluster: a JSON file, or the name of one \
                            (default: your configuration's, else this machine)
                            """),
                    .init(
                        .need, nil, ["need"], .required("NEEDS"),
                        help: "the machine that just has this free, of those that -c names: "
                            + "gpu-memory=1.5G,disk=3G,cpus=4"),
                    .init(
                        .name, "n", ["name"], .required("NAME"),
                        help: "the job's name (default: the repository's)"),
                    .init(
                        .branch, "b", ["branch"], .required("BRANCH"),
                        help: "send this branch, not the working tree"),
                    .init(
                        .resubmit, nil, ["resubmit"], .required("JOB"),
                        help: "an earlier job once more; what else is given replaces what it had"),
                    .init(
                        .sbatch, nil, ["sbatch_json", "sbatch-json"], .required("JSON"),
                        help: "options for sbatch, over those of the profile and of sbatch.json; null removes one"),
                    .init(
                        .requeueBefore, nil, ["requeue-before"], .required("TIME"),
                        help: "so long before the time limit send USR1, then queue it again (5m)"),
                    .init(
                        .maxFileSize, nil, ["max-file-size"], .required("SIZE"),
                        help: "stop at a larger untracked file (100M)"),
                ]),
            .init(
                "TensorBoard",
                [
                    .init(
                        .tensorboard, nil, ["tensorboard"], .boolean,
                        help: "run it with the job (default: yes)"),
                    .init(
                        .logdir, nil, ["logdir"], .required("DIR"),
                        help: "what it reads (default: where the command runs)"),
                    .init(
                        .linger, nil, ["linger"], .boolean,
                        help: "keep it up when the command has ended"),
                ]),
            .init(
                "How submit behaves",
                [
                    .init(
                        .pull, nil, ["pull"], .required("PATH"),
                        help: "fetch this when the job has ended ('outputs/**')"),
                    .init(.detach, nil, ["detach"], help: "print the job's id and leave"),
                    .init(.dryRun, nil, ["dry-run"], help: "show what would be sent and run; connect nowhere"),
                    .init(.json, nil, ["json"], help: "status as one JSON object a line"),
                    .init(.quiet, "q", ["quiet"], help: "no status lines"),
                    .init(.verbose, "v", ["verbose"], help: "every step"),
                    .init(.help, "h", ["help"], help: "this screen"),
                    .init(.version, nil, ["version"], help: "the version"),
                ]),
        ])

    /// The help screen.
    public static let help: Help = Help(
        usage: usage,
        summary: """
            Put submit in front of a command, and the command runs on your cluster, with the \
            files as they are now. Its output appears here; its exit status is submit's.
            """,
        examples: [
            .init("submit python main.py", "here and now, without a cluster"),
            .init("submit -c cedar.json python main.py --lr 0.1", "as a job on the cluster that cedar.json describes"),
            .init(
                "submit -c fir --sbatch_json '{\"--time\": \"3:00:00\"}' ./train.sh",
                "with another time limit than the profile's"),
        ],
        table: table,
        closing: "What follows the first word that is no option is the command's own.")

    /// What `--version` prints, with a line break at its end.
    public static let versionText = "submit \(Product.version)\n"
}

/// What is being released.
public enum Product {
    public static let version = "0.1.0"
}
