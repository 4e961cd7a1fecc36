#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The records of the jobs that were submitted from this machine: one JSON file each, named by the submission's token, in a
/// folder that only the user reads.
///
/// Any number of processes may use it at once: a file appears whole, by rename, so readers need no lock; writers have one, so
/// that what one of them has learnt is not lost in what another writes.
public struct JobStore: Sendable {
    private let files: StateFolder
    var folder: String { files.path }

    /// - Parameter environment: where `XDG_STATE_HOME` and `HOME` are looked up.
    public init(environment: [String: String]) {
        files = StateFolder("jobs", environment: environment)
    }

    /// A temporary file that is this old, in seconds, belongs to a process that was killed while it wrote.
    private static let abandoned = 3600

    private func path(of token: String) -> String { "\(folder)/\(token).json" }

    /// Writes a record in place of an earlier one of the same submission.
    public func save(_ job: Job) throws {
        do {
            try files.make()
            try locked { try write(job) }
        } catch {
            throw Failure(
                Exit.cannotCreate, "cannot write the job's record in \(folder)",
                remedy: "make room, or set XDG_STATE_HOME to a folder that can be written", cause: error)
        }
        removeAbandoned()
    }

    /// Changes the record of a submission as it is now; does nothing when there is none any more.
    func update(_ token: String, _ change: (inout Job) -> Void) throws {
        guard LocalFile.isFile(path(of: token)) else { return }
        try locked {
            guard LocalFile.isFile(path(of: token)) else { return }
            let before = try read(path(of: token))
            var job = before
            change(&job)
            if job != before { try write(job) }
        }
    }

    /// Removes the record of a submission that became no job.
    public func remove(_ job: Job) throws {
        guard unlink(path(of: job.token)) == 0 || errno == ENOENT else {
            throw Failure(Exit.ioError, "cannot remove \(path(of: job.token))", why: String(cString: strerror(errno)))
        }
    }

    /// All records, the newest first, and what is wrong with the files that hold none.
    public func all() -> (jobs: [Job], problems: [Failure]) {
        var jobs: [Job] = []
        var problems: [Failure] = []
        for name in LocalFile.names(in: folder) where name.hasSuffix(".json") && !name.hasPrefix(".") {
            do {
                jobs.append(try read("\(folder)/\(name)"))
            } catch {
                // Another process may have removed it in this moment.
                if LocalFile.isFile("\(folder)/\(name)") { problems.append(error) }
            }
        }
        // In one second there may be several: numbers are given in order.
        func age(_ job: Job) -> (Int, Int, String) { (job.submitted, job.id.flatMap { Int($0) } ?? .max, job.token) }
        return (jobs.sorted { age($0) > age($1) }, problems)
    }

    // MARK: Files

    private func read(_ path: String) throws(Failure) -> Job {
        try Job(record: try LocalFile.contents(of: path, subject: "the job's record"), document: path)
    }

    private func write(_ job: Job) throws {
        try files.write(job.record, to: "\(job.token).json", isLasting: true)
    }

    /// Runs `body` while no other process writes.
    private func locked(_ body: () throws -> Void) throws {
        let path = folder + ".lock"
        let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw SystemFailure("open \(path)") }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            // A file system without locks: whole files are what remains.
            guard errno == EINTR else { break }
        }
        try body()
    }

    /// Removes what processes left that were killed while they wrote.
    private func removeAbandoned() {
        for name in LocalFile.names(in: folder) where name.hasPrefix(".") && ![".", ".."].contains(name) {
            var status = stat()
            guard stat("\(folder)/\(name)", &status) == 0, Self.modified(status) < time(nil) - Self.abandoned else {
                continue
            }
            // Whoever was first is as good.
            unlink("\(folder)/\(name)")
        }
    }

    private static func modified(_ status: stat) -> Int {
        #if canImport(Darwin)
            status.st_mtimespec.tv_sec
        #else
            status.st_mtim.tv_sec
        #endif
    }
}
