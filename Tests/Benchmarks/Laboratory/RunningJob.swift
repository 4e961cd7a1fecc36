import Foundation
import IO

/// A job that runs, watched by a submit that runs.
struct RunningJob: Sendable {
    let id: String
    /// Its run folder, which is on this machine.
    let run: String
    /// The profile that submit was started with; no other program is.
    let profile: String
    /// When submit was started.
    let entered: ContinuousClock.Instant
    /// Its TensorBoard, by submit's tunnel.
    let address: Address

    /// What `http://localhost:PORT/PATH/` says.
    struct Address: Sendable {
        var port: UInt16
        /// With a slash at its end.
        var path: String

        init(_ text: String) throws {
            guard let url = URL(string: text), let port = url.port, let number = UInt16(exactly: port) else {
                throw BenchmarkError("this is no address of a tunnel: \(text)")
            }
            self.port = number
            path = url.path().hasSuffix("/") ? url.path() : url.path() + "/"
        }

        init(port: UInt16, path: String) {
            self.port = port
            self.path = path
        }
    }

    /// Where TensorBoard itself listens, on this machine.
    func origin() throws -> Address {
        let text = try String(contentsOfFile: run + "/job/tensorboard", encoding: .utf8)
        guard let word = text.split(separator: " ").first, let port = UInt16(word) else {
            throw BenchmarkError("\(run)/job/tensorboard does not say where TensorBoard is: \(text)")
        }
        return Address(port: port, path: address.path)
    }
}

extension Laboratory {
    /// Submits a command whose TensorBoard can be reached, and lends the job until `body` ends.
    ///
    /// - Parameters:
    ///   - access: the way to the cluster; `cluster` itself, or a link to it.
    ///   - part: how much of a second by the clock has gone when submit is started; nil for at once.
    func withRunningJob<Result: Sendable>(
        on cluster: DemoCluster, over access: DemoCluster.Access, command: [String] = ["sleep", "3600"],
        within limit: Duration = .seconds(300), atPartOfSecond part: Double? = nil,
        _ body: @escaping @Sendable (RunningJob) async throws -> Result
    ) async throws -> Result {
        let repository = try await makeRepository("job")
        try await repository.fill(files: 1, ofSize: 100)
        let profile = try cluster.writeProfile(access, in: repository.folder)
        let submit = Command(
            laboratory: self, program: Programs.submit, arguments: ["--json", "-c", profile] + command,
            directory: repository.folder)
        if let part { try await awaitPartOfSecond(part) }
        let entered = ContinuousClock.now
        return try await submit.watch(within: limit) { lines in
            let submitted = try await lines.event("submitted")
            let id = submitted["job"] ?? ""
            let cancel = cluster.ssh("scancel \(id)", in: self)
            do {
                let url = try await lines.event("tensorboard")["url"] ?? ""
                let job = RunningJob(
                    id: id, run: submitted["run"] ?? "", profile: profile, entered: entered,
                    address: try RunningJob.Address(url))
                let result = try await withThrowingTaskGroup(of: Void.self) { group in
                    // Somebody has to read what it says.
                    group.addTask { while try await lines.next() != nil {} }
                    defer { group.cancelAll() }
                    return try await body(job)
                }
                try await cancel.run(within: .seconds(30))
                return result
            } catch {
                await shielded {
                    do { try await cancel.run(within: .seconds(30)) } catch { say("job \(id) may be left: \(error)") }
                }
                throw error
            }
        }
    }

    /// Waits until so much of a second by the clock has gone: what others do once a second can so meet two sides alike.
    func awaitPartOfSecond(_ part: Double) async throws {
        let wait = part - Date.now.timeIntervalSince1970.truncatingRemainder(dividingBy: 1)
        try await Task.sleep(for: .seconds(wait < 0 ? wait + 1 : wait))
    }

    /// Runs `ssh -L` to a port of the access node, and lends the port here.
    func withSSHForward<Result: Sendable>(
        over access: DemoCluster.Access, to port: UInt16, options: [String] = [],
        _ body: @escaping @Sendable (UInt16) async throws -> Result
    ) async throws -> Result {
        // A port that was free a moment ago.
        let local = try await withListener(preferredPort: nil, loop: loop) { $0.port }
        let ssh = Command(
            laboratory: self, program: "ssh",
            arguments: DemoCluster.sshOptions(access) + options + [
                "-o", "ExitOnForwardFailure=yes", "-N", "-L", "127.0.0.1:\(local):127.0.0.1:\(port)", access.hostname,
            ],
            directory: "/")
        return try await ssh.with(.seconds(600)) { [self] process in
            try await withErrorTail(of: process) { tail in
                for attempt in 0... {
                    do {
                        try await withConnection(
                            toHost: "127.0.0.1", port: local, timeout: .seconds(1), loop: loop
                        ) { _ in }
                        break
                    } catch  where attempt < 200 {
                        try await Task.sleep(for: .milliseconds(50))
                    } catch {
                        throw BenchmarkError("ssh -L does not listen: \(tail.text)")
                    }
                }
                return try await body(local)
            }
        }
    }
}
