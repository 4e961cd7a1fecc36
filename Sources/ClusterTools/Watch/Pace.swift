/// How long to wait before looking again: briefly after something happened, then longer and longer up to a limit.
struct Pace: Sendable {
    private let first: Duration
    private let limit: Duration
    private var current: Duration
    /// How much longer each pause is than the one before.
    var factor: Double

    init(first: Duration, limit: Duration, factor: Double = 1.5) {
        self.first = first
        self.limit = limit
        self.factor = factor
        current = first
    }

    /// The next pause.
    mutating func next() -> Duration {
        defer { current = min(limit, current * factor) }
        return current
    }

    /// Something happened: more may follow soon.
    mutating func quicken() { current = first }
}
