/// What a job says about itself: the small files in `job/` of its run folder, each a line, written by its script.
struct StateFiles: Sendable, Equatable {
    var values: [String: String] = [:]

    init() {}

    /// - Parameter lines: `NAME VALUE`, as the remote program sends them.
    init(lines: [String]) {
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(words[0])] = words.count > 1 ? String(words[1]) : ""
        }
    }

    /// `starting`, `running`, `lingering` or `ended`.
    var state: String? { values["state"] }
    /// The host that the script runs on.
    var node: String? { values["node"] }
    /// When it started and ended, in seconds since 1970 by the worker's clock.
    var start: Int? { values["start"].flatMap { Int($0) } }
    var end: Int? { values["end"].flatMap { Int($0) } }
    /// The command's exit status.
    var exit: Int32? {
        get { values["exit"].flatMap { Int32($0) } }
        set { values["exit"] = newValue.map { "\($0)" } }
    }
    /// Whether the command ended, and TensorBoard alone kept the job.
    var hasLingered: Bool { values["lingered"] != nil }
    /// The last signal that was passed on to the command.
    var signal: String? { values["signal"] }
    /// Why the command could not be started.
    var problem: String? { values["problem"] }
    /// How often the scheduler has started it again.
    var restarts: Int { values["restarts"].flatMap { Int($0) } ?? 0 }
    /// Why it could not be put back in the queue before its time limit.
    var requeueProblem: String? { values["requeue-problem"] }
    /// Where the command's own output begins in slurm.out.
    var outputOffset: Int? { values["output"].flatMap { Int($0) } }
    /// Which loopback interface the job's is.
    var loopback: String? { values["loopback"] }
    /// The Python that TensorBoard runs in.
    var python: String? { values["python"] }
    /// Why there is no TensorBoard.
    var boardProblem: String? { values["tensorboard-problem"] }

    /// The port and the secret of what it serves, once that answers.
    func address(of service: WebService) -> (port: UInt16, secret: String)? {
        switch service {
        case .tensorboard: values["tensorboard"].flatMap(Self.address(in:))
        case .notebook: values["notebook-address"].flatMap(Self.address(in:))
        }
    }

    /// - Parameter line: `PORT SECRET`.
    static func address(in line: String) -> (port: UInt16, secret: String)? {
        let words = line.split(separator: " ")
        guard words.count == 2, let port = UInt16(words[0]) else { return nil }
        return (port, String(words[1]))
    }
}
