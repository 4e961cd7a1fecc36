import Foundation
import Testing

/// A machine with an SSH server and no scheduler, and a repository to submit there from.
struct PlainMachine: Sendable {
    let server: SSHServer
    /// Its profile leads to the machine; its runs are where those of this machine would be.
    let workplace: Workplace

    /// How long a job has there between TERM and KILL.
    static let killWait: Duration = .seconds(2)

    /// Changes a file of the job's run folder, as time or a fault would.
    func change(_ name: String, of job: (id: String, run: String), _ body: (String) -> String) throws {
        let path = job.run + "/job/" + name
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try body(text).write(toFile: path, atomically: true, encoding: .utf8)
    }
}

/// Lends a plain machine for as long as `body` takes. All of its jobs end with it.
///
/// - Parameters:
///   - place: by which transport it is reached.
///   - environment: more variables that a session there has.
///   - before: a command that starts the server.
func withPlainMachine<Result: Sendable>(
    by place: Place = .demoCluster, files: [String: String] = ["empty": ""], environment: [String: String] = [:],
    startedBy before: [String] = [], profile values: [String: any Sendable] = [:],
    _ body: @Sendable (PlainMachine) async throws -> Result
) async throws -> Result {
    try await withWorkplace(.thisMachine, files: files) { workplace in
        let desk = workplace.repository.desk
        var variables = [
            "HOME": desk.home, "PATH": "/usr/local/bin:/usr/bin:/bin",
            "CLUSTER_TOOLS_KILL_WAIT": "\(PlainMachine.killWait.components.seconds)",
        ]
        variables.merge(environment) { $1 }
        let setting = "SetEnv " + variables.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        return try await withSSHServer(on: desk, [setting], by: before) { server in
            let key = try await desk.makeSSHKey("mine")
            try server.authorize(key)
            try desk.writeSSH("known_hosts", try server.knownHost())
            let standard: [String: any Sendable] = [
                "hostname": "127.0.0.1", "port": Int(server.port), "user": NSUserName(), "ssh_key": key,
                "scheduler": "none", "untar_path": "~/cluster-tools", "transport": place.transport,
            ]
            var workplace = workplace
            workplace.profile = try writeProfile(standard.merging(values) { $1 }, on: desk)
            return try await body(PlainMachine(server: server, workplace: workplace))
        }
    }
}
