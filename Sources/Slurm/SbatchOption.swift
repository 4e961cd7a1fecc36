/// One of sbatch's options, as its manual page and `src/common/slurm_opt.c` have them (Slurm 20.11 to 25.05).
public struct SbatchOption: Sendable, Hashable {
    /// Whether a value follows.
    public enum Argument: Sendable { case none, required, optional }

    /// Whether a profile may set it.
    public enum Role: Sendable, Hashable {
        case settable
        /// submit sets it itself and says so; the user's value is not used.
        case ignored(because: String)
        /// It would break the submission.
        case refused(because: String)
    }

    /// The long name without its dashes: the option's identity, whichever way it is spelled.
    public let name: String
    /// The one-letter name.
    public let short: Character?
    /// Further long names for the same option.
    public let aliases: [String]
    public let argument: Argument
    public let role: Role

    /// The option as the command line has it, such as `--cpus-per-task`.
    public var spelling: String { "--" + name }

    /// Finds the option that `key`, with its dashes, spells.
    public static func named(_ key: String) -> SbatchOption? { bySpelling[key] }

    /// Every long spelling, for suggestions.
    public static let spellings: [String] = all.flatMap { ["--" + $0.name] + $0.aliases.map { "--" + $0 } }

    /// Options of which sbatch takes only one: setting one of them in a later layer replaces the others.
    static let exclusive: [Set<String>] = [
        ["mem", "mem-per-cpu", "mem-per-gpu"], ["requeue", "no-requeue"], ["exclusive", "oversubscribe"],
    ]

    private static let bySpelling: [String: SbatchOption] = {
        var table: [String: SbatchOption] = [:]
        for option in all {
            for name in [option.name] + option.aliases { table["--" + name] = option }
            if let short = option.short { table["-" + String(short)] = option }
        }
        return table
    }()

    private init(
        _ name: String, _ short: Character?, aliases: [String], _ argument: Argument, _ role: Role
    ) {
        self.name = name
        self.short = short
        self.aliases = aliases
        self.argument = argument
        self.role = role
    }

    private static func flag(_ name: String, _ short: Character? = nil, aliases: [String] = []) -> SbatchOption {
        SbatchOption(name, short, aliases: aliases, .none, .settable)
    }

    private static func value(_ name: String, _ short: Character? = nil, aliases: [String] = []) -> SbatchOption {
        SbatchOption(name, short, aliases: aliases, .required, .settable)
    }

    private static func optional(_ name: String, _ short: Character? = nil) -> SbatchOption {
        SbatchOption(name, short, aliases: [], .optional, .settable)
    }

    private static func ignored(
        _ name: String, _ short: Character? = nil, aliases: [String] = [], takes argument: Argument = .none,
        because reason: String
    ) -> SbatchOption {
        SbatchOption(name, short, aliases: aliases, argument, .ignored(because: reason))
    }

    private static func refused(
        _ name: String, _ short: Character? = nil, takes argument: Argument = .none, because reason: String
    ) -> SbatchOption {
        SbatchOption(name, short, aliases: [], argument, .refused(because: reason))
    }

    /// All of them, in the manual page's order.
    public static let all: [SbatchOption] = [
        value("account", "A"), value("acctg-freq"), value("array", "a"), value("batch"), value("bb"), value("bbf"),
        value("begin", "b"),
        ignored("chdir", "D", aliases: ["workdir"], takes: .required, because: "the job runs in its run folder"),
        value("cluster-constraint"),
        refused(
            "clusters", "M", takes: .required,
            because: "the job would be watched on this cluster; use a profile for each"),
        value("comment"),
        flag("consolidate-segments"), value("constraint", "C"), value("container"), value("container-id"),
        value("context"), flag("contiguous"), value("core-spec", "S"), value("cores-per-socket"), value("cpu-freq"),
        value("cpus-per-gpu"), value("cpus-per-task", "c"), value("deadline"), value("delay-boot"),
        value("dependency", "d"), value("distribution", "m"),
        ignored("error", "e", takes: .required, because: "standard error goes to slurm.err in the run folder"),
        value("exclude", "x"), optional("exclusive"), value("export"), value("export-file"), flag("external"),
        value("extra"), value("extra-node-info", "B"), optional("get-user-env"), value("gid"), value("gpu-bind"),
        value("gpu-freq"), value("gpus", "G"), value("gpus-per-node"), value("gpus-per-socket"),
        value("gpus-per-task"), value("gres"), value("gres-flags"),
        refused("help", "h", because: "it makes sbatch print its help instead of submitting"),
        value("hint"), flag("hold", "H"), flag("ignore-pbs"), value("input", "i"), value("job-name", "J"),
        value("kill-on-invalid-dep"), value("licenses", "L"), value("mail-type"), value("mail-user"),
        value("mcs-label"), value("mem"), value("mem-bind", aliases: ["mem_bind"]), value("mem-per-cpu"),
        value("mem-per-gpu"), value("mem-update"), value("mincpus"), value("network"), optional("nice"),
        optional("no-kill", "k"), flag("no-requeue"), value("nodefile", "F"), value("nodelist", "w"),
        value("nodes", "N"), value("ntasks", "n", aliases: ["tasks"]), value("ntasks-per-core"),
        value("ntasks-per-gpu"), value("ntasks-per-node", aliases: ["tasks-per-node"]), value("ntasks-per-socket"),
        value("ntasks-per-tres"), optional("oom-kill-step"), value("open-mode"),
        ignored("output", "o", takes: .required, because: "standard output goes to slurm.out in the run folder"),
        flag("overcommit", "O"), flag("oversubscribe", "s", aliases: ["share"]),
        ignored("parsable", because: "submit reads sbatch's answer itself"),
        value("partition", "p"), value("power"), value("prefer"), value("priority"), value("profile"),
        optional("propagate"), value("qos", "q"),
        ignored("quiet", "Q", because: "submit reads sbatch's answer itself"),
        flag("reboot"), optional("requeue"), value("reservation"), value("resources"), optional("resv-ports"),
        value("runtime"), value("segment"), value("signal"), value("sockets-per-node"), flag("spread-job"),
        flag("spread-segments"), flag("stepmgr"), value("switches"),
        refused("test-only", because: "nothing would be submitted; submit --dry-run shows what would be"),
        value("thread-spec"), value("threads-per-core"), value("time", "t"), value("time-min"), value("tmp"),
        value("tres-bind"), value("tres-per-task"), value("uid"),
        refused("usage", because: "it makes sbatch print its usage instead of submitting"),
        flag("use-min-nodes"),
        ignored("verbose", "v", because: "submit reads sbatch's answer itself"),
        refused("version", "V", because: "it makes sbatch print its version instead of submitting"),
        ignored("wait", "W", because: "submit waits for the job itself"),
        value("wait-all-nodes"), value("wckey"),
        refused("wrap", takes: .required, because: "the command to run is what follows submit's options"),
    ]
}
