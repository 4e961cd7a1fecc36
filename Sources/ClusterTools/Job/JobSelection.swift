/// Finds the jobs that words mean. Pure: what there is comes from ``JobStore``.
struct JobSelection: Sendable {
    /// A job that a word means.
    struct Choice: Sendable, Equatable {
        var job: Job
        /// What the user should hear about the choice.
        var note: String?
    }

    /// The newest first.
    let jobs: [Job]

    /// The job that a word means: in this order a token, a number, a name (the newest job of that name), the beginning of
    /// one of these that no other job has; `PROFILE:WORD` looks among the jobs of one cluster. Without a word the newest job.
    /// A task of an array is `NUMBER_TASK`.
    func job(_ word: String?) throws(Failure) -> Choice {
        guard let word else {
            guard let newest = jobs.first else {
                throw Failure(
                    Exit.noInput, "no job was submitted from this machine yet", remedy: "submit --help tells how")
            }
            return Choice(job: newest)
        }
        if let choice = try choice(word, among: jobs) { return choice }
        if let colon = word.firstIndex(of: ":") {
            let cluster = word[..<colon]
            let rest = String(word[word.index(after: colon)...])
            let there = jobs.filter { $0.cluster == cluster }
            if let choice = try choice(rest, among: there) { return choice }
        }
        let names = jobs.flatMap { [$0.title, $0.name] }
        throw Failure(
            Exit.noInput, "no job \(word) was submitted from this machine",
            remedy: Suggestion.nearest(to: word, among: names).map { "did you mean \($0)?" }
                ?? "cluster jobs -a lists them")
    }

    private func choice(_ word: String, among jobs: [Job]) throws(Failure) -> Choice? {
        if let choice = try jobChoice(word, among: jobs) { return choice }
        return try taskChoice(word, among: jobs)
    }

    private func jobChoice(_ word: String, among jobs: [Job]) throws(Failure) -> Choice? {
        if let job = jobs.first(where: { $0.token == word }) { return Choice(job: job) }
        let sameID = jobs.filter { $0.id == word }
        if let newest = sameID.first {
            // A cluster gives a number again when it begins to count anew; the old job is long gone then.
            guard Set(sameID.map(\.profilePath)).count == 1 else { throw ambiguous(word, sameID) }
            return Choice(job: newest)
        }
        let sameName = jobs.filter { $0.name == word }
        if let newest = sameName.first {
            let note =
                "\(sameName.count) jobs are called \(word): this is the newest, \(newest.title)"
            return Choice(job: newest, note: sameName.count > 1 ? note : nil)
        }
        guard !word.isEmpty else { return nil }
        let near = jobs.filter { job in
            job.id?.hasPrefix(word) == true || job.token.hasPrefix(word) || job.name.hasPrefix(word)
        }
        guard near.count <= 1 else { throw ambiguous(word, near) }
        return near.first.map { Choice(job: $0) }
    }

    /// A task of an array.
    private func taskChoice(_ word: String, among jobs: [Job]) throws(Failure) -> Choice? {
        guard let sign = word.lastIndex(of: "_"), let task = Int(word[word.index(after: sign)...]), task >= 0,
            var choice = try jobChoice(String(word[..<sign]), among: jobs)
        else { return nil }
        guard choice.job.isArray else {
            throw Failure(Exit.noInput, "job \(choice.job.title) is no array: it has no task \(task)")
        }
        choice.job = choice.job.taskOfArray(task)
        return choice
    }

    private func ambiguous(_ word: String, _ jobs: [Job]) -> Failure {
        let clusters = Set(jobs.map(\.cluster))
        let lines = jobs.prefix(8).map { "\($0.cluster):\($0.title)  \($0.name)  \($0.token)" }
        let more = jobs.count > lines.count ? ["and \(jobs.count - lines.count) more"] : []
        let isSameID = jobs.allSatisfy { $0.id == word }
        let remedy =
            isSameID && clusters.count == jobs.count
            ? "say which cluster's: \(jobs[0].cluster):\(word)" : "say more of it, or the token at the end of its line"
        return Failure(
            Exit.usage, "\(word) can mean \(jobs.count) jobs", why: (lines + more).joined(separator: "\n"),
            remedy: remedy)
    }
}
