/// `cluster attach [JOB]`: everything that watching gives, for a job that was submitted before.
struct AttachVerb {
    let operands: [String]
    let console: Console
    let surroundings: Surroundings

    func run() async throws -> Int32 {
        guard operands.count <= 1 else { throw Failure(Exit.usage, "attach watches one job") }
        let store = JobStore(environment: surroundings.environment)
        let job = try store.job(operands.first)
        let profile =
            if let path = job.profilePath { try Profile.load(path, home: surroundings.home) } else {
                Profile.thisMachine
            }
        let keyboard = Keyboard(loop: surroundings.loop)
        let supervisor = Supervisor(
            connector: Connector(
                profile: profile, console: console, keyboard: keyboard, environment: surroundings.environment,
                loop: surroundings.loop),
            console: console, keyboard: keyboard, interrupts: surroundings.interrupts, store: store,
            loop: surroundings.loop)
        return try await supervisor.run(.attach(job)).exitStatus
    }
}
