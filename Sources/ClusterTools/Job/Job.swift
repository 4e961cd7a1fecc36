/// The local record of a submission: enough for any later command in any terminal to pick the job up again.
public struct Job: Sendable, Equatable {
    /// How far a submission is known to have come.
    public enum Phase: String, Sendable, CaseIterable {
        /// It may or may not have become a job: the answer of the cluster is not known.
        case submitting
        /// The scheduler has it.
        case submitted
        /// It has ended; see ``Job/ending``.
        case ended
    }

    /// What a cluster last said of a job that had not ended.
    public struct Sighting: Sendable, Equatable {
        /// In words: `queued: other jobs come first`, `running on fc10512`.
        public var words: String
        /// When, in seconds since 1970.
        public var at: Int
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
    /// The profile as it was then, for when the file is gone or names another cluster.
    public var profile: JSONValue?
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
    /// Whether its command is a notebook server.
    public var isNotebook = false
    /// How it was submitted; nil in the record of an earlier version.
    public var plan: JobPlan?
    /// When it was submitted, in seconds since 1970.
    public var submitted: Int
    /// How it ended, when that is known.
    public var ending: Ending?
    /// When it ended, in seconds since 1970: by the job's own word, or when it was found to have ended.
    public var ended: Int?
    /// The node that it ran on.
    public var node: String?
    public var seen: Sighting?
    /// When what ``JobPlan/pulls`` names had been fetched, in seconds since 1970.
    public var pulled: Int?
    /// The one task of the array that is meant. A task is no record of its own.
    public var task: Int?

    /// What a person calls it: the scheduler's number, or the token where there is none yet.
    public var title: String { id ?? token }

    /// Tells it from all others.
    var key: String { task.map { "\(token)_\($0)" } ?? token }

    /// What a person calls its cluster: the profile's name.
    public var cluster: String { profilePath.map { Profile.name(ofFile: $0) } ?? Profile.nameOfThisMachine }

    /// Whether its number has been given to a later job, as by a cluster that was set up anew: nothing that the queue says of
    /// that number is about this one.
    ///
    /// - Parameter jobs: all records.
    func isSuperseded(among jobs: [Job]) -> Bool {
        jobs.contains { $0.id == id && $0.profilePath == profilePath && $0.submitted > submitted && $0.token != token }
    }

    /// One task of this array, as a job that can be watched and cancelled by itself.
    func taskOfArray(_ number: Int) -> Job {
        var job = self
        job.id = id.map { "\($0)_\(number)" }
        job.isArray = false
        job.task = number
        // How the array ended says nothing of one task.
        if job.phase == .ended { job.phase = .submitted }
        (job.ending, job.ended, job.node, job.seen) = (nil, nil, nil, nil)
        return job
    }

    /// Records its end. What was known once is known better than what the queue remembers later.
    ///
    /// - Parameter moment: in seconds since 1970.
    mutating func end(_ ending: Ending, at moment: Int) {
        guard phase != .ended else { return }
        phase = .ended
        self.ending = ending
        ended = moment
        seen = nil
    }
}
