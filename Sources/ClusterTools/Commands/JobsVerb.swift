import Slurm

/// `cluster jobs`: the records of this machine, as they were last known; no cluster is asked.
struct JobsVerb {
    let operands: [String]
    let console: Console
    let surroundings: Surroundings

    func run() throws -> Int32 {
        guard operands.isEmpty else { throw Failure(Exit.usage, "jobs takes no further words") }
        let (jobs, unreadable) = try JobStore(environment: surroundings.environment).all()
        for path in unreadable { console.report(.warning("\(path) is no job's record")) }
        for job in jobs {
            if console.isJSON {
                print(Self.json(job))
            } else {
                print(Self.line(job))
            }
        }
        return 0
    }

    /// What is known of it here. A job that nobody watched to its end may be anywhere.
    static func state(of job: Job) -> String {
        switch job.phase {
        case .submitting: "unknown: nobody has seen the answer to its submission; cluster attach finds out"
        case .submitted: "submitted; cluster attach asks for more"
        case .ended: job.ending?.description ?? "ended"
        }
    }

    private static func line(_ job: Job) -> String {
        let place = job.profilePath.map { LocalPath.name(of: $0) } ?? "this machine"
        return "\(job.title)\t\(job.name)\t\(place)\t\(state(of: job))\t\(ShellWord.join(job.command))"
    }

    private static func json(_ job: Job) -> JSONValue {
        .object([
            .init("job", .string(job.title)), .init("name", .string(job.name)),
            .init("profile", job.profilePath.map { .string($0) } ?? .null),
            .init("phase", .string(job.phase.rawValue)), .init("run", job.run.map { .string($0) } ?? .null),
            .init("commit", .string(job.commit)), .init("submitted", .number("\(job.submitted)")),
            .init("status", job.ending.map { .number("\($0.exitStatus)") } ?? .null),
            .init("command", .array(job.command.map { .string($0) })),
        ])
    }
}
