public import IO
import SSH

/// A machine that commands run on.
///
/// What lives there (processes, connections) lives only inside a `with…` scope.
public protocol Host: Sendable {
    /// What the user calls it.
    var name: String { get }

    /// Runs a command line of the user's login shell there; see ``RemoteProgram`` for one that does not depend on which
    /// shell that is. The process is ended when `body` returns before it.
    func withProcess<R: Sendable>(
        _ command: String, _ body: (any RunningProcess) async throws -> R
    ) async throws -> R

    /// As ``withProcess(_:_:)``, with a terminal of its own for the command: what runs on it is ended, by SIGHUP, when `body`
    /// returns before it.
    func withTerminal<R: Sendable>(
        _ terminal: TerminalRequest, running command: String, _ body: (any TerminalProcess) async throws -> R
    ) async throws -> R

    /// Connects to a port of the machine's own loopback interface.
    func withStream<R: Sendable>(toPort port: UInt16, _ body: (any ByteStream) async throws -> R) async throws -> R

    /// Waits until the connection to the machine is lost, and says why; for ever where there is none to lose.
    func loss() async throws -> any Error

    /// Logs in from this machine to another that it reaches, as the same user.
    ///
    /// - Throws: ``NoWayThrough`` when this kind of host cannot do that, or the other refuses.
    func withHop<R: Sendable>(to worker: Worker, _ body: (any Host) async throws -> R) async throws -> R
}

/// The machine that a job runs on, as the job itself reported it.
public struct Worker: Sendable, Equatable {
    /// Its name or address, as seen from the access node.
    public var host: String
    /// The port of its ssh server.
    public var port: UInt16
    /// The public keys by which its ssh server proves its identity, as lines of `known_hosts` without the name.
    public var hostKeys: [String]
}

/// A hop to a worker that is not possible: the next way is to be tried.
public struct NoWayThrough: Error, CustomStringConvertible {
    public var description: String
}

/// Whether an error says that the connection to the host is gone, so that a new one may help.
public func isLinkLoss(_ error: any Error) -> Bool {
    (error as? SSHError)?.code == .linkLost || error is ConversationEnded
}
