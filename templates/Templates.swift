/// What runs on the cluster, as this folder holds it: the files are part of the binary.
public enum Template: Sendable {
    /// The job script, with placeholders.
    case jobScript
    /// Starts TensorBoard on a worker.
    case tensorboard
    /// Relays connections through a step of a job.
    case relay
    /// A piece of a program for the access node.
    case remote(Piece)

    public enum Piece: Sendable {
        case prelude
        /// The two schedulers.
        case slurm, none
        /// What is to be done.
        case submit, settle, watch, jobs, step, files
    }

    public var bytes: [UInt8] {
        switch self {
        case .jobScript: PackageResources.sbatch_script_sh
        case .tensorboard: PackageResources.tensorboard_py
        case .relay: PackageResources.relay_py
        case .remote(.prelude): PackageResources.prelude_sh
        case .remote(.slurm): PackageResources.slurm_sh
        case .remote(.none): PackageResources.none_sh
        case .remote(.submit): PackageResources.submit_sh
        case .remote(.settle): PackageResources.settle_sh
        case .remote(.watch): PackageResources.watch_sh
        case .remote(.jobs): PackageResources.jobs_sh
        case .remote(.step): PackageResources.step_sh
        case .remote(.files): PackageResources.files_sh
        }
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }
}
