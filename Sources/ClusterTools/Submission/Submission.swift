import IO
import Slurm
import Templates
import Synchronization

/// One submission: from the shipment to the scheduler's number, in one remote program.
///
/// Whatever byte the link breaks at, there is afterwards exactly one job or none, and ``settle(on:)`` says which: the token
/// names the run, and on the cluster either the submitting program or the settling one claims it, never both.
struct Submission: Sendable {
    var job: Job
    var profile: Profile
    var options: SbatchOptions
    var shipment: Shipment

    /// What the cluster answered.
    struct Accepted: Sendable {
        var id: String
        var run: String
        var host: String
        var notes: [String]
    }

    /// Asks a shipment that is under way to stop before there is a job.
    final class Abort: Sendable {
        private let flag = Atomic(false)
        var isAsked: Bool { flag.load(ordering: .acquiring) }
        func ask() { flag.store(true, ordering: .releasing) }
    }

    /// What the remote programs need to know of this run.
    private var names: String {
        """
        ct_project=\(ShellWord.quote(job.project))
        ct_run_name=\(ShellWord.quote(job.runName))
        ct_token=\(ShellWord.quote(job.token))

        """
    }

    /// Sends the shipment and submits the job.
    ///
    /// - Parameters:
    ///   - abort: when it is asked, what was sent is removed and the result is nil. A job that exists by then is returned.
    ///   - progress: called with the bytes of files sent so far, before compression.
    /// - Throws: ``Failure`` when the cluster refuses: then nothing is left there. A link loss (``isLinkLoss(_:)``): then
    ///   ``settle(on:)`` tells what became of it.
    func send(
        on host: any Host, abort: Abort, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Accepted? {
        let arguments = profile.scheduler == .slurm ? options.arguments : []
        let definitions = names + "ct_options() { scheduler_submit \(ShellWord.join(arguments)); }\n"
        let program = RemoteProgram(
            .submit, of: profile, root: RunRoot(of: profile), definitions: definitions)
        return try await Conversation.with(program, on: host) { conversation in
            // The answer may come before all is sent: a full disk is told at once.
            try await withThrowingTaskGroup(of: Answer?.self) { group in
                group.addTask { try await conversation.answer() }
                group.addTask {
                    try await ship(through: conversation, abort: abort, progress: progress)
                    return nil
                }
                defer { group.cancelAll() }
                while let answer = try await group.next() {
                    if let answer { return try accepted(answer, on: host, isAborted: abort.isAsked) }
                }
                throw ConversationEnded(description: "\(host.name) gave no answer")
            }
        }
    }

    /// Streams the archive. A receiver that takes no more is no error here: its answer says why.
    private func ship(
        through conversation: Conversation, abort: Abort, progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        @Sendable func isTaken(_ write: () async throws -> Void) async throws -> Bool {
            do {
                try await write()
                return true
            } catch  where !isLinkLoss(error) && !(error is CancellationError) {
                return false
            }
        }
        do {
            try await shipment.stream { bytes, done in
                guard !abort.isAsked, try await isTaken({ try await conversation.send(bytes) }) else { return false }
                progress(done)
                return true
            }
        } catch  where !isLinkLoss(error) && !(error is CancellationError) {
            // A file here could not be read. The archive ends in its middle, which the other side does not accept.
            _ = try await isTaken { try await conversation.finishSending() }
            throw error
        }
        _ = try await isTaken { try await conversation.finishSending() }
    }

    /// Finds out, after a lost link, whether the submission became a job. If not, it never will.
    func settle(on host: any Host) async throws -> Accepted? {
        let program = RemoteProgram(.settle, of: profile, root: RunRoot(of: profile), definitions: names)
        return try await Conversation.with(program, on: host) { conversation in
            try accepted(try await conversation.answer(), on: host, isAborted: false)
        }
    }

    /// Ends a job that was submitted although the user wanted to stop, and removes its run folder.
    func takeBack(_ accepted: Accepted, on host: any Host) async throws {
        try await Conversation.about(run: accepted.run, of: profile, on: host) { conversation, _ in
            _ = try await conversation.ask("cancel \(accepted.id)")
            _ = try await conversation.ask("remove")
        }
    }

    /// Gives the submission an identity that no earlier attempt had.
    mutating func renew() {
        job.token = randomName(length: 10)
        job.runName = job.runName.split(separator: "-").prefix(2).joined(separator: "-") + "-" + job.token
    }

    private func accepted(_ answer: Answer, on host: any Host, isAborted: Bool) throws -> Accepted? {
        if let failure = answer.failure(on: host.name) {
            // An archive that was broken off on purpose cannot be unpacked.
            if isAborted { return nil }
            throw failure
        }
        guard answer.outcome == "submitted", let id = answer["job"], let run = answer["run"] else { return nil }
        return Accepted(id: id, run: run, host: answer["host"] ?? host.name, notes: answer.all("note"))
    }
}
