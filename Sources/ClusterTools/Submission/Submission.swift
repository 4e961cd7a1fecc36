import IO
import Slurm
import Synchronization
import Templates

/// The cluster does not have the snapshot that another one was to be made from.
struct BaseGone: Error {}

/// One submission: from the shipment to the scheduler's number, in one remote program.
///
/// Whatever byte the link breaks at, there is afterwards exactly one job or none, and ``RunClaim/settle(on:)`` says which.
struct Submission: Sendable {
    var claim: RunClaim
    var options: SbatchOptions
    var shipment: Shipment
    /// Where to note what the cluster has afterwards; nil where nothing of it is kept there.
    var sent: SentSnapshots?

    var profile: Profile { claim.profile }

    /// Asks a shipment that is under way to stop before there is a job.
    final class Abort: Sendable {
        private let flag = Atomic(false)
        var isAsked: Bool { flag.load(ordering: .acquiring) }
        func ask() { flag.store(true, ordering: .releasing) }
    }

    /// How far a submission has come.
    enum Progress: Sendable {
        /// So many bytes of files, before compression.
        case sent(Int)
        case building(EnvironmentBuild.Progress)
    }

    /// Sends the shipment and submits the job, once its environment is there where that is made on the access node.
    ///
    /// - Parameter abort: when it is asked, what was sent is removed and the result is nil. A job that exists by then is returned.
    /// - Throws: ``Failure`` when the cluster refuses, or ``BaseGone``: then nothing is left there. A link loss (``isLinkLoss(_:)``): then
    ///   ``RunClaim/settle(on:)`` tells what became of it. ``EnvironmentBuild/Abandoned``: the same, after `abort`.
    func send(
        on host: any Host, abort: Abort, progress: @escaping @Sendable (Progress) -> Void
    ) async throws -> RunClaim.Accepted? {
        let isBuilt = profile.requirements?.place == .access
        let answer = try await answer(of: host, isBuilt ? .job : nil, abort: abort, progress: progress)
        return try RunClaim.accepted(answer, on: host, isAborted: abort.isAsked)
    }

    /// Sends the shipment and makes the environment that its jobs need. Nothing else is left there.
    ///
    /// - Returns: the environment's path; nil where none is needed.
    func build(on host: any Host, progress: @escaping @Sendable (Progress) -> Void) async throws -> String? {
        let answer = try await answer(of: host, .alone, abort: Abort(), progress: progress)
        if let failure = answer.failure(on: host.name) { throw failure }
        if answer.outcome == "base-gone" { throw BaseGone() }
        return answer["environment"]
    }

    private func answer(
        of host: any Host, _ purpose: EnvironmentBuild.Purpose?, abort: Abort,
        progress: @escaping @Sendable (Progress) -> Void
    ) async throws -> Answer {
        let build = purpose.map { EnvironmentBuild(purpose: $0, profile: profile, directory: shipment.directory) }
        let arguments = profile.scheduler == .slurm ? options.arguments : []
        let definitions =
            claim.definitions + shipment.plan.definitions
            + (build?.definitions ?? EnvironmentBuild.noDefinitions)
            + "ct_options() { scheduler_submit \(ShellWord.join(arguments)); }\n"
        let program = RemoteProgram(
            .submit, of: profile, root: RunRoot(of: profile), definitions: definitions)
        return try await Conversation.with(program, on: host) { conversation in
            // The answer may come before all is sent: a full disk is told at once.
            try await withThrowingTaskGroup(of: Answer?.self) { group in
                let codecs = OneShot<Set<String>>()
                group.addTask {
                    let ready = try await conversation.answer()
                    guard ready.outcome == "ready" else { return ready }
                    codecs.deliver(.success(Set((ready["codecs"] ?? "").split(separator: " ").map(String.init))))
                    return try await EnvironmentBuild.lastAnswer(conversation, abort: abort) { progress(.building($0)) }
                }
                group.addTask {
                    try await ship(
                        as: codec(of: codecs), through: conversation, abort: abort, progress: { progress(.sent($0)) })
                    return nil
                }
                defer { group.cancelAll() }
                while let answer = try await group.next() {
                    if let answer { return answer }
                }
                throw ConversationEnded(description: "\(host.name) gave no answer")
            }
        }
    }

    /// What the archive is compressed with. For a large one it is worth a round trip to learn what the cluster has.
    private func codec(of codecs: OneShot<Set<String>>) async throws -> CompressedStream.Codec {
        guard shipment.sentSize.bytes > Self.large else { return .gzip }
        return try await codecs.value().contains("zstd") ? .zstd : .gzip
    }

    /// What is worth it, in bytes.
    private static let large = 4 << 20

    /// Streams the archive. A receiver that takes no more is no error here: its answer says why.
    private func ship(
        as codec: CompressedStream.Codec, through conversation: Conversation, abort: Abort,
        progress: @escaping @Sendable (Int) -> Void
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
            _ = try await isTaken { try await conversation.send(Array("\(codec.rawValue)\n".utf8)) }
            try await shipment.stream(as: codec) { bytes, done in
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
}
