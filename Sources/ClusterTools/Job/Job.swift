/// The local record of a submission: enough for any later command in any terminal to pick the job up again.
public struct Job: Codable, Sendable, Equatable {
    /// How far a submission is known to have come.
    public enum Phase: String, Codable, Sendable {
        /// It may or may not have become a job: the answer of the cluster is not known.
        case submitting
        /// The scheduler has it.
        case submitted
        /// It has ended; see ``Job/ending``.
        case ended
    }

    /// Identifies the submission; random.
    public var token: String
    /// The name that the scheduler shows.
    public var name: String
    public var phase: Phase
    /// The scheduler's number.
    public var id: String?
    /// The folder of the run on the cluster, absolute.
    public var run: String?
    /// The name of the run's folder, known before the job exists.
    public var runName: String
    /// The folder below the root that this project's runs are in.
    public var project: String
    /// The profile's file, or nil for this machine.
    public var profilePath: String?
    /// The commit that runs, and the side branch that keeps it when the tree was dirty.
    public var commit: String
    public var reference: String?
    /// The work tree that it was submitted from.
    public var repository: String
    /// The command's words.
    public var command: [String]
    /// Whether it is an array of tasks.
    public var isArray: Bool
    public var hasTensorBoard: Bool
    public var lingers: Bool
    /// When it was submitted, in seconds since 1970.
    public var submitted: Int
    /// How it ended, when that is known.
    public var ending: Ending?

    /// What a person calls it: the scheduler's number, or the token where there is none yet.
    public var title: String { id ?? token }
}
