/// A line of the queue: a job, or a task or several waiting tasks of an array.
///
/// As `squeue --format '%i|%T|%r|%B|%N|%S|%e|%L|%M|%P'` prints it: letters that every version has. A site's or user's own
/// settings would change the lines, but for `SLURM_TIME_FORMAT=%s` (no time zone to guess) and `SLURM_BITSTR_LEN=0` (arrays
/// with all their tasks) in its environment.
public struct QueueLine: Sendable, Equatable {
    public let id: JobID
    public let state: JobState
    /// Slurm's own word for why the job waits or failed; see ``QueueReason``. Nothing when there is no reason.
    public let reason: String?
    /// The node the script runs on.
    public let batchHost: String?
    /// All nodes, as Slurm lists them; see ``HostList``.
    public let nodes: String?
    /// When the job started or, while it waits, is expected to: in seconds since 1970.
    public let start: Int?
    /// When it ended or will be ended at the latest: in seconds since 1970.
    public let end: Int?
    /// Seconds until the time limit; less than zero once it is passed.
    public let timeLeft: Int?
    /// Seconds it has run.
    public let timeUsed: Int?
    public let partition: String?

    /// Reads one line.
    public init(_ line: some StringProtocol) throws(SlurmError) {
        let fields = line.split(separator: "|" as Character, omittingEmptySubsequences: false).map { String($0) }
        // A reason is free text and may contain the separator, so the fields are counted from both ends.
        guard fields.count >= 10, let id = JobID(fields[0]), !fields[1].isEmpty else {
            throw SlurmError(.unreadable, "squeue printed a line that is no job: \(line.prefix(200))")
        }
        let rest = Array(fields.suffix(7))
        self.id = id
        state = JobState(rawValue: fields[1])
        reason = Self.present(fields[2..<fields.count - 7].joined(separator: "|"))
        batchHost = Self.present(rest[0])
        nodes = Self.present(rest[1])
        start = Self.time(rest[2])
        end = Self.time(rest[3])
        timeLeft = SlurmDuration.seconds(rest[4])
        timeUsed = SlurmDuration.seconds(rest[5])
        partition = Self.present(rest[6])
    }

    private static func present(_ field: String) -> String? {
        switch field {
        case "", "N/A", "n/a", "None", "(null)", "None assigned": nil
        default: field
        }
    }

    private static func time(_ field: String) -> Int? {
        guard let seconds = Int(field), seconds > 0 else { return nil }
        return seconds
    }
}
