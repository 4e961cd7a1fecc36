/// Something that is measured beside what a user could do without it.
struct Benchmark: Sendable {
    /// What it is chosen by on the command line.
    var name: String
    /// A line for `--list`.
    var summary: String
    /// Measures; a family of measurements that share their preparation gives several rows.
    var measure: @Sendable (Laboratory) async throws -> [Row]
}

extension Benchmark {
    /// All of them, in the order of the table.
    static let all: [Benchmark] = [
        .submission(roundTrip: 100), .submission(roundTrip: 0), .roundTrips, .bulk,
        .help, .tensorBoard, .snapshot, .tunnel(roundTrip: 0), .tunnel(roundTrip: 50), .tunnelAtHome,
        .reconnection, .queueCalls, .growthOfSubmissions, .growthOfFiles, .growthOfTunnels, .growthOfJobs,
    ]
}

/// One line of the table: ours and theirs, measured in turn in the same run.
struct Row: Sendable {
    /// What is measured.
    var what: String
    /// What it is compared with.
    var against: String
    var goal: Goal
    var unit: Unit
    var ours: Series
    /// Empty where there is nothing to run, and the goal is a number.
    var theirs = Series()
    /// What else was measured on the way.
    var details: [Detail] = []
    /// Of rows that differ in size alone.
    var growth: Growth?

    /// Ours divided by theirs, of the medians.
    var ratio: Double? {
        guard let ours = ours.median, let theirs = theirs.median, theirs > 0 else { return nil }
        return ours / theirs
    }

    /// Whether the goal is reached; nil where there is none, or nothing to tell by.
    var isReached: Bool? {
        switch goal {
        case .ratioAtMost(let limit): ratio.map { $0 <= limit }
        case .ratioAtLeast(let limit): ratio.map { $0 >= limit }
        case .atMost(let limit): ours.median.map { $0 <= limit }
        case .none: nil
        }
    }
}

/// What a row should show.
enum Goal: Sendable {
    /// Ours is at most so many times theirs.
    case ratioAtMost(Double)
    /// Ours is at least so many times theirs.
    case ratioAtLeast(Double)
    /// Ours is at most this, in the row's unit.
    case atMost(Double)
    /// It is told, and no more.
    case none
}

/// What the numbers of a row count.
enum Unit: String, Sendable {
    case seconds, bytesPerSecond, bytes, count
}

/// A number beside those of a row: the memory that ours took, the bytes that were sent.
struct Detail: Sendable {
    var name: String
    var value: Double
    var unit: Unit
    /// What it should not exceed.
    var limit: Double?
}

/// Repeated measurements of the same thing.
struct Series: Sendable {
    var values: [Double] = []

    /// The middle one, or the mean of the two in the middle; nil without any.
    var median: Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// Measures two things in turn, so that whatever else the machine does meets both alike.
///
/// - Parameter times: how often each is measured, after one round that does not count: it fills the caches.
func interleaved(
    _ times: Int, ours: () async throws -> Double, theirs: () async throws -> Double
) async throws -> (ours: Series, theirs: Series) {
    var result = (ours: Series(), theirs: Series())
    for round in 0...times {
        try Task.checkCancellation()
        let (first, second) = (try await ours(), try await theirs())
        guard round > 0 else { continue }
        result.ours.values.append(first)
        result.theirs.values.append(second)
    }
    return result
}

/// How long `body` takes, in seconds.
func timed(_ body: () async throws -> Void) async throws -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
}
