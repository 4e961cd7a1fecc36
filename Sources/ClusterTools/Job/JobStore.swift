#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The records of the jobs that were submitted from this machine: one JSON file each, named by the submission's token, in a
/// folder that only the user reads. Files appear by rename, so any number of processes may read and write at once.
public struct JobStore: Sendable {
    private let folder: String

    /// - Parameter environment: where `XDG_STATE_HOME` and `HOME` are looked up.
    public init(environment: [String: String]) {
        let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        folder = (state ?? (environment["HOME"] ?? "/") + "/.local/state") + "/cluster-tools/jobs"
    }

    private func path(of token: String) -> String { "\(folder)/\(token).json" }

    /// Writes a record in place of an earlier one of the same submission.
    public func save(_ job: Job) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let temporary = "\(folder)/.\(job.token).\(getpid())"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try writePrivately(Array(try encoder.encode(job)) + [UInt8(ascii: "\n")], to: temporary)
        } catch {
            throw Failure(
                Exit.cannotCreate, "cannot write the job's record in \(folder)",
                remedy: "make room, or set XDG_STATE_HOME to a folder that can be written", cause: error)
        }
        guard rename(temporary, path(of: job.token)) == 0 else {
            throw Failure(
                Exit.cannotCreate, "cannot write \(path(of: job.token))", why: String(cString: strerror(errno)))
        }
    }

    /// Removes the record of a submission that became no job.
    public func remove(_ job: Job) throws {
        guard unlink(path(of: job.token)) == 0 || errno == ENOENT else {
            throw Failure(Exit.ioError, "cannot remove \(path(of: job.token))", why: String(cString: strerror(errno)))
        }
    }

    /// All records, the newest first, and the files that hold none.
    public func all() throws -> (jobs: [Job], unreadable: [String]) {
        guard FileManager.default.fileExists(atPath: folder) else { return ([], []) }
        var jobs: [Job] = []
        var unreadable: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasSuffix(".json") && !name.hasPrefix(".") {
            do {
                let data = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
                jobs.append(try JSONDecoder().decode(Job.self, from: data))
            } catch {
                unreadable.append("\(folder)/\(name)")
            }
        }
        return (jobs.sorted { ($0.submitted, $0.token) > ($1.submitted, $1.token) }, unreadable)
    }

    /// The job that a word means: a number, a name (the newest of that name), or the beginning of a number or token that no
    /// other has; without a word the newest.
    public func job(_ word: String?) throws -> Job {
        let jobs = try all().jobs
        guard let word else {
            guard let newest = jobs.first else {
                throw Failure(Exit.noInput, "no job was submitted from this machine yet")
            }
            return newest
        }
        if let exact = jobs.first(where: { $0.id == word || $0.token == word || $0.name == word }) { return exact }
        let near = jobs.filter { $0.id?.hasPrefix(word) == true || $0.token.hasPrefix(word) }
        guard near.count <= 1 else {
            throw Failure(
                Exit.usage, "\(word) can mean \(near.count) jobs",
                why: near.prefix(5).map { "\($0.title)  \($0.name)" }.joined(separator: "\n"))
        }
        guard let job = near.first else {
            throw Failure(
                Exit.noInput, "no job \(word) was submitted from this machine", remedy: "cluster jobs lists them")
        }
        return job
    }
}

/// Makes a file that only the user reads, and sees to it that its content has reached the disk.
private func writePrivately(_ bytes: [UInt8], to path: String) throws {
    func fail() -> Failure { Failure(Exit.ioError, "cannot write \(path)", why: String(cString: strerror(errno))) }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw fail() }
    defer { close(file) }
    var written = 0
    while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard count >= 0 else {
            if errno == EINTR { continue }
            throw fail()
        }
        written += count
    }
    guard fsync(file) == 0 else { throw fail() }
}
