import IO
import Slurm
import Templates

/// Asks machines what they have and what of it is free: all at once, each with one login and one program.
struct Probe: Sendable {
    let console: Console
    let surroundings: Surroundings

    /// What is known of a machine, or why nothing is.
    struct Finding: Sendable {
        /// As the user names it.
        var name: String
        var profile: Profile?
        var result: Result<MachineReport, Failure>
    }

    /// A machine to ask.
    struct Target: Sendable {
        var name: String
        var profile: Result<Profile, Failure>
    }

    /// - Returns: in the order of the targets. One that cannot be asked has its failure.
    func findings(of targets: [Target]) async throws -> [Finding] {
        if !targets.isEmpty { console.progress("asking " + targets.map(\.name).joined(separator: ", ")) }
        defer { console.endProgress() }
        let keyboards = Keyboard(loop: surroundings.loop).shared(among: targets.count)
        return try await withThrowingTaskGroup(of: (Int, Finding).self) { group in
            for (index, (target, keyboard)) in zip(targets, keyboards).enumerated() {
                group.addTask { (index, try await self.finding(of: target, keyboard: keyboard)) }
            }
            var findings: [Int: Finding] = [:]
            for try await (index, finding) in group { findings[index] = finding }
            return targets.indices.compactMap { findings[$0] }
        }
    }

    private func finding(of target: Target, keyboard: Keyboard) async throws -> Finding {
        do {
            let profile = try target.profile.get()
            let connector = Connector(
                profile: profile, console: console, keyboard: keyboard, environment: surroundings.environment,
                loop: surroundings.loop)
            let inquiry = Inquiry(connector: connector, keyboard: keyboard)
            do {
                let report = try await inquiry.run(Self.program(for: profile)) { conversation, host in
                    let answer = try await conversation.answer(within: Inquiry.patienceForAnswer)
                    if let failure = answer.failure(on: host) { throw failure }
                    return MachineReport(answer)
                }
                return Finding(name: target.name, profile: profile, result: .success(report))
            } catch  where !Task.isCancelled {
                let failure = Failure(describing: Failure.connecting(to: connector.name, error))
                return Finding(name: target.name, profile: profile, result: .failure(failure))
            }
        } catch let failure as Failure where !Task.isCancelled {
            return Finding(name: target.name, profile: nil, result: .failure(failure))
        }
    }

    static func program(for profile: Profile) -> RemoteProgram {
        RemoteProgram(
            .probe, of: profile, root: RunRoot(of: profile),
            definitions: "ct_partition_columns=\(ShellWord.quote(PartitionLine.format))\n")
    }
}
