/// What a machine has, and what a job will find there: two programs in one login.
struct Examination {
    let profile: Profile

    /// - Throws: the machine's own failure, such as that there is no Slurm; what a lost link throws.
    func run(on host: any Host) async throws -> (MachineReport, CheckReport) {
        let machine = MachineReport(try await answer(of: Probe.program(for: profile), on: host))
        return (machine, CheckReport(try await answer(of: CheckReport.program(for: profile), on: host)))
    }

    private func answer(of program: RemoteProgram, on host: any Host) async throws -> Answer {
        try await Conversation.with(program, on: host) { conversation in
            let answer = try await conversation.answer(within: .seconds(60))
            if let failure = answer.failure(on: host.name) { throw failure }
            return answer
        }
    }
}
