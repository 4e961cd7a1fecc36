extension Benchmark {
    /// What everybody pays for every start.
    static let help = Benchmark(name: "help", summary: "submit --help") { laboratory in
        let (ours, theirs) = try await interleaved(laboratory.repetitions * 5) {
            try await laboratory.wall(Programs.submit, "--help")
        } theirs: {
            try await laboratory.wall("ssh", "-V")
        }
        return [
            Row(
                what: "submit --help", against: "ssh -V", goal: .ratioAtMost(3), unit: .seconds, ours: ours,
                theirs: theirs)
        ]
    }
}

extension Laboratory {
    /// From start to end, in seconds.
    fileprivate func wall(_ program: String, _ argument: String) async throws -> Double {
        try await Command(laboratory: self, program: program, arguments: [argument], directory: "/")
            .run(within: .seconds(10)).seconds
    }
}
