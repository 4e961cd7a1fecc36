/// What came of a transfer.
struct TransferOutcome: Sendable {
    /// How many files were copied.
    var files = 0
    /// Those that went over the link.
    var bytes = 0
    /// How many of the wanted files are now on both sides.
    var unchanged = 0
    /// What is newer where it would have been copied to, and stayed.
    var newer: [String] = []
    /// What could not be copied, and why.
    var obstacles: [String] = []
    /// Patterns that mean nothing that is there.
    var unmatched: [String] = []
    /// What had changed once more when it was copied.
    var changing: [String] = []

    /// Whether all that is there of what was wanted is here, or newer here.
    var isComplete: Bool { obstacles.isEmpty && changing.isEmpty }
}
