import Slurm
import Templates

/// A run that may or may not become a job: the token names it, and on the cluster either the submitting program or the
/// settling one claims it, never both.
struct RunClaim: Sendable {
    var job: Job
    var profile: Profile

    /// What the cluster said of the job that a run has become.
    struct Accepted: Sendable {
        var id: String
        var run: String
        var host: String
        var notes: [String]
    }

    /// What the remote programs need to know of this run.
    var definitions: String {
        """
        ct_project=\(ShellWord.quote(job.project))
        ct_run_name=\(ShellWord.quote(job.runName))
        ct_token=\(ShellWord.quote(job.token))

        """
    }

    /// Gives the run an identity that no earlier attempt had.
    mutating func renew() {
        job.token = randomName(length: 10)
        job.runName = job.runName.split(separator: "-").prefix(2).joined(separator: "-") + "-" + job.token
    }

    /// Finds out, after a lost link, whether the run became a job. If not, it never will.
    func settle(on host: any Host) async throws -> Accepted? {
        let program = RemoteProgram(.settle, of: profile, root: RunRoot(of: profile), definitions: definitions)
        return try await Conversation.with(program, on: host) { conversation in
            try Self.accepted(try await conversation.answer(), on: host, isAborted: false)
        }
    }

    /// The job as it is known to exist: of a submission whose answer nobody has seen it is found out what became of it.
    ///
    /// - Throws: ``Failure`` when it became no job.
    func settledJob(on host: any Host, _ recorder: JobRecorder, _ console: Console) async throws -> Job {
        guard job.id == nil || job.run == nil else { return job }
        guard let accepted = try await settle(on: host) else {
            recorder.remove(job)
            throw Failure(Exit.noInput, "the submission \(job.token) did not become a job, and nothing is left of it")
        }
        return accepted.announced(of: job, recorder, console)
    }

    /// Ends a job that was submitted although the user wanted to stop, and removes its run folder.
    func takeBack(_ accepted: Accepted, on host: any Host) async throws {
        try await Conversation.about(run: accepted.run, of: profile, on: host) { conversation, _ in
            var problem: String?
            for attempt in 0..<120 {
                if attempt % 10 == 0 { problem = try await conversation.ask("cancel \(accepted.id)")["cancel-problem"] }
                let queue = try await conversation.ask("queue \(accepted.id)")
                // A script that is still ending would write into the folder while it is removed.
                if queue["queue-problem"] == nil, queue.queueLines.allSatisfy(\.state.isEnded) {
                    _ = try await conversation.ask("remove")
                    return
                }
                try await Task.sleep(for: .milliseconds(500))
            }
            throw Failure(
                Exit.temporary, "job \(accepted.id) existed already, and does not end", why: problem,
                remedy: "it runs in \(accepted.run) on \(accepted.host); cluster attach \(job.token) watches it")
        }
    }

    /// Reads the last answer of the submitting or the settling program.
    ///
    /// - Parameter isAborted: whether the archive was broken off on purpose.
    /// - Returns: nil when there is no job, and will be none.
    static func accepted(_ answer: Answer, on host: any Host, isAborted: Bool) throws -> Accepted? {
        if let failure = answer.failure(on: host.name) {
            // An archive that was broken off cannot be unpacked.
            if isAborted { return nil }
            throw failure
        }
        if answer.outcome == "base-gone", !isAborted { throw BaseGone() }
        guard answer.outcome == "submitted", let id = answer["job"], let run = answer["run"] else { return nil }
        return Accepted(id: id, run: run, host: answer["host"] ?? host.name, notes: answer.all("note"))
    }
}
