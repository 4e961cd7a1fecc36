/// What runs on the cluster, as this folder holds it: the files are part of the binary.
public enum Template: Sendable {
    /// The job script, with placeholders.
    case jobScript
    /// Starts TensorBoard on a worker.
    case tensorboard
    /// A notebook's command, and the program that it becomes.
    case notebook, notebookServer
    /// A file of what makes the environments of projects.
    case environment(EnvironmentFile)
    /// Relays connections through a step of a job.
    case relay
    /// What completes our commands in a shell.
    case completion(Shell)
    /// A piece of a program for the access node.
    case remote(Piece)

    public enum Shell: Sendable { case bash, zsh, fish }

    public enum EnvironmentFile: String, Sendable, CaseIterable {
        case main = "environment.sh"
        case build = "build.sh"
        case lock = "lock.sh"
        case definition = "definition.py"
        case projects = "projects.py"
        case files = "files.py"
        case uvSettings = "uv_settings.py"
    }

    public enum Piece: Sendable {
        case prelude
        /// The two schedulers.
        case slurm, none
        /// Ends what is left of a job where there is no scheduler.
        case sweep
        /// What is to be done.
        case submit, settle, watch, jobs, step, files, data, probe, check, board, clean, env, shell, terminal, guardian,
            top
        /// The end of the script that becomes one TensorBoard over many jobs.
        case boardStart
        /// For `submit`.
        case snapshots
        /// For `submit`: makes an environment there.
        case building
        /// For `clean` and `env`.
        case storage
        /// For `probe` and `sample`.
        case gpus
        /// What runs on a worker: a shell in a job, what keeps one, and what says what the job uses.
        case inside, hold, sample
    }

    public var bytes: [UInt8] {
        switch self {
        case .jobScript: PackageResources.sbatch_script_sh
        case .tensorboard: PackageResources.tensorboard_py
        case .relay: PackageResources.relay_py
        case .notebook: PackageResources.notebook
        case .notebookServer: PackageResources.notebook_py
        case .environment(.main): PackageResources.environment_sh
        case .environment(.build): PackageResources.build_sh
        case .environment(.lock): PackageResources.lock_sh
        case .environment(.definition): PackageResources.definition_py
        case .environment(.projects): PackageResources.projects_py
        case .environment(.files): PackageResources.files_py
        case .environment(.uvSettings): PackageResources.uv_settings_py
        case .completion(.bash): PackageResources.cluster_bash
        case .completion(.zsh): PackageResources.cluster_zsh
        case .completion(.fish): PackageResources.cluster_fish
        case .remote(.prelude): PackageResources.prelude_sh
        case .remote(.slurm): PackageResources.slurm_sh
        case .remote(.none): PackageResources.none_sh
        case .remote(.sweep): PackageResources.sweep_sh
        case .remote(.submit): PackageResources.submit_sh
        case .remote(.snapshots): PackageResources.snapshots_sh
        case .remote(.building): PackageResources.building_sh
        case .remote(.settle): PackageResources.settle_sh
        case .remote(.watch): PackageResources.watch_sh
        case .remote(.jobs): PackageResources.jobs_sh
        case .remote(.step): PackageResources.step_sh
        case .remote(.files): PackageResources.files_sh
        case .remote(.data): PackageResources.data_sh
        case .remote(.probe): PackageResources.probe_sh
        case .remote(.check): PackageResources.check_sh
        case .remote(.board): PackageResources.board_sh
        case .remote(.env): PackageResources.env_sh
        case .remote(.storage): PackageResources.storage_sh
        case .remote(.clean): PackageResources.clean_sh
        case .remote(.shell): PackageResources.shell_sh
        case .remote(.terminal): PackageResources.terminal_sh
        case .remote(.guardian): PackageResources.guardian_sh
        case .remote(.inside): PackageResources.inside_sh
        case .remote(.hold): PackageResources.hold_sh
        case .remote(.top): PackageResources.top_sh
        case .remote(.gpus): PackageResources.gpus_sh
        case .remote(.sample): PackageResources.sample_sh
        case .remote(.boardStart): PackageResources.board_start_sh
        }
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }
}
