import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ends jobs on their clusters, and waits until these say that they have ended.
struct Cancellation: Sendable {
    let call: Verb.Call
    /// All records of this machine.
    let records: [Job]

    /// How long the schedulers have to end them: a command may take its time to end, and an epilogue too.
    private static let patience: Duration = .seconds(90)
    /// How often a scheduler is asked again to cancel what has not ended.
    private static let again: Duration = .seconds(15)

    /// - Returns: 0 when all have ended, else the status that says why not.
    func run(_ jobs: [Job]) async throws -> Int32 {
        let (groups, lost) = JobGroup.grouping(jobs) { job throws(Failure) in try call.profile(of: job) }
        for (job, failure) in lost { call.console.report(failed(job, failure)) }
        let keyboards = Keyboard(loop: call.surroundings.loop).shared(among: groups.count)
        var status: Int32 = lost.first?.failure.status ?? 0
        try await withThrowingTaskGroup(of: Int32.self) { tasks in
            for (group, keyboard) in zip(groups, keyboards) {
                tasks.addTask { try await self.cancel(group, keyboard) }
            }
            for try await result in tasks where result != 0 { status = result }
        }
        return status
    }

    private func cancel(_ group: JobGroup, _ keyboard: Keyboard) async throws -> Int32 {
        let connector = call.connector(for: group.profile, keyboard: keyboard)
        do {
            return try await connector.withHost { host in
                keyboard.endLogin()
                return try await self.cancel(group, on: host)
            }
        } catch  where !Task.isCancelled {
            keyboard.endLogin()
            let failure = Failure(describing: Failure.connecting(to: connector.name, error))
            for job in group.jobs { call.console.report(failed(job, failure)) }
            return failure.status
        }
    }

    private func failed(_ job: Job, _ failure: Failure) -> Event {
        .failure(
            Failure(
                failure.status, "job \(job.title) was not cancelled", why: failure.description, remedy: failure.remedy))
    }

    private func cancel(_ group: JobGroup, on host: any Host) async throws -> Int32 {
        var group = group
        group.jobs = try await settled(group, on: host)
        guard !group.jobs.isEmpty else { return 0 }
        let jobs = group.jobs
        return try await Conversation.with(group.program(among: records), on: host) { [group] conversation in
            var open = jobs
            var wasAsked = false
            var asked = ContinuousClock.now
            var problem: String?
            var pace = Pace(first: .milliseconds(300), limit: .seconds(3))
            let began = ContinuousClock.now
            while true {
                let reports = try await group.poll(conversation, host: host.name, among: records)
                open = open.filter { !self.hasEnded($0, reports[$0.key], wasCancelled: wasAsked) }
                guard !open.isEmpty else { return 0 }
                if ContinuousClock.now - began > Self.patience { break }
                if !wasAsked || ContinuousClock.now - asked > Self.again {
                    if !wasAsked { for job in open { call.console.report(.cancelling(job: job.title)) } }
                    wasAsked = true
                    asked = .now
                    let answer = try await conversation.ask("cancel " + open.map(\.key).joined(separator: " "))
                    if let complaint = answer["cancel-problem"], complaint != problem {
                        problem = complaint
                        call.console.report(.warning("\(host.name): \(complaint)"))
                    }
                }
                try await Task.sleep(for: pace.next())
            }
            for job in open {
                call.console.report(
                    .failure(
                        Failure(
                            Exit.temporary, "job \(job.title) has not ended yet", why: problem,
                            remedy: "cluster jobs tells when it has; scancel \(job.title) on \(host.name) asks again")))
            }
            return Exit.temporary
        }
    }

    /// Finds out which submissions became jobs. Of those that did not nothing is left, and nothing is to be cancelled.
    private func settled(_ group: JobGroup, on host: any Host) async throws -> [Job] {
        let recorder = JobRecorder(store: call.store, console: call.console)
        var jobs: [Job] = []
        for job in group.jobs {
            guard job.id == nil || job.run == nil else {
                jobs.append(job)
                continue
            }
            if let accepted = try await RunClaim(job: job, profile: group.profile).settle(on: host) {
                jobs.append(accepted.announced(of: job, recorder, call.console))
            } else {
                recorder.remove(job)
                call.console.report(.note("the submission \(job.token) did not become a job, and never will"))
            }
        }
        return jobs
    }

    /// Says how a job has ended, if it has, and writes it down.
    private func hasEnded(_ job: Job, _ report: JobReport?, wasCancelled: Bool) -> Bool {
        let now = time(nil)
        guard let report else { return false }
        var status = JobStatus(of: job, report: report, now: now)
        switch status {
        case .ended(let ending, _, _):
            let words = wasCancelled ? "" : "had ended already: it "
            call.console.report(.note("job \(job.title) \(words)\(ending.description)"))
        case .unknown(let why) where report.queueProblem == nil && report.queue.isEmpty:
            // Neither the queue nor its files know it: there is nothing that could be cancelled.
            call.console.report(.note("job \(job.title) is gone: \(why)"))
            status = .ended(Ending(cause: .lost), at: nil, isCertain: true)
        default: return false
        }
        guard job.task == nil else { return true }
        do {
            try call.store.update(job.token) { $0.learn(status, now: now) }
        } catch {
            call.console.report(.warning("\(error)"))
        }
        return true
    }
}
