import Slurm

/// How far a transfer has come: what is shown while it goes on. A value; the time is told to it.
struct TransferProgress {
    /// What is to be moved altogether, in bytes and files.
    private(set) var bytes = 0
    private(set) var files = 0
    private(set) var doneBytes = 0
    private(set) var doneFiles = 0
    /// How many bytes really went over the link.
    private(set) var carried = 0
    /// Moments of the last seconds, and the bytes that had been carried by then.
    private var samples: [(at: ContinuousClock.Instant, carried: Int)] = []
    private var shown: ContinuousClock.Instant?

    /// Over how long the rate is measured.
    private static let window = Duration.seconds(5)
    private static let interval = Duration.milliseconds(200)

    /// What is still to be done becomes this; what is done stays done.
    mutating func begin(files: Int, bytes: Int) {
        self.files = doneFiles + files
        self.bytes = doneBytes + bytes
    }

    /// Bytes that need not be carried: they were there.
    mutating func skip(_ count: Int) { doneBytes += count }

    mutating func add(_ count: Int, at now: ContinuousClock.Instant) {
        doneBytes += count
        carried += count
        if let last = samples.last, now - last.at < .milliseconds(100) {
            samples[samples.count - 1].carried = carried
        } else {
            samples.append((now, carried))
        }
        while samples.count > 2, let first = samples.first, now - first.at > Self.window { samples.removeFirst() }
    }

    mutating func endFile() { doneFiles += 1 }

    /// Bytes a second over the last seconds; nil as long as that is not known.
    var rate: Double? {
        guard let first = samples.first, let last = samples.last, last.at - first.at >= .milliseconds(500) else {
            return nil
        }
        return Double(last.carried - first.carried) / ((last.at - first.at) / .seconds(1))
    }

    /// How many seconds it will still take, as far as can be told.
    var secondsLeft: Int? {
        guard let rate, rate > 0, bytes >= doneBytes else { return nil }
        return Int((Double(bytes - doneBytes) / rate).rounded(.up))
    }

    /// The line to show, if it is time for one.
    mutating func line(_ verb: String, at now: ContinuousClock.Instant) -> String? {
        if let shown, now - shown < Self.interval { return nil }
        shown = now
        var line = "\(verb) \(byteCount(doneBytes)) of \(byteCount(bytes))"
        if bytes > 0 { line += " (\(doneBytes * 100 / max(bytes, 1)) %)" }
        if files > 1 { line += ", file \(min(doneFiles + 1, files)) of \(files)" }
        if let rate { line += ", \(byteCount(Int(rate)))/s" }
        if let secondsLeft { line += ", \(SlurmDuration.words(secondsLeft)) left" }
        return line
    }
}
