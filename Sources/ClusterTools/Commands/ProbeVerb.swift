#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let probe = Verb(
        name: "probe", operands: "[NAME...]", operandCount: 0...Int.max,
        summary: "what is free on all machines and partitions",
        description: """
            What machines have, and what of it is free: cores and load, memory, the disk where runs go, GPUs and who uses them; \
            with Slurm the partitions, and how many jobs wait. All are asked at once, each with one login. Without a NAME: every \
            profile of this repository and of your configuration, and this machine.
            """,
        examples: [
            .init("cluster probe", "all of them"),
            .init("cluster probe fir desk here", "two profiles, and this machine"),
        ],
        options: []
    ) { call in try await call.untilSignal { try await ProbeVerb(call: call).run() } }
}

/// `cluster probe`: one login for each machine, all at once. One that cannot be reached is a line of the table.
struct ProbeVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        let targets = try ProfileCollection(surroundings: call.surroundings).targets(named: call.operands)
        let findings = try await Probe(console: call.console, surroundings: call.surroundings).findings(of: targets)
        let table = ProbeTable(findings: findings)
        if call.console.isJSON {
            for line in table.json() { print(line) }
        } else if let width = TerminalText.width(of: STDOUT_FILENO) {
            for line in table.aligned(width: width) { print(line) }
        } else {
            for line in table.tabSeparated() { print(line) }
        }
        return 0
    }
}
