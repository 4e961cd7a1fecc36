extension Benchmark {
    /// What everybody pays for every start.
    static let help: Benchmark = .init(name: "help", summary: "submit --help") { laboratory in
        let (ours, theirs) = try await interleaved(laboratory.repetitions * 5) {
            try await wall(Programs.submit, "--help", in: laboratory)
        } theirs: {
            try await wall("ssh", "-V", in: laboratory)
        }
        return [
            Row(
                what: "submit --help", against: "ssh -V", goal: .ratioAtMost(3), unit: .seconds, ours: ours,
                theirs: theirs)
        ]
    }

    private static func wall(_ program: String, _ argument: String, in laboratory: Laboratory) async throws -> Double {
        try await Command(laboratory: laboratory, program: program, arguments: [argument], directory: "/")
            .run(within: .seconds(10)).seconds
    }
}
