import Git
import Slurm

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What is to be submitted: as the command line says, or as an earlier job was, with what the command line replaces.
struct Order: Sendable {
    /// Where the files come from.
    private enum Source: Sendable {
        case workTree
        case branch(String)
        case commit(of: Job)
    }

    /// The work tree of the repository.
    let repository: String
    let profile: Profile
    /// The project that the run belongs to: the repository's name.
    let project: String
    let command: [String]
    let plan: JobPlan
    let hasTensorBoard: Bool
    let isNotebook: Bool
    /// What the job serves to a browser.
    var service: WebService? { isNotebook ? .notebook : hasTensorBoard ? .tensorboard : nil }
    private let source: Source
    private let invocation: Invocation
    private let console: Console

    /// A new job: the repository and the folder where the user stands, the files as they are now.
    ///
    /// - Parameter choice: where `--need` found room; nil where the command line says.
    init(_ invocation: Invocation, _ choice: Choice?, _ surroundings: Surroundings, _ console: Console) throws {
        let found = try Repository.discover(from: surroundings.folder)
        repository = found.workTree
        profile =
            try choice?.adapted ?? surroundings.profile(named: invocation.cluster, repository: repository)
        let given = try profile.sbatchOptions.overridden(by: choice?.options ?? SbatchOptions())
        project = found.name
        let directory = try found.prefix(of: surroundings.folder)
        isNotebook = invocation.isNotebook
        command = isNotebook ? [Self.notebookCommand(in: directory)] : invocation.command
        hasTensorBoard = !isNotebook && invocation.tensorboard ?? true

        var own = try SbatchOptions.load(folder: surroundings.folder) ?? SbatchOptions()
        own = own.overridden(by: invocation.sbatchOptions)
        if let name = invocation.name ?? (given.overridden(by: own).jobName == nil ? project : nil) {
            own = own.overridden(by: try .naming(name))
        }
        plan = try JobPlan(
            options: given.overridden(by: own), ownOptions: own,
            directory: directory, logdir: invocation.logdir ?? ".",
            lingers: invocation.linger ?? false, requeueBefore: invocation.requeueBefore, pulls: invocation.pulls
        ).checked(for: profile, console)
        guard !isNotebook || !plan.options.isArray else {
            throw Failure(
                Exit.usage, "notebook: one server is no array",
                remedy: "--sbatch_json '{\"--array\": null}' makes it one job")
        }
        source = invocation.branch.map { .branch($0) } ?? .workTree
        self.invocation = invocation
        self.console = console
    }

    /// An earlier job once more: its commit, whatever the working tree is now.
    ///
    /// - Parameters:
    ///   - choice: where `--need` found room; nil where the command line says, or else where that job was.
    ///   - selection: the records of this machine.
    init(
        again word: String, _ invocation: Invocation, _ choice: Choice?, among selection: JobSelection,
        _ surroundings: Surroundings, _ console: Console
    ) throws {
        let found = try selection.job(word)
        if let note = found.note { console.report(.note(note)) }
        let job = found.job
        guard let earlier = job.plan else {
            throw Failure(
                Exit.dataError, "the record of job \(job.title) does not say how it was submitted",
                why: "an earlier version wrote it",
                remedy: "submit its commit \(job.commit.prefix(10)) anew: submit --branch \(job.commit.prefix(10)) …")
        }
        repository = try Self.repository(of: job, surroundings).workTree
        project = job.project
        command = invocation.command.isEmpty ? job.command : invocation.command
        isNotebook = job.isNotebook && invocation.command.isEmpty
        hasTensorBoard = !isNotebook && invocation.tensorboard ?? job.hasTensorBoard

        var options = earlier.options
        if let choice {
            profile = choice.adapted
            options = profile.sbatchOptions.overridden(by: try choice.options).overridden(by: earlier.ownOptions)
        } else if invocation.cluster != nil {
            profile = try surroundings.profile(named: invocation.cluster, repository: repository)
            options = profile.sbatchOptions.overridden(by: earlier.ownOptions)
        } else {
            let current = try job.currentProfile(home: surroundings.home)
            if let notice = current.notice { console.report(.warning(notice)) }
            profile = current.profile
        }
        var layer = invocation.sbatchOptions
        if let name = invocation.name ?? (options.overridden(by: layer).jobName == nil ? job.name : nil) {
            layer = layer.overridden(by: try .naming(name))
        }
        // One task of an array alone, under its own number.
        if let task = job.task, layer["--array"] == nil { try layer.set("--array", to: .text("\(task)")) }
        plan = try JobPlan(
            options: options.overridden(by: layer), ownOptions: earlier.ownOptions.overridden(by: layer),
            directory: earlier.directory, logdir: invocation.logdir ?? earlier.logdir,
            lingers: invocation.linger ?? earlier.lingers,
            requeueBefore: invocation.requeueBefore ?? earlier.requeueBefore,
            pulls: invocation.pulls.isEmpty ? earlier.pulls : invocation.pulls
        ).checked(for: profile, console)
        source = .commit(of: job)
        self.invocation = invocation
        self.console = console
    }

    /// What is to be sent, and the record of the job that it is to become.
    ///
    /// - Parameters:
    ///   - script: the rendered job script.
    ///   - options: those for sbatch.
    ///   - isCancelled: asked often: whether nobody wants it any more.
    func submission(
        _ script: String, _ options: SbatchOptions, in surroundings: Surroundings,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws -> Submission {
        let (snapshot, reference) = try snapshot(isCancelled: isCancelled)
        let now = time(nil)
        let job = Job(
            token: "", name: plan.options.jobName ?? project, phase: .submitting, runName: RunName.stem(at: now),
            project: RunName.folder(for: project),
            profilePath: profile.path.map { $0.hasPrefix("/") ? $0 : surroundings.folder + "/" + $0 },
            profile: profile.source,
            commit: snapshot.commit, reference: reference, repository: repository, command: command,
            isArray: plan.options.isArray, hasTensorBoard: hasTensorBoard, isNotebook: isNotebook, plan: plan,
            submitted: now)
        let sent = try sentSnapshots(snapshot, environment: surroundings.environment)
        let shipmentPlan = try sent.map {
            try ShipmentPlan(for: snapshot, directory: plan.directory, base: $0.last())
        }
        return Submission(
            claim: RunClaim(job: job, profile: profile), options: options,
            shipment: Shipment(
                repository: repository, snapshot: snapshot, directory: plan.directory, script: script,
                modificationTime: Int64(now), plan: shipmentPlan ?? .once, isNotebook: isNotebook,
                needsEnvironment: profile.requirements != nil),
            sent: sent)
    }

    /// What was sent before, where that saves time: this machine needs no copies of itself.
    private func sentSnapshots(_ snapshot: Snapshot, environment: [String: String]) throws -> SentSnapshots? {
        guard profile.hostname != nil, SentSnapshots.isWorthKeeping(snapshot) else { return nil }
        return try SentSnapshots(
            to: profile, project: RunName.folder(for: project), repository: repository, environment: environment,
            console: console)
    }

    /// The program in the run folder's `job/`, as seen from where commands run.
    private static func notebookCommand(in directory: String) -> String {
        String(repeating: "../", count: 1 + directory.split(separator: "/").count) + "job/notebook"
    }

    // MARK: Snapshots

    /// The files, and the side branch that keeps their commit, in full, where there is one.
    private func snapshot(
        isCancelled: @escaping @Sendable () -> Bool
    ) throws -> (snapshot: Snapshot, reference: String?) {
        // A handle for this thread.
        let repository = try Repository.discover(from: repository)
        let snapshot: Snapshot
        var reference: String?
        switch source {
        case .branch(let name): snapshot = try repository.snapshot(ofBranch: name)
        case .commit(let job):
            snapshot = try Self.snapshot(of: job, in: repository)
            reference = job.reference
        case .workTree:
            var options = SnapshotOptions(message: ShellWord.join(command))
            options.untrackedSizeLimit = invocation.maxFileSize
            options.isCancelled = isCancelled
            options.dryRun = invocation.dryRun
            snapshot = try repository.snapshot(options)
            reference = snapshot.reference
        }
        for warning in snapshot.warnings { console.report(.warning(warning.description)) }
        console.report(
            .snapshot(
                commit: snapshot.commit, reference: reference.map { String($0.dropFirst("refs/heads/".count)) },
                changes: snapshot.changes.text))
        return (snapshot, reference)
    }

    /// The repository that a job was submitted from, or the one here when that is gone: it may have moved.
    private static func repository(of job: Job, _ surroundings: Surroundings) throws -> Repository {
        do {
            return try Repository.discover(from: job.repository)
        } catch  where error.code == .noRepository {
            return try Repository.discover(from: surroundings.folder)
        }
    }

    private static func snapshot(of job: Job, in repository: Repository) throws -> Snapshot {
        do {
            return try repository.snapshot(ofCommit: job.commit)
        } catch let error as GitError where error.code == .unknownRevision {
            let branch = job.reference.map { " (\($0.dropFirst("refs/heads/".count)))" } ?? ""
            throw Failure(
                Exit.noInput,
                "the commit of job \(job.title), \(job.commit.prefix(10))\(branch), is not in "
                    + repository.workTree,
                why: "without a branch git removes commits after a while",
                remedy: "submit it anew, or do this in a clone that has the commit")
        }
    }
}

extension JobPlan {
    /// Itself, when the options go together and the profile's scheduler can do it. What a person should hear about them is told.
    fileprivate func checked(for profile: Profile, _ console: Console) throws(Failure) -> JobPlan {
        var plan = self
        if let seconds = requeueBefore, seconds > 0 {
            plan = try requeueing(seconds, on: profile)
        } else {
            plan.requeueBefore = nil
        }
        for notice in plan.options.notices { console.report(.warning(notice)) }
        try profile.checkFilledIn(options: plan.options)
        return plan
    }

    private func requeueing(_ seconds: Int, on profile: Profile) throws(Failure) -> JobPlan {
        guard profile.scheduler == .slurm else {
            throw Failure(
                Exit.usage, "--requeue-before: a job on \(profile.hostname ?? "this machine") has no time limit",
                why: "there is no scheduler that would end it, or queue it again", remedy: "leave the option out")
        }
        // Slurm keeps the time of a warning in 16 bits.
        guard seconds <= 65535 else {
            throw Failure(
                Exit.usage, "--requeue-before: \(SlurmDuration.words(seconds)) is more than Slurm can warn ahead (18 h)"
            )
        }
        guard options["--no-requeue"] != .flag else {
            throw Failure(
                Exit.usage, "--requeue-before and sbatch's --no-requeue contradict each other",
                remedy: "--sbatch_json '{\"--no-requeue\": null}' removes the latter")
        }
        if let signal = options.text(of: "--signal") {
            throw Failure(
                Exit.usage, "--requeue-before and sbatch's --signal=\(signal) contradict each other",
                remedy: "--sbatch_json '{\"--signal\": null}' removes the latter")
        }
        return self
    }
}

extension JobPlan {
    /// The options as sbatch gets them: with those that putting it back in the queue needs.
    func sbatchOptions() throws(Failure) -> SbatchOptions {
        guard let requeueBefore else { return options }
        var layer = SbatchOptions()
        do {
            try layer.set("--requeue", to: .flag)
            // To the script alone: it passes it on.
            try layer.set("--signal", to: .text("B:USR1@\(requeueBefore)"))
        } catch {
            throw Failure(Exit.configuration, error.message, remedy: error.remedy)
        }
        return options.overridden(by: layer)
    }
}

extension SbatchOptions {
    /// The layer that gives a job its name.
    fileprivate static func naming(_ name: String) throws(SlurmError) -> SbatchOptions {
        var layer = SbatchOptions()
        try layer.set("--job-name", to: .text(name))
        return layer
    }
}
