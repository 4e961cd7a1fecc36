import IO
import SSH
import Slurm
import Templates

/// The ways from here to a port on a worker's loopback, over one connection to the access node.
struct WayToWorker: Sendable {
    let host: any Host
    /// Which loopback interface the access node's is.
    let loopback: String?
    let profile: Profile
    /// The run folder, where the relay is.
    let run: String
    let console: Console
    /// The keys by which the worker proves its identity, as the job that runs on it wrote them down.
    let hostKeys: @Sendable () async throws -> [String]

    /// Finds the first way that works and keeps it open while `body` runs.
    ///
    /// - Throws: ``NoWayThrough`` when there is none; a link loss; what `body` throws.
    func hold(_ board: Board, _ body: (Way) async throws -> Void) async throws {
        var refusals: [String] = []
        for way in ways(to: board) {
            do {
                switch way {
                case .direct, .auto: try await holdDirect(board, body)
                case .ssh: try await holdHop(board, body)
                case .srun: try await holdRelay(board, body)
                }
                return
            } catch  where !(error is CancellationError) && !isLinkLoss(error) {
                console.report(.debug("no way to TensorBoard on \(board.node) by \(way.rawValue): \(error)"))
                refusals.append("\(way.rawValue): \(error)")
            }
        }
        throw NoWayThrough(
            description: "it runs on \(board.node), and no way leads there (\(refusals.joined(separator: "; ")))")
    }

    /// In the order of their cost.
    private func ways(to board: Board) -> [TunnelPlan.Way] {
        guard profile.tunnel.way == .auto else { return [profile.tunnel.way] }
        if profile.scheduler == .none || board.loopback == loopback { return [.direct] }
        return [.ssh, .srun]
    }

    /// The worker and the access node are one machine.
    private func holdDirect(_ board: Board, _ body: (Way) async throws -> Void) async throws {
        let host = host
        try await hold(Way { stream in try await host.withStream(toPort: board.port, stream) }, body)
    }

    /// A login from the access node to the worker, as a session inside the session.
    private func holdHop(_ board: Board, _ body: (Way) async throws -> Void) async throws {
        let worker = Worker(
            host: profile.tunnel.host(ofNode: board.node), port: UInt16(profile.tunnel.port),
            hostKeys: try await hostKeys())
        try await host.withHop(to: worker) { hop in
            try await hold(
                Way(
                    open: { stream in try await hop.withStream(toPort: board.port, stream) },
                    end: { try await hop.loss() }), body)
        }
    }

    /// A step of the job that relays.
    private func holdRelay(_ board: Board, _ body: (Way) async throws -> Void) async throws {
        guard let python = board.python else {
            throw NoWayThrough(description: "the job did not say where its Python is")
        }
        let definitions = """
            ct_run=\(ShellWord.quote(run))
            ct_id=\(ShellWord.quote(board.jobID))
            ct_node=\(ShellWord.quote(board.node))
            ct_python=\(ShellWord.quote(python))
            ct_port=\(board.port)

            """
        let program = RemoteProgram(.step, of: profile, definitions: definitions)
        try await host.withProcess(program.command) { process in
            try await withErrorTail(of: process) { tail in
                do {
                    try await process.write(program.text)
                    try await RelayClient.withRelay(over: process) { relay in
                        try await hold(
                            Way(open: { stream in try await relay.withStream(stream) }, end: { try await relay.end() }),
                            body)
                    }
                } catch  where !isLinkLoss(error) && !(error is CancellationError) && !tail.text.isEmpty {
                    throw NoWayThrough(description: "\(error): \(tail.text)")
                }
            }
        }
    }

    /// Offers a way when it has carried a stream once.
    private func hold(_ way: Way, _ body: (Way) async throws -> Void) async throws {
        try await withTimeout(.seconds(20), or: NoWayThrough(description: "no answer within 20 s")) {
            try await way.open { _ in }
        }
        try await body(way)
    }
}

/// A way that works.
struct Way: Sendable {
    /// Opens one stream to TensorBoard.
    let open: Tunnel.Route
    /// Waits until the way itself ends, before its connection does, and says why. Nil for one that never does.
    var end: (@Sendable () async throws -> any Error)?
}
