extension Verb {
    static let attach = Verb(
        name: "attach", operands: "[JOB]", operandCount: 0...1,
        summary: "watch a job again: output, TensorBoard, Ctrl-C",
        description: """
            Everything that watching gives, from any terminal, after any absence: the output from its beginning, the way to \
            TensorBoard, the question after Ctrl-C, and the command's exit status as this command's own.
            """,
        examples: [
            .init("cluster attach", "watch the newest job again"),
            .init("cluster attach 4242 --tail 20", "that one, from its last twenty lines on"),
            .init("cluster attach 4242_7", "a task of an array"),
        ],
        options: [.init(.tail, nil, ["tail"], .required("N"), help: "begin with the last N lines of each stream")]
    ) { try await AttachVerb(call: $0, tail: try $0.number(.tail, "--tail")).run() }
}

/// `cluster attach [JOB]`: everything that watching gives, for a job that was submitted before.
struct AttachVerb {
    let call: Verb.Call
    let tail: Int?

    func run() async throws -> Int32 {
        let (job, profile) = try call.watchableJob()
        let keyboard = Keyboard(loop: call.surroundings.loop)
        let supervisor = Supervisor(
            connector: call.connector(for: profile, keyboard: keyboard), console: call.console,
            keyboard: keyboard, interrupts: call.surroundings.interrupts, store: call.store,
            loop: call.surroundings.loop, service: job.service)
        return try await supervisor.run(.attach(job, tail: tail)).exitStatus
    }
}
