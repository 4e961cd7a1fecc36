import Slurm
import Templates

/// Jobs that one login reaches.
struct JobGroup: Sendable {
    var profile: Profile
    var jobs: [Job]

    /// What makes two profiles the same way to the same cluster.
    private struct Way: Hashable {
        var hostname: String?
        var port: Int?
        var user: String?
        var key: String?
        var knownHosts: String?
        var transport: Transport
        var scheduler: SchedulerKind

        init(_ profile: Profile) {
            hostname = profile.hostname
            port = profile.port
            user = profile.user
            key = profile.sshKey
            knownHosts = profile.knownHosts
            transport = profile.transport
            scheduler = profile.scheduler
        }
    }

    /// Whether its login is one to the machine that a profile leads to.
    func reachesTheSame(as profile: Profile) -> Bool { Way(self.profile) == Way(profile) }

    /// Groups jobs by the cluster they are on.
    ///
    /// - Parameter profile: the profile that leads to a job.
    /// - Returns: the groups, and the jobs to which no profile leads, with the reason.
    static func grouping(
        _ jobs: [Job], _ profile: (Job) throws(Failure) -> Profile
    ) -> (groups: [JobGroup], lost: [(job: Job, failure: Failure)]) {
        var groups: [Way: JobGroup] = [:]
        var order: [Way] = []
        var lost: [(job: Job, failure: Failure)] = []
        for job in jobs {
            do {
                let profile = try profile(job)
                let way = Way(profile)
                if groups[way] == nil { order.append(way) }
                groups[way, default: JobGroup(profile: profile, jobs: [])].jobs.append(job)
            } catch {
                lost.append((job, error))
            }
        }
        return (order.compactMap { groups[$0] }, lost)
    }

    /// The program for the access node that answers requests about these jobs; see `templates/remote/jobs.sh`.
    ///
    /// - Parameter records: all records of this machine.
    func program(among records: [Job]) -> RemoteProgram {
        var lines = ["ct_each() { :"]
        for job in jobs {
            guard let id = job.id, let run = job.run else { continue }
            let isForeign = profile.scheduler == .slurm && job.isSuperseded(among: records)
            let words = [job.key, isForeign ? "-" : id, run, job.task.map { "\($0)" } ?? ""]
            lines.append("ct_visit \(ShellWord.join(words))")
        }
        lines.append("}\n")
        return RemoteProgram(.jobs, of: profile, definitions: lines.joined(separator: "\n"))
    }

    /// Asks once about all of them.
    func poll(_ conversation: Conversation, host: String, among records: [Job]) async throws -> [String: JobReport] {
        let answer = try await conversation.ask("poll")
        if let failure = answer.failure(on: host) { throw failure }
        return JobReport.all(in: answer, about: jobs.map { ($0, $0.isSuperseded(among: records)) })
    }
}
