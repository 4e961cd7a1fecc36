import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Asks the clusters of many jobs how these are: all clusters at once, each with one login and one question.
struct Survey: Sendable {
    let call: Verb.Call
    /// All records of this machine.
    let records: [Job]

    /// - Parameter jobs: those to ask about.
    /// - Returns: by the jobs' keys. Of a cluster that cannot be asked the jobs are ``JobStatus/unknown(why:)``.
    func statuses(of jobs: [Job]) async throws -> [String: JobStatus] {
        var statuses: [String: JobStatus] = [:]
        var open: [Job] = []
        for job in jobs {
            if let status = JobStatus(record: job) { statuses[job.key] = status } else { open.append(job) }
        }
        var notices: Set<String> = []
        let (groups, lost) = JobGroup.grouping(open) { job throws(Failure) in
            let current = try job.currentProfile(home: call.surroundings.home)
            if let notice = current.notice, notices.insert(job.profilePath ?? "").inserted {
                call.console.report(.warning(notice))
            }
            return current.profile
        }
        for (job, failure) in lost { statuses[job.key] = .unknown(why: failure.description) }
        if !groups.isEmpty {
            call.console.progress("asking " + Set(groups.map(\.profile.name)).sorted().joined(separator: ", "))
        }
        let keyboards = Keyboard(loop: call.surroundings.loop).shared(among: groups.count)
        try await withThrowingTaskGroup(of: [String: JobStatus].self) { tasks in
            for (group, keyboard) in zip(groups, keyboards) {
                tasks.addTask { try await self.statuses(in: group, keyboard: keyboard) }
            }
            for try await some in tasks { statuses.merge(some) { $1 } }
        }
        call.console.endProgress()
        try remember(statuses, of: open)
        return statuses
    }

    private func statuses(in group: JobGroup, keyboard: Keyboard) async throws -> [String: JobStatus] {
        let now = time(nil)
        do {
            let reports = try await reports(of: group, keyboard: keyboard)
            let pairs = group.jobs.map { job in
                let status = reports[job.key].map { JobStatus(of: job, report: $0, now: now) }
                return (job.key, status ?? .unknown(why: "its cluster said nothing about it"))
            }
            return Dictionary(pairs) { $1 }
        } catch  where !Task.isCancelled {
            let failure = Failure(describing: Failure.connecting(to: group.profile.hostname ?? "this machine", error))
            return Dictionary(group.jobs.map { ($0.key, .unknown(why: failure.description)) }) { $1 }
        }
    }

    private func reports(of group: JobGroup, keyboard: Keyboard) async throws -> [String: JobReport] {
        let inquiry = Inquiry(connector: call.connector(for: group.profile, keyboard: keyboard), keyboard: keyboard)
        return try await inquiry.run(group.program(among: records)) { conversation, host in
            try await group.poll(conversation, host: host, among: records)
        }
    }

    /// Writes down what was learnt.
    private func remember(_ statuses: [String: JobStatus], of jobs: [Job]) throws {
        let now = time(nil)
        for job in jobs where job.task == nil {
            guard let status = statuses[job.key] else { continue }
            do {
                try call.store.update(job.token) { $0.learn(status, now: now) }
            } catch {
                call.console.report(.warning("\(error)"))
            }
        }
    }
}
