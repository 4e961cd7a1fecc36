import Foundation
import Testing

/// A repository to submit from, and the place where its jobs run. All of its jobs end with it.
struct Workplace: Sendable {
    let place: Place
    let repository: Repository
    /// Nil for ``Place/thisMachine``.
    let cluster: DemoCluster?
    /// The profile to name; nil for the default.
    var profile: String?

    /// `submit`, with these words after the profile's.
    func submit(_ words: String...) -> Launch { submit(words) }

    func submit(_ words: [String]) -> Launch {
        repository.desk.submit((profile.map { ["-c", $0] } ?? []) + words, in: repository.folder)
    }

    /// The folder that this repository's runs appear in.
    var runs: String {
        (cluster?.scratch ?? repository.desk.home + "/cluster-tools") + "/"
            + URL(filePath: repository.folder).lastPathComponent
    }

    /// What is in ``runs``, hidden folders of submissions under way included.
    func leftovers() throws -> [String] {
        guard FileManager.default.fileExists(atPath: runs) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: runs).sorted()
    }

    /// The records that submit keeps on the desk.
    func records() throws -> [String] {
        let folder = repository.desk.home + "/.local/state/cluster-tools/jobs"
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// The ids of this repository's jobs that have not ended.
    func jobs() async throws -> [String] {
        if let cluster {
            let name = URL(filePath: repository.folder).lastPathComponent
            return try await cluster.ssh("bash -lc 'squeue -h -o %i -n \(name)'").checked("squeue").output
                .split(separator: "\n").map(String.init)
        }
        return try leftovers().compactMap { run in
            guard let text = try state("id", of: run), let leader = Int32(text) else { return nil }
            // A leader that has ended keeps its group alive as long as there is a member.
            return kill(-leader, 0) == 0 ? text : nil
        }
    }

    /// A state file of a run, without its line end; nil when there is none.
    func state(_ name: String, of run: String) throws -> String? {
        let path = "\(runs)/\(run)/job/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return String(decoding: try Data(contentsOf: URL(filePath: path)).dropLast(), as: UTF8.self)
    }

    /// A path on the desk that both sides see: what makes a job go on, or what it leaves behind.
    func signpost(_ name: String) -> String { repository.desk.folder + "/" + name }

    /// Makes the file of a ``signpost(_:)``.
    func raise(_ name: String) throws { try Data().write(to: URL(filePath: signpost(name))) }

    /// Waits until this repository has no job.
    func allJobsEnd(within limit: Duration = .seconds(20)) async throws {
        try await eventually("end of all jobs of \(repository.folder)", within: limit) {
            try await jobs().isEmpty ? true : nil
        }
    }

    fileprivate func endJobs() async throws {
        for id in try await jobs() {
            if let cluster {
                _ = try await cluster.ssh("bash -lc 'scancel \(id)'")
            } else if let leader = Int32(id) {
                kill(-leader, SIGKILL)
            }
        }
    }
}

/// Lends a repository whose jobs run in this place.
///
/// - Parameters:
///   - files: what its first commit holds.
///   - cluster: a cluster of the test's own in place of the shared one.
///   - hasTensorBoard: whether jobs have a Python with TensorBoard, as on the demo cluster they have.
func withWorkplace<Result: Sendable>(
    _ place: Place, files: [String: String], cluster: DemoCluster? = nil, hasTensorBoard: Bool = false,
    _ body: @Sendable (Workplace) async throws -> Result
) async throws -> Result {
    var cluster = cluster
    if cluster == nil, place != .thisMachine || hasTensorBoard { cluster = try await withDemoCluster { $0 } }
    // A name of its own, by which its runs and jobs are found among those of all tests.
    let name = "p" + UUID().uuidString.prefix(8).lowercased()
    return try await withRepository(named: name, files: files) { [cluster] repository in
        var workplace = Workplace(
            place: place, repository: repository, cluster: place == .thisMachine ? nil : cluster,
            profile: place == .thisMachine ? nil : try cluster?.profile(for: place))
        if place == .thisMachine, hasTensorBoard, let cluster {
            // The demo cluster's Python serves here too.
            let path = repository.desk.folder + "/here.json"
            let activation = try cluster.profileValues()["activate_python"] as? String
            let line = try #require(activation, "the demo cluster has no TensorBoard")
            try JSONEncoder().encode(["activate_python": line]).write(to: URL(filePath: path))
            workplace.profile = path
        }
        do {
            let result = try await body(workplace)
            try await workplace.endJobs()
            return result
        } catch {
            do { try await workplace.endJobs() } catch { print("jobs of \(name) may be left: \(error)") }
            throw error
        }
    }
}
