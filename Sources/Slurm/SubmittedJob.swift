/// The answer of `sbatch --parsable`: `4242`, or `4242;cluster` when there are several clusters.
public struct SubmittedJob: Sendable, Equatable {
    public let id: JobID
    /// The cluster that took the job, if sbatch named one.
    public let cluster: String?

    /// Reads the answer, with or without its line break.
    public init(parsing answer: some StringProtocol) throws(SlurmError) {
        let line = answer.prefix { !$0.isNewline }
        let fields = line.split(separator: ";" as Character, maxSplits: 1, omittingEmptySubsequences: false)
        guard let id = fields.first.flatMap({ JobID($0) }), id.part == .whole else {
            throw SlurmError(.unreadable, "sbatch printed no job id: \(line.prefix(200))")
        }
        self.id = id
        cluster = fields.count > 1 && !fields[1].isEmpty ? String(fields[1]) : nil
    }
}
