/// What a job uses on one node at one moment, as `templates/remote/sample.sh` found it. What it could not find out is nil.
struct NodeSample: Sendable, Equatable {
    var node: String
    /// When: in seconds since the node was started.
    var moment: Double
    /// The node's processor time since then, busy and all, in ticks of its own.
    var processor: (busy: Double, total: Double)?
    /// How many processes want a core, averaged over a minute.
    var load: Double?
    /// The node's, in bytes.
    var memory: GPU.Memory?
    /// How many cores the job has.
    var cores: Int?
    /// What the job may use, in bytes.
    var memoryLimit: Int?
    /// The processor time that all of the job has used so far, in seconds, where somebody counts it.
    var used: Double?
    var processes: [Process] = []
    /// Those of the job.
    var gpus: [GPU] = []
    /// Why nothing is known of GPUs although there seem to be some.
    var gpuProblem: String?

    /// A process of the job.
    struct Process: Sendable, Equatable {
        var id: Int
        var user: String?
        /// One letter, as ps has it.
        var state: String
        /// The processor time that it has used so far, in seconds.
        var used: Double
        /// When it began: in seconds since the node was started.
        var start: Double
        /// In bytes.
        var memory: Int
        var threads: Int
        /// Its arguments, where they are known, else its name.
        var command: String
    }

    /// What all processes of the job have in memory.
    var memoryUsed: Int { processes.reduce(0) { $0 + $1.memory } }

    static func == (a: NodeSample, b: NodeSample) -> Bool {
        a.node == b.node && a.moment == b.moment && a.processes == b.processes && a.gpus == b.gpus
    }
}
