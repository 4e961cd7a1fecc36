import Foundation
import Testing

/// Where the jobs of a test run. What a user notices must be the same everywhere.
enum Place: String, Sendable, CaseIterable, CustomTestStringConvertible {
    /// The embedded default: no profile, no cluster.
    case thisMachine
    /// The demo cluster that all tests share.
    case demoCluster
    /// The same, by way of the user's own ssh in place of the library.
    case demoClusterByOpenSSH

    /// What the profile says speaks SSH.
    var transport: String { self == .demoClusterByOpenSSH ? "openssh" : "libssh" }

    /// The places that are clusters, one for each transport.
    static let clusters: [Place] = [.demoCluster, .demoClusterByOpenSSH]

    var testDescription: String { rawValue }

    /// The places that there are here.
    static let available: [Place] = {
        guard let obstacle = DemoCluster.obstacle else { return [.thisMachine, .demoCluster] }
        print("Only the embedded default is tested: \(obstacle)")
        return [.thisMachine]
    }()

    /// The places that there are here, by every transport: for what may depend on the connection.
    static let availableByEachTransport = available + (available.contains(.demoCluster) ? [.demoClusterByOpenSSH] : [])

    /// The options that lead submit there.
    func options() async throws -> [String] {
        switch self {
        case .thisMachine: []
        case .demoCluster, .demoClusterByOpenSSH: try await withDemoCluster { ["-c", try $0.profile(for: self)] }
        }
    }
}

extension DemoCluster {
    /// What submit's `-c` takes to get here as the place says.
    func profile(for place: Place) throws -> String {
        if place == .demoCluster { return profile }
        let path = "\(state)/profile-\(place.transport).json"
        if !FileManager.default.fileExists(atPath: path) {
            let values = try profileValues().merging(["transport": place.transport]) { $1 }
            try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: path), options: .atomic)
        }
        return path
    }
}

extension Repository {
    /// `submit` on a place, without TensorBoard, which would only take time where nobody looks at it.
    func submission(
        of command: [String], on place: Place, options: [String] = [], in subfolder: String = ""
    ) async throws -> Launch {
        desk.submit(
            try await place.options() + ["--no-tensorboard"] + options + ["--"] + command,
            in: folder + "/" + subfolder)
    }

    /// Runs a command as a job and waits for submit to end.
    func job(
        _ command: String..., on place: Place, options: [String] = [], in subfolder: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> Finished {
        try await run(try await submission(of: command, on: place, options: options, in: subfolder), within: limit)
    }

    /// Runs a shell script as a job.
    func job(
        script: String, on place: Place, options: [String] = [], in subfolder: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> Finished {
        try await job("sh", "-c", script, on: place, options: options, in: subfolder, within: limit)
    }
}

extension Finished {
    /// The job's number and its folder, from submit's status lines.
    var job: (id: String, run: String)? { submittedJob(in: errors) }

    /// The status lines of submit, without what the job wrote to its standard error.
    var statusLines: [String] {
        errors.split(separator: "\n").filter { $0.hasPrefix("submit: ") }.map { String($0.dropFirst(8)) }
    }
}

/// The job's number and its folder, from what submit has said so far.
func submittedJob(in text: String) -> (id: String, run: String)? {
    text.firstMatch(of: /submit: job (\d+) on \S+, in (.+)/).map { (String($0.output.1), String($0.output.2)) }
}

/// The entries of a folder, hidden ones too, sorted.
func entries(of folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

extension DemoCluster {
    /// Writes a profile on a desk that is this cluster's with other values. `nil` removes one.
    ///
    /// - Returns: its path.
    func profile(on desk: Desk, _ changes: [String: Any?]) throws -> String {
        var values = try profileValues()
        for (key, value) in changes { values[key] = value }
        return try writeProfile(values, on: desk)
    }
}

/// Writes a profile on a desk.
///
/// - Returns: its path.
func writeProfile(_ values: [String: Any], on desk: Desk) throws -> String {
    let path = desk.folder + "/profile-\(UUID().uuidString.prefix(8)).json"
    try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: path))
    return path
}
