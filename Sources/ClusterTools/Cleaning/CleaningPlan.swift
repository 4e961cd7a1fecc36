/// What may go of all that submissions have left, and why the rest stays. A value without I/O.
struct CleaningPlan: Sendable {
    /// What the user wants gone.
    struct Rules: Sendable {
        /// The present moment, in seconds since 1970.
        var now: Int
        /// What ended, or was last used, longer ago than this, in seconds; nil for any age.
        var age: Int?
        /// Results that nobody fetched too.
        var takesUnpulled = false
        /// Of jobs that did not end well alone.
        var onlyFailed = false
        /// Runs that there is no record of here too.
        var takesUnknown = false
        /// These jobs alone; nil for all.
        var only: Set<String>?

        /// What an interrupted program left is nobody's after a day.
        fileprivate static let leftoverAge = 86_400

        fileprivate func isOld(_ moment: Int, _ age: Int?) -> Bool { age.map { now - moment >= $0 } ?? true }
    }

    enum Thing: Sendable, Equatable {
        case run(Findings.Run)
        case environment(Findings.Other)
        case leftover(Findings.Other)
        /// The record here of a job whose run folder is gone.
        case record

        var word: String {
            switch self {
            case .run: "run"
            case .environment: "environment"
            case .leftover: "leftover"
            case .record: "record"
            }
        }
    }

    struct Item: Sendable, Equatable {
        var thing: Thing
        /// Its job, where there is a record of it.
        var job: Job?
        var path: String
        /// When it was last of use, in seconds since 1970.
        var last: Int
        var kilobytes: Int
        /// Why it stays; nil for what may go.
        var reason: String?
    }

    let items: [Item]

    var removed: [Item] { items.filter { $0.reason == nil } }
    var kept: [Item] { items.filter { $0.reason != nil } }

    /// - Parameter jobs: the records of this cluster's jobs.
    init(_ findings: Findings, jobs: [Job], _ rules: Rules) {
        var items: [Item] = []
        for run in findings.runs {
            let path = findings.path(run.base, run.name)
            let job = jobs.first { $0.run == path }
            if let only = rules.only, !(job.map { only.contains($0.token) } ?? false) { continue }
            items.append(
                Item(
                    thing: .run(run), job: job, path: path, last: run.last, kilobytes: run.kilobytes,
                    reason: Self.reason(run, job, rules)))
        }
        for job in jobs where job.phase == .ended && findings.run(of: job) == nil {
            if let only = rules.only, !only.contains(job.token) { continue }
            // Where it is not even known which folder it was in, nothing can be said.
            guard let run = job.run, findings.bases.contains(where: { run.hasPrefix($0 + "/") }) else { continue }
            let last = job.ended ?? job.submitted
            let isWanted = rules.isOld(last, rules.age) && !(rules.onlyFailed && job.ending?.exitStatus == 0)
            items.append(
                Item(
                    thing: .record, job: job, path: run, last: last, kilobytes: 0,
                    reason: isWanted ? nil : "it is not that old"))
        }
        if rules.only == nil && !rules.onlyFailed {
            for other in findings.environments {
                let path = findings.path(other.base, ".environments/\(other.name)")
                let reason = other.reason ?? (rules.isOld(other.last, rules.age) ? nil : "it is not that old")
                items.append(
                    Item(
                        thing: .environment(other), path: path, last: other.last, kilobytes: other.kilobytes,
                        reason: reason))
            }
            for other in findings.leftovers where rules.isOld(other.last, Rules.leftoverAge) {
                items.append(
                    Item(
                        thing: .leftover(other), path: findings.path(other.base, other.name), last: other.last,
                        kilobytes: other.kilobytes))
            }
        }
        self.items = items.sorted { ($0.last, $0.path) < ($1.last, $1.path) }
    }

    private static func reason(_ run: Findings.Run, _ job: Job?, _ rules: Rules) -> String? {
        if run.isActive { return "its job has not ended" }
        if job == nil && !rules.takesUnknown { return "no job of this machine (--all)" }
        if !rules.isOld(run.last, rules.age) { return "it is not that old" }
        let failed = job?.ending.map { $0.exitStatus != 0 } ?? (run.exit != 0)
        if rules.onlyFailed && !failed { return "it ended well" }
        // What its submitter wanted is here, or somebody has said so there.
        let isPulled = run.isPulled || job?.pulled != nil
        if run.hasResults && !isPulled && !rules.takesUnpulled {
            return "its results were not fetched (--unpulled)"
        }
        return nil
    }
}
