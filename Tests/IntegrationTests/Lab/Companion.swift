import Foundation
import Testing

/// `cluster` at a workplace.
extension Workplace {
    /// `cluster` as typed in the repository.
    func cluster(_ words: String..., environment: [String: String] = [:]) -> Launch {
        var launch = repository.desk.cluster(words, in: repository.folder)
        launch.environment.merge(environment) { $1 }
        return launch
    }

    /// Submits a job and leaves it alone.
    func leave(_ words: String..., profile: String? = nil) async throws -> (id: String, run: String) {
        var place = self
        place.profile = profile ?? self.profile
        let finished = try await run(place.submit(["--detach", "--no-tensorboard"] + words)).checked("submit")
        return try #require(finished.job, "\(finished.errors)")
    }

    /// The lines of `cluster jobs` without a terminal, as fields.
    func table(_ words: String...) async throws -> [[String]] {
        var launch = cluster("jobs")
        launch.arguments += words
        let finished = try await run(launch).checked("cluster jobs")
        return finished.output.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Waits until `cluster jobs` says that the job is in this state.
    func job(_ id: String, comesTo state: String) async throws {
        try await eventually("\(state) of job \(id)", within: .seconds(30)) {
            try await table().contains { $0[0] == id && $0[3] == state } ? true : nil
        }
    }

    /// The record of a job, as its file has it.
    func record(of id: String) throws -> [String: Any] {
        for name in try records() {
            let record = try record(inFile: name)
            if record["id"] as? String == id { return record }
        }
        throw LabError(code: .command, message: "no record of job \(id)")
    }

    private func record(inFile name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: "\(recordFolder)/\(name)"))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// Writes a record, as an earlier process might have left it.
    func write(record: [String: Any]) throws {
        let token = try #require(record["token"] as? String)
        try JSONSerialization.data(withJSONObject: record).write(to: URL(filePath: "\(recordFolder)/\(token).json"))
    }

    private var recordFolder: String { repository.desk.home + "/.local/state/cluster-tools/jobs" }
}
