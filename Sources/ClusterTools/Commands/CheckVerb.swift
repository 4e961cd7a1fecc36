#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let check = Verb(
        name: "check", operands: "[NAME]", operandCount: 0...1,
        summary: "what jobs need, what is missing, and the remedy",
        description: """
            Looks at everything that a submission and a job need: the profile, the login, the programs there, the scheduler and the \
            profile's options for it, the folder for runs, Python, TensorBoard. Submits nothing. The status is 0 when jobs can run, \
            78 when the profile has to be corrected, else 69.
            """,
        examples: [.init("cluster check fir", "the profile that -c fir means"), .init("cluster check", "the default")],
        options: []
    ) { call in try await call.untilSignal { try await CheckVerb(call: call).run() } }
}

/// `cluster check`: one login, and a line for each requirement as soon as it is known.
struct CheckVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        var status: Int32 = 0
        for requirement in try await requirements() {
            show(requirement)
            // The first failure is what to see to first.
            if requirement.verdict == .failure, status == 0 { status = requirement.status }
        }
        return status
    }

    private func requirements() async throws -> [Requirement] {
        let collection = ProfileCollection(surroundings: call.surroundings)
        let profile: Profile
        do {
            profile = try collection.profile(named: call.operands.first)
            try profile.checkFilledIn(options: profile.sbatchOptions)
        } catch {
            // A profile that is not there is a mistake of the command line.
            guard error.status == Exit.configuration else { throw error }
            return [.failure("profile", error)]
        }
        var all: [Requirement] = [.ok("profile", profile.path ?? "this machine itself")]
        all += LocalCheck(profile: profile, surroundings: call.surroundings, store: call.store).requirements()
        let connector = call.connector(for: profile, keyboard: Keyboard(loop: call.surroundings.loop))
        do {
            return all + (try await connector.withHost { host in try await far(profile, on: host) })
        } catch  where !Task.isCancelled {
            var failure = Failure(describing: Failure.connecting(to: connector.name, error))
            failure.remedy =
                failure.remedy ?? "does ssh \(connector.name) work? Look at the name, the network and your VPN"
            return all + [.failure("login", failure)]
        }
    }

    private func far(_ profile: Profile, on host: any Host) async throws -> [Requirement] {
        do {
            let (machine, report) = try await Examination(profile: profile).run(on: host)
            return [.ok("login", "as \(report.user) on \(report.host)")]
                + report.requirements(of: profile, machine: machine)
        } catch let failure as Failure where failure.status == Exit.unavailable {
            return [.ok("login", host.name), .failure(profile.scheduler == .slurm ? "scheduler" : "shell", failure)]
        }
    }

    private func show(_ requirement: Requirement) {
        if call.console.isJSON {
            print(requirement.json.description)
            return
        }
        let line = TerminalText.line
        guard isatty(STDOUT_FILENO) == 1 else {
            let fields = [
                requirement.verdict.rawValue, requirement.name, requirement.finding, requirement.remedy ?? "",
            ]
            print(fields.map(line).joined(separator: "\t"))
            return
        }
        let mark =
            switch requirement.verdict {
            case .ok: "ok  "
            case .warning: "warn"
            case .failure: "FAIL"
            }
        print("\(mark)  \(TerminalText.pad(requirement.name, to: 16))  \(line(requirement.finding))")
        if let remedy = requirement.remedy {
            print("      " + String(repeating: " ", count: 16) + "  -> \(line(remedy))")
        }
    }
}
