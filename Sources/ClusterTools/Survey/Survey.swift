import IO
import Synchronization

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

    /// How long a cluster has to let us in; what a person takes to answer a login's question does not count.
    static let patienceForLogin: Duration = .seconds(15)
    /// How long it may take to answer then. Slurm's commands give up on their controller a little sooner.
    static let patienceForAnswer: Duration = .seconds(30)

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
        let connector = call.connector(for: group.profile, keyboard: keyboard)
        let login = LoginLimit(keyboard: keyboard)
        return try await login.hold(Self.patienceForLogin, host: connector.name) {
            try await connector.withHost { host in
                login.succeeded()
                return try await withTimeout(
                    Self.patienceForAnswer,
                    or: Failure(
                        Exit.unavailable, "cannot ask \(host.name)",
                        why: "no answer within \(Self.patienceForAnswer.components.seconds) s")
                ) {
                    try await Conversation.with(group.program(among: records), on: host) { conversation in
                        try await group.poll(conversation, host: host.name, among: records)
                    }
                }
            }
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

/// A login that has so much time and no more, but for what a person takes to answer its questions.
private final class LoginLimit: Sendable {
    private let keyboard: Keyboard
    private let isOver = Mutex(false)

    init(keyboard: Keyboard) { self.keyboard = keyboard }

    /// The host has let us in: nothing is limited any more, and other logins may ask.
    func succeeded() {
        keyboard.endLogin()
        isOver.withLock { $0 = true }
    }

    /// Runs what logs in, and cancels it when it has not ``succeeded()`` in time.
    func hold<Value: Sendable>(
        _ limit: Duration, host: String, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        defer { keyboard.endLogin() }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await self.watch(limit, host: host)
                return nil
            }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    private func watch(_ limit: Duration, host: String) async throws {
        let step = Duration.milliseconds(200)
        var left = limit
        while left > .zero, !isOver.withLock({ $0 }) {
            try await Task.sleep(for: step)
            if !keyboard.isWantedByLogin.value { left -= step }
        }
        guard isOver.withLock({ $0 }) else {
            throw Failure(
                Exit.unavailable, "cannot connect to \(host)", why: "no login within \(limit.components.seconds) s")
        }
    }
}
