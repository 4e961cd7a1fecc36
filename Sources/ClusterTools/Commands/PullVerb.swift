import IO

extension Verb {
    static let pull = Verb(
        name: "pull", operands: "PATH...", operandCount: 0...Int.max,
        summary: "fetch files of a job's run folder, or of a cluster",
        description: """
            Fetches files and folders: those of a job from the folder that its command ran in to the same folder of the repository, \
            with -c any of a cluster to the current folder. In a PATH, *, ? and [a-z] stand for parts of a name and ** for any \
            folders (quote them). Only what differs comes; what breaks off goes on the next time; a file that is newer here stays \
            unless you say otherwise.
            """,
        examples: [
            .init("cluster pull 'outputs/**'", "what the newest job has written there"),
            .init("cluster pull -j 4242 '**/*.pt' --to models", "that job's, to another folder"),
            .init("cluster pull -c fir '$SCRATCH/data/train'", "a folder of the cluster"),
        ],
        options: transferOptions(to: "DIR", "the folder here that they go to")
    ) { call in
        try await call.untilSignal { try await PullVerb(call: call).run() }
    }

    /// The options that pull and push have.
    static func transferOptions(to placeholder: String, _ help: String) -> [Table.Option] {
        [
            .init(.job, "j", ["job"], .required("JOB"), help: "the job whose run folder is meant"),
            .init(.cluster, "c", ["cluster"], .required("PROFILE"), help: "any paths of this cluster, not a job's"),
            .init(.to, nil, ["to"], .required(placeholder), help: help),
            .init(.force, "f", ["force"], help: "replace newer files too"),
            .init(.dryRun, nil, ["dry-run"], help: "list what would be copied, and copy nothing"),
        ]
    }
}

/// `cluster pull`.
struct PullVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        guard call.has(.cluster) else { return try await pullFromRun() }
        if call.has(.job) { throw Failure(Exit.usage, "pull: -j means a job's files, and -c any others") }
        guard !call.operands.isEmpty else { throw Failure(Exit.usage, "pull: which files of the cluster?") }
        let profile = try call.profileOfOption()
        var sources: [Pull.Source] = []
        for word in call.operands {
            let place = try FarPath(word)
            let folder = FarFolder(place.folder, of: profile)
            if let index = sources.firstIndex(where: { $0.folder == folder }) {
                sources[index].patterns.append(place.pattern)
            } else {
                sources.append(.init(folder: folder, patterns: [place.pattern]))
            }
        }
        return try await pull(from: profile, into: target(call.surroundings.folder)) { [sources] _ in sources }
    }

    /// From the folder that a job's command runs in to where it was submitted from.
    private func pullFromRun() async throws -> Int32 {
        let choice = try call.records().job(call.text(.job))
        if let note = choice.note { call.console.report(.note(note)) }
        let job = choice.job
        let profile = try call.profile(of: job)
        let words = call.operands.isEmpty ? job.plan?.pulls ?? [] : call.operands
        guard !words.isEmpty else {
            throw Failure(
                Exit.usage, "pull: which files of job \(job.title)?", remedy: "cluster pull 'outputs/**' for example")
        }
        let patterns = try words.map { word throws(Failure) in try PathPattern(word) }
        let home = job.folderHere
        let recorder = JobRecorder(store: call.store, console: call.console)
        // Whether afterwards nothing of it is missing here: what submit --pull has named, or all there is.
        let isAll = words == job.plan?.pulls || words.contains("**")
        let isHome = isAll && job.phase == .ended && !call.has(.to)
        return try await pull(from: profile, into: target(home)) { [patterns] host in
            let job = try await RunClaim(job: job, profile: profile).settledJob(on: host, recorder, call.console)
            return [Pull.Source(folder: try job.workFolder(of: profile), patterns: patterns)]
        } afterwards: { host in
            if isHome {
                try await JobPull(console: call.console, recorder: recorder).note(job, of: profile, on: host)
            }
        }
    }

    private func target(_ usual: String) throws(Failure) -> LocalFolder {
        guard let folder = call.text(.to) else {
            do {
                return try LocalFolder(path: usual)
            } catch {
                throw Failure(error.status, error.what, why: error.why, remedy: "name another folder with --to")
            }
        }
        let path = folder.hasPrefix("/") ? folder : call.surroundings.folder + "/" + folder
        return try LocalFolder(path: path, makes: !call.has(.dryRun))
    }

    private func pull(
        from profile: Profile, into target: LocalFolder,
        _ sources: @escaping (any Host) async throws -> [Pull.Source],
        afterwards: @escaping (any Host) async throws -> Void = { _ in }
    ) async throws -> Int32 {
        let keyboard = Keyboard(loop: call.surroundings.loop)
        let use = LinkUse()
        let link = call.link(for: profile, keyboard: keyboard, use: use)
        let pull = Pull(into: target, console: call.console, use: use) { newer in
            if call.has(.force) { return true }
            let names = TransferReport.list(newer.map(\.name))
            let question = "Newer here: \(names). Replace \(newer.count == 1 ? "it" : "them")? [y/N] "
            return try await call.isConfirmed(question, by: keyboard)
        }
        let report = TransferReport(console: call.console, direction: .pulled, place: target.path)
        let outcome = try await link.keep { host -> TransferOutcome? in
            let sources = try await sources(host)
            guard call.has(.dryRun) else {
                let outcome = try await pull.run(sources, on: host)
                if outcome.isComplete { try await afterwards(host) }
                return outcome
            }
            for source in sources {
                report.show(try await pull.plan(source, overwritesNewer: call.has(.force), on: host))
            }
            return nil
        }
        return outcome.map(report.report) ?? 0
    }
}
