/// What a user is told while a job is submitted and watched: each as a line of text and as a JSON object.
public enum Event: Sendable {
    case snapshot(commit: String, reference: String?, changes: String)
    case warning(String)
    case connecting(String)
    /// `unchanged`: how many files more were there already.
    case sent(files: Int, bytes: Int, seconds: Double, unchanged: Int)
    case submitted(job: String, host: String, run: String)
    /// Something that the scheduler or the site said about the submission.
    case note(String)
    case queued(job: String, reason: String, start: String?)
    case running(job: String, node: String, waited: String?)
    case restarted(job: String, times: Int)
    case task(job: String, task: String, state: String, node: String?, output: String)
    case commandEnded(job: String, status: Int32)
    case ended(job: String, Ending, node: String?, elapsed: String?)
    /// It was to be cancelled, and there was nothing left to cancel.
    case endedBefore(job: String, Ending)
    case board(WebService, url: String)
    case noBoard(WebService, reason: String)
    /// Output that is not shown: bytes of a file on the cluster.
    case skipped(job: String, Range<Int>, file: String)
    /// Files were copied.
    case transferred(Transferred)
    case linkLost(reason: String)
    case linkBack
    case cancelling(job: String)
    case detached(job: String, back: String)
    case failure(Failure)
    case debug(String)

    enum Style { case plain, faint, good, bad, link }

    /// From which level of detail on it is shown.
    var detail: Console.Detail {
        switch self {
        case .failure: .quiet
        case .connecting, .debug: .verbose
        default: .normal
        }
    }

    var style: Style {
        switch self {
        case .warning, .linkLost, .noBoard, .failure, .skipped: .bad
        case .board: .link
        case .running, .linkBack: .good
        case .ended(_, let ending, _, _): ending.exitStatus == 0 ? .good : .bad
        case .debug, .connecting: .faint
        default: .plain
        }
    }

    /// One line, without a line break.
    var text: String {
        switch self {
        case .snapshot(let commit, let reference, let changes):
            "snapshot \(commit.prefix(10))" + (reference.map { " on \($0)" } ?? "")
                + (changes.isEmpty ? "" : " (\(changes))")
        case .warning(let text): "warning: \(text)"
        case .connecting(let host): "connecting to \(host)"
        case .sent(let files, let bytes, let seconds, let unchanged):
            "sent \(files) file\(files == 1 ? "" : "s"), \(byteCount(bytes)) in \(tenths(seconds)) s"
                + (unchanged == 0 ? "" : "; \(unchanged) more \(unchanged == 1 ? "is" : "are") there already")
        case .submitted(let job, let host, let run): "job \(job) on \(host), in \(run)"
        case .note(let text): text
        case .queued(let job, let reason, let start):
            "job \(job) is queued: \(reason)" + (start.map { "; expected to start \($0)" } ?? "")
        case .running(let job, let node, let waited):
            "job \(job) runs on \(node)" + (waited.map { ", after \($0) in the queue" } ?? "")
        case .restarted(let job, let times): "job \(job) was requeued and starts again (restart \(times))"
        case .task(_, let task, let state, let node, let output):
            "task \(task) \(state)" + (node.map { " on \($0)" } ?? "") + ", output in \(output)"
        case .commandEnded(let job, let status):
            "the command of job \(job) ended with exit status \(status); TensorBoard stays up until Ctrl-C"
        case .ended(let job, let ending, let node, let elapsed):
            "job \(job) \(ending.description)" + (elapsed.map { " after \($0)" } ?? "")
                + (node.map { " on \($0)" } ?? "")
        case .endedBefore(let job, let ending): "job \(job) had ended already: it \(ending.description)"
        case .board(let service, let url): "\(service.name) \(url)"
        case .noBoard(let service, let reason): "no \(service.name): \(reason)"
        case .skipped(_, let range, let file):
            "\(byteCount(range.count)) of output came meanwhile and are not shown: bytes \(range.lowerBound) to "
                + "\(range.upperBound) of \(file)"
        case .transferred(let transferred): transferred.text
        case .linkLost(let reason): "the link is down (\(reason)); trying to reconnect"
        case .linkBack: "the link is back"
        case .cancelling(let job): "cancelling job \(job)"
        case .detached(let job, let back): "job \(job) goes on without this terminal; to come back: \(back)"
        case .failure(let failure): failure.description
        case .debug(let text): text
        }
    }

    /// The same as a JSON object whose `event` names it.
    var json: JSONValue {
        func object(_ event: String, _ members: [(String, JSONValue?)]) -> JSONValue {
            .object(
                [.init("event", .string(event))]
                    + members.compactMap { name, value in value.map { JSONValue.Member(name, $0) } })
        }
        func string(_ value: String?) -> JSONValue? { value.map { .string($0) } }
        func number(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }
        func members(_ job: String, _ ending: Ending) -> [(String, JSONValue?)] {
            [
                ("job", .string(job)), ("cause", .string(ending.cause.rawValue)),
                ("exit_status", ending.status.map { number($0) }), ("state", string(ending.state)),
                ("problem", string(ending.problem)), ("status", number(ending.exitStatus)),
            ]
        }
        switch self {
        case .snapshot(let commit, let reference, let changes):
            return object(
                "snapshot",
                [("commit", .string(commit)), ("reference", string(reference)), ("changes", .string(changes))])
        case .warning(let text): return object("warning", [("text", .string(text))])
        case .connecting(let host): return object("connecting", [("host", .string(host))])
        case .sent(let files, let bytes, let seconds, let unchanged):
            return object(
                "sent",
                [
                    ("files", number(files)), ("bytes", number(bytes)), ("seconds", .number(tenths(seconds))),
                    ("unchanged", number(unchanged)),
                ])
        case .submitted(let job, let host, let run):
            return object("submitted", [("job", .string(job)), ("host", .string(host)), ("run", .string(run))])
        case .note(let text): return object("note", [("text", .string(text))])
        case .queued(let job, let reason, let start):
            return object(
                "queued", [("job", .string(job)), ("reason", .string(reason)), ("expected_start", string(start))])
        case .running(let job, let node, _):
            return object("running", [("job", .string(job)), ("node", .string(node))])
        case .restarted(let job, let times):
            return object("restarted", [("job", .string(job)), ("times", number(times))])
        case .task(let job, let task, let state, let node, let output):
            return object(
                "task",
                [
                    ("job", .string(job)), ("task", .string(task)), ("state", .string(state)), ("node", string(node)),
                    ("output", .string(output)),
                ])
        case .commandEnded(let job, let status):
            return object("command_ended", [("job", .string(job)), ("exit_status", number(status))])
        case .ended(let job, let ending, let node, _):
            return object("ended", members(job, ending) + [("node", string(node))])
        case .endedBefore(let job, let ending): return object("ended_before", members(job, ending))
        case .board(let service, let url): return object(service.rawValue, [("url", .string(url))])
        case .noBoard(let service, let reason):
            return object("no_" + service.rawValue, [("reason", .string(reason))])
        case .skipped(let job, let range, let file):
            return object(
                "skipped",
                [
                    ("job", .string(job)), ("from", number(range.lowerBound)), ("to", number(range.upperBound)),
                    ("file", .string(file)),
                ])
        case .transferred(let transferred): return object(transferred.direction.rawValue, transferred.members)
        case .linkLost(let reason): return object("link_lost", [("reason", .string(reason))])
        case .linkBack: return object("link_back", [])
        case .cancelling(let job): return object("cancelling", [("job", .string(job))])
        case .detached(let job, let back): return object("detached", [("job", .string(job)), ("back", .string(back))])
        case .failure(let failure):
            return object(
                "failure",
                [
                    ("what", .string(failure.what)), ("why", string(failure.why ?? failure.cause.map { "\($0)" })),
                    ("remedy", string(failure.remedy)), ("status", number(failure.status)),
                ])
        case .debug(let text): return object("debug", [("text", .string(text))])
        }
    }
}

/// A number of bytes as a person reads it, such as `1.2 MB`.
func byteCount(_ bytes: Int) -> String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    var value = Double(bytes)
    for unit in ["kB", "MB", "GB", "TB"] {
        value /= 1000
        if value < 999.95 || unit == "TB" {
            return "\(value < 9.95 ? tenths(value) : String(Int(value.rounded()))) \(unit)"
        }
    }
    return "\(bytes) B"
}

/// A number with one decimal.
func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
