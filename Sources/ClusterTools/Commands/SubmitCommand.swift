import Git
import IO
import Slurm

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The `submit` command: from its words to its exit status.
public struct SubmitCommand {
    private let invocation: Invocation
    private let surroundings: Surroundings
    private let console: Console

    /// Runs the command with this process's arguments.
    ///
    /// - Returns: the status to exit with.
    public static func main() async -> Int32 {
        let interrupts = Interrupts()
        do {
            switch try InvocationRequest.parse(RawArguments.ofThisProcess()) {
            case .help:
                print(
                    Invocation.help.text(styled: isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil),
                    terminator: "")
            case .version: print(Invocation.versionText, terminator: "")
            case .submit(let invocation):
                return await run(invocation, try Surroundings(interrupts: interrupts))
            }
            return 0
        } catch {
            let console = Console(program: "submit", detail: .normal, isJSON: false, environment: [:])
            console.report(Failure(describing: error))
            return Failure(describing: error).status
        }
    }

    private static func run(_ invocation: Invocation, _ surroundings: Surroundings) async -> Int32 {
        let detail: Console.Detail =
            switch invocation.verbosity {
            case .quiet: .quiet
            case .normal: .normal
            case .verbose: .verbose
            }
        let console = Console(
            program: "submit", detail: detail, isJSON: invocation.json, environment: surroundings.environment)
        do {
            return try await SubmitCommand(invocation: invocation, surroundings: surroundings, console: console).run()
        } catch {
            if let signal = surroundings.interrupts.received, (error as? GitError)?.code == .cancelled {
                return signal.exitStatus
            }
            let failure = Failure(describing: error)
            console.report(failure)
            return failure.status
        }
    }

    private func run() async throws -> Int32 {
        let repository = try Repository.discover(from: surroundings.folder)
        let choice = try await choice()
        let profile =
            try choice?.adapted
            ?? surroundings.profile(named: invocation.clusters.last, repository: repository.workTree)
        let options = try sbatchOptions(profile, over: choice?.options, repository: repository)
        let snapshot = try snapshot(of: repository)
        let directory = try repository.prefix(of: surroundings.folder)
        let script = try ScriptPlan(
            profile: profile, options: options, command: invocation.command, directory: directory,
            logdir: invocation.logdir ?? ".", wantsTensorBoard: invocation.tensorboard, lingers: invocation.linger
        ).script()
        let submission = Submission(
            claim: RunClaim(job: job(profile, options, snapshot, repository), profile: profile), options: options,
            shipment: Shipment(
                repository: repository.workTree, snapshot: snapshot, directory: directory, script: script,
                modificationTime: Int64(time(nil)))
        )
        if invocation.dryRun {
            print(DryRun(submission: submission).text, terminator: "")
            return 0
        }
        return try await supervise(submission)
    }

    // MARK: Steps

    /// The machine that `--need` chooses, when it is there.
    private func choice() async throws -> Choice? {
        guard let need = invocation.need else { return nil }
        let targets = try ProfileCollection(surroundings: surroundings).targets(named: invocation.clusters)
        let choice = try Choice(
            need, among: try await Probe(console: console, surroundings: surroundings).findings(of: targets))
        console.report(.note(choice.reason))
        return choice
    }

    /// The profile's options, then what a choice asks for, then those of `sbatch.json` here, then the command line's, and the
    /// job's name.
    private func sbatchOptions(
        _ profile: Profile, over choice: SbatchOptions?, repository: Repository
    ) throws -> SbatchOptions {
        var options = profile.sbatchOptions
        if let choice { options = options.overridden(by: choice) }
        if let layer = try SbatchOptions.load(folder: surroundings.folder) { options = options.overridden(by: layer) }
        options = options.overridden(by: invocation.sbatchOptions)
        if let name = invocation.name ?? (options.jobName == nil ? repository.name : nil) {
            var layer = SbatchOptions()
            try layer.set("--job-name", to: .text(name))
            options = options.overridden(by: layer)
        }
        for notice in options.notices { console.report(.warning(notice)) }
        try profile.checkFilledIn(options: options)
        return options
    }

    private func snapshot(of repository: Repository) throws -> Snapshot {
        let snapshot: Snapshot
        if let branch = invocation.branch {
            snapshot = try repository.snapshot(ofBranch: branch)
        } else {
            var options = SnapshotOptions(message: ShellWord.join(invocation.command))
            options.untrackedSizeLimit = invocation.maxFileSize
            options.isCancelled = { [interrupts = surroundings.interrupts] in interrupts.received != nil }
            options.dryRun = invocation.dryRun
            snapshot = try repository.snapshot(options)
        }
        for warning in snapshot.warnings { console.report(.warning(warning.description)) }
        console.report(
            .snapshot(
                commit: snapshot.commit,
                reference: snapshot.reference.map { String($0.dropFirst("refs/heads/".count)) },
                changes: snapshot.changes.text))
        return snapshot
    }

    private func job(
        _ profile: Profile, _ options: SbatchOptions, _ snapshot: Snapshot, _ repository: Repository
    ) -> Job {
        let now = time(nil)
        let name = options.jobName ?? repository.name
        return Job(
            token: "", name: name, phase: .submitting, runName: RunName.stem(at: now),
            project: RunName.folder(for: repository.name), profilePath: profile.path.map(absolute),
            profile: profile.source, commit: snapshot.commit, reference: snapshot.reference,
            repository: repository.workTree,
            command: invocation.command, isArray: options.isArray, hasTensorBoard: invocation.tensorboard,
            submitted: now)
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : surroundings.folder + "/" + path
    }

    private func supervise(_ submission: Submission) async throws -> Int32 {
        let keyboard = Keyboard(loop: surroundings.loop)
        let connector = Connector(
            profile: submission.profile, console: console, keyboard: keyboard, environment: surroundings.environment,
            loop: surroundings.loop)
        let supervisor = Supervisor(
            connector: connector, console: console, keyboard: keyboard, interrupts: surroundings.interrupts,
            store: JobStore(environment: surroundings.environment), loop: surroundings.loop)
        return try await supervisor.run(.submit(submission, detach: invocation.detach)).exitStatus
    }
}

extension Supervisor.Outcome {
    /// The status for a process that ends like this.
    var exitStatus: Int32 {
        switch self {
        case .ended(let ending, let wasCancelledHere):
            // A job that ended by itself before the cancellation arrived has its own status.
            wasCancelledHere && ending.cause != .finished ? Exit.interrupted : ending.exitStatus
        case .detached: 0
        case .interrupted(let signal): signal.exitStatus
        }
    }
}
