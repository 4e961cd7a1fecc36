public import Slurm

/// A cluster as the user describes it: pure data, made from a JSON file by ``load(_:home:)``.
public struct Profile: Sendable, Equatable {
    /// What the user calls it: the file's name without `.json`.
    public var name: String
    /// The file it was read from, as it was named; nothing for this machine itself.
    public var path: String?
    /// What it was read from.
    public var source: JSONValue?

    /// The access node. Without one, commands run on this machine.
    public var hostname: String?
    /// The port of its SSH server, if the profile says; otherwise `ssh -G` does.
    public var port: Int?
    /// The account there, if the profile says.
    public var user: String?
    /// The private key's path on this machine, `~` expanded.
    public var sshKey: String?
    /// A known_hosts file to use in place of the user's own, `~` expanded.
    public var knownHosts: String?

    /// What speaks SSH with it.
    public var transport: Transport

    /// What starts jobs there.
    public var scheduler: SchedulerKind
    /// The options for sbatch: the lowest layer.
    public var sbatchOptions: SbatchOptions
    /// The folder for runs; nothing for the default (`$SCRATCH/cluster-tools`, or `~/cluster-tools` without a scratch).
    public var untarPath: RemoteText?
    /// Shell lines that activate the Python environment, in the job, before the command.
    public var activatePython: [String]
    /// The job's further environment.
    public var environment: JobEnvironment
    /// A job script of the user's own: its path on this machine.
    public var template: String?
    /// The Python environment that its jobs run in; nothing for none.
    public var requirements: EnvironmentPlan?
    /// How to reach TensorBoard on a worker.
    public var tunnel: TunnelPlan

    /// A machine's profile with everything else at its default.
    public init(name: String, hostname: String? = nil, scheduler: SchedulerKind? = nil) {
        self.name = name
        self.hostname = hostname
        self.transport = .libssh
        self.scheduler = scheduler ?? (hostname == nil ? .none : .slurm)
        self.sbatchOptions = SbatchOptions()
        self.activatePython = []
        self.environment = .lines([])
        self.tunnel = TunnelPlan()
    }

    /// This machine itself, for when there is no cluster at hand.
    public static let thisMachine = Profile(name: nameOfThisMachine)

    /// What stands for this machine where clusters have names.
    static let nameOfThisMachine = "here"

    /// What the user calls the profile in a file.
    static func name(ofFile path: String) -> String {
        let name = LocalPath.name(of: path)
        return name.hasSuffix(".json") ? String(name.dropLast(5)) : name
    }
}

/// What speaks SSH with a host.
public enum Transport: String, Sendable, CaseIterable {
    /// The library: everything in this process.
    case libssh
    /// The user's own ssh command, with all that it can log in by.
    case openssh

    /// By its name in a profile. Older ones name the library that was used before.
    init?(name: String) { self.init(rawValue: name == "libssh2" ? "libssh" : name) }
}

/// What starts, watches and ends jobs on a host.
public enum SchedulerKind: String, Sendable, CaseIterable {
    case slurm
    /// No scheduler: a job is a process group of its own.
    case none
}

/// The environment that a profile adds to a job.
public enum JobEnvironment: Sendable, Equatable {
    /// Shell lines, run as they are.
    case lines([String])
    /// Variables and their values.
    case variables([Variable])

    public struct Variable: Sendable, Equatable {
        public let name: String
        public let value: RemoteText
    }

    /// The lines for the job script. In a variable's value `~`, `$NAME` and `${NAME}` are the cluster's; one that is not set there
    /// is empty, as in `"LD_LIBRARY_PATH": "$HOME/lib:$LD_LIBRARY_PATH"`.
    public var shellLines: [String] {
        switch self {
        case .lines(let lines): lines
        case .variables(let variables): variables.map { "export \($0.name)=\($0.value.shellExpression(unset: .empty))" }
        }
    }
}

/// How to get from here to a port on a worker.
public struct TunnelPlan: Sendable, Equatable {
    public enum Way: String, Sendable, CaseIterable {
        /// Whatever works.
        case auto
        /// An SSH hop through the access node to the worker's own SSH server.
        case ssh
        /// `srun --overlap` into the job.
        case srun
        /// The access node itself can connect to the worker's loopback: they are one machine.
        case direct
    }

    public var way: Way
    /// The worker's host name as the access node knows it; `%n` in it is the node's name in Slurm.
    public var host: String
    /// The port of the worker's SSH server.
    public var port: Int

    public init(way: Way = .auto, host: String = "%n", port: Int = 22) {
        self.way = way
        self.host = host
        self.port = port
    }

    /// The host name of the worker that Slurm calls `node`.
    public func host(ofNode node: String) -> String {
        host.split(separator: "%n", omittingEmptySubsequences: false).joined(separator: node)
    }
}
