import Git
import IO
import Slurm

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The `submit` command: from its words to its exit status.
public struct SubmitCommand: Sendable {
    let invocation: Invocation
    let surroundings: Surroundings
    let console: Console

    /// Runs the command with this process's arguments.
    ///
    /// - Returns: the status to exit with.
    public static func main() async -> Int32 {
        let interrupts = Interrupts()
        do {
            switch try InvocationRequest.parse(RawArguments.ofThisProcess()) {
            case .help:
                print(Invocation.help.textForStandardOutput, terminator: "")
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

    func run() async throws -> Int32 {
        let order = try await order()
        let options = try order.plan.sbatchOptions()
        let script = try ScriptPlan(
            profile: order.profile, options: options, command: order.command, directory: order.plan.directory,
            logdir: order.plan.logdir, wantsTensorBoard: order.hasTensorBoard, lingers: order.plan.lingers,
            requeueBefore: order.plan.requeueBefore
        ).script()
        // The snapshot is made on a thread of its own, while the machine is being connected to.
        let preparation = Preparation { [surroundings] isCancelled in
            try order.submission(script, options, in: surroundings, isCancelled: isCancelled)
        }
        if invocation.dryRun {
            let submission = try preparation.make { [interrupts = surroundings.interrupts] in interrupts.received != nil
            }
            print(DryRun(submission: submission).text, terminator: "")
            return 0
        }
        return try await supervise(preparation, of: order)
    }

    /// The machine that `--need` chooses, when it is there.
    private func choice() async throws -> Choice? {
        guard let need = invocation.need else { return nil }
        let targets = try ProfileCollection(surroundings: surroundings).targets(named: invocation.clusters)
        let choice = try Choice(
            need, among: try await Probe(console: console, surroundings: surroundings).findings(of: targets))
        console.report(.note(choice.reason))
        return choice
    }

    private func order() async throws -> Order {
        let choice = try await choice()
        guard let earlier = invocation.resubmitted else { return try Order(invocation, choice, surroundings, console) }
        let (jobs, problems) = JobStore(environment: surroundings.environment).all()
        for problem in problems { console.report(.warning("not a job's record: \(problem)")) }
        return try Order(again: earlier, invocation, choice, among: JobSelection(jobs: jobs), surroundings, console)
    }

    private func supervise(_ preparation: Preparation, of order: Order) async throws -> Int32 {
        let keyboard = Keyboard(loop: surroundings.loop)
        let connector = Connector(
            profile: order.profile, console: console, keyboard: keyboard, environment: surroundings.environment,
            loop: surroundings.loop)
        let supervisor = Supervisor(
            connector: connector, console: console, keyboard: keyboard, interrupts: surroundings.interrupts,
            store: JobStore(environment: surroundings.environment), loop: surroundings.loop,
            service: order.service, visit: order.isNotebook ? browserVisit : nil)
        return try await supervisor.run(.submit(preparation, detach: invocation.detach)).exitStatus
    }
}

extension SubmitCommand {
    private var browserVisit: BrowserVisit {
        BrowserVisit(environment: surroundings.environment, console: console, loop: surroundings.loop)
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
