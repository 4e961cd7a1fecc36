/// What submissions have left on a cluster, as `templates/remote/clean.sh` lists it.
struct Findings: Sendable, Equatable {
    /// The folder of a run.
    struct Run: Sendable, Equatable {
        /// Which of ``Findings/bases`` it is below.
        var base: Int
        /// Its folder there: `PROJECT/TIME-TOKEN`.
        var name: String
        /// Whether its job has not ended.
        var isActive: Bool
        /// When its job ended, or was last heard of, in seconds since 1970.
        var last: Int
        /// The command's exit status, where it is known.
        var exit: Int32?
        var kilobytes: Int
        /// Whether the command has written files that are nowhere else.
        var hasResults: Bool
        /// Whether these were fetched since: the file `job/pulled` says so.
        var isPulled: Bool

        /// Of the submission.
        var token: String { name.split(separator: "-").last.map(String.init) ?? name }
    }

    /// A virtual environment, or what an interrupted program has left.
    struct Other: Sendable, Equatable {
        var base: Int
        var name: String
        /// When it was last used, in seconds since 1970.
        var last: Int
        var kilobytes: Int
        /// Why it has to stay, such as a job that uses it.
        var reason: String?
    }

    /// The folders for runs, absolute.
    var bases: [String] = []
    var runs: [Run] = []
    var environments: [Other] = []
    var leftovers: [Other] = []

    /// A line that is none of these is passed over, and so is left alone.
    init(_ answer: Answer) {
        for (key, value) in answer.lines {
            let parts = value.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            switch key {
            case "base": if parts.count >= 2 { bases.append(parts.dropFirst().joined(separator: "|")) }
            case "run":
                guard parts.count == 8, let base = Int(parts[0]), let last = Int(parts[3]), let size = Int(parts[5])
                else { continue }
                runs.append(
                    Run(
                        base: base, name: parts[1], isActive: parts[2] != "no", last: last, exit: Int32(parts[4]),
                        kilobytes: size, hasResults: parts[6] != "no", isPulled: parts[7] == "yes"))
            case "environment": if let other = Self.other(parts) { environments.append(other) }
            case "leftover": if let other = Self.other(parts) { leftovers.append(other) }
            default: break
            }
        }
    }

    private static func other(_ parts: [String]) -> Other? {
        guard (4...5).contains(parts.count), let base = Int(parts[0]), let last = Int(parts[2]),
            let size = Int(parts[3])
        else {
            return nil
        }
        let reason = parts.count > 4 && !parts[4].isEmpty ? parts[4] : nil
        return Other(base: base, name: parts[1], last: last, kilobytes: size, reason: reason)
    }

    /// The run folder of a job.
    func run(of job: Job) -> Run? {
        runs.first { run in bases.indices.contains(run.base) && "\(bases[run.base])/\(run.name)" == job.run }
    }

    /// The path of something below a base.
    func path(_ base: Int, _ name: String) -> String { bases.indices.contains(base) ? "\(bases[base])/\(name)" : name }
}
