/// Says what a transfer will do or has done.
struct TransferReport {
    private let console: Console
    private let direction: Transferred.Direction
    /// The folder that files go to.
    private let place: String
    private let began = ContinuousClock.now

    /// How many names a line has at most.
    private static let named = 5

    init(console: Console, direction: Transferred.Direction, place: String) {
        self.console = console
        self.direction = direction
        self.place = place
    }

    /// The plan, on standard output: a line each with size and path.
    func show(_ plan: TransferPlan) {
        for entry in plan.copies {
            let size = "\(entry.size)"
            print(String(repeating: " ", count: max(0, 12 - size.count)) + "\(size)  \(entry.name)")
        }
        warn(newer: plan.newer.map(\.name))
        for obstacle in plan.obstacles {
            console.report(.warning("\(BytePath.text(obstacle.path)): \(obstacle.why)"))
        }
        console.report(
            .note("\(Transferred.count(plan.copies.count)), \(byteCount(plan.bytes)), to \(place)"))
    }

    /// - Returns: the status to exit with.
    func report(_ outcome: TransferOutcome) -> Int32 {
        console.report(
            .transferred(
                Transferred(
                    direction: direction, files: outcome.files, bytes: outcome.bytes,
                    seconds: (ContinuousClock.now - began) / .seconds(1),
                    unchanged: max(0, outcome.unchanged - outcome.files), place: place)))
        if !outcome.changing.isEmpty {
            console.report(
                .warning("changed while it was read, and is as it was then: \(Self.list(outcome.changing))"))
        }
        warn(newer: outcome.newer)
        for obstacle in outcome.obstacles { console.report(.warning(obstacle)) }
        for pattern in outcome.unmatched { console.report(.warning("there is nothing that \(pattern) means")) }
        if !outcome.obstacles.isEmpty { return Exit.ioError }
        return outcome.unmatched.isEmpty ? 0 : Exit.noInput
    }

    private func warn(newer: [String]) {
        guard !newer.isEmpty else { return }
        console.report(
            .warning(
                "newer \(direction == .pulled ? "here" : "there"), and left as \(newer.count == 1 ? "it is" : "they are"): "
                    + "\(Self.list(newer)); --force replaces \(newer.count == 1 ? "it" : "them")"))
    }

    /// The first names of a list, and how many more there are.
    static func list(_ names: [String]) -> String {
        names.prefix(named).joined(separator: ", ")
            + (names.count > named ? " and \(names.count - named) more" : "")
    }
}
