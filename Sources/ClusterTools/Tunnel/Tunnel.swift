import IO

/// A loopback port here that reaches the TensorBoard, or the notebook, of a job for as long as it is watched, over whatever connection there is.
///
/// Who owns what: the listener belongs to ``serve()`` and outlives connections, so the address that the user clicked stays
/// right; the route belongs to ``keepRoute(_:)`` and ends with its connection.
final class Tunnel: Sendable {
    /// Opens one stream to TensorBoard for as long as the closure runs.
    typealias Route = @Sendable (_ body: @Sendable (any ByteStream) async throws -> Void) async throws -> Void

    private let board = Beacon<Board?>(nil)
    private let route = Beacon<Route?>(nil)
    /// What became of it, for whoever waits for that.
    enum Outcome: Sendable, Equatable {
        case address(String)
        case refused(reason: String)
    }
    let outcome = Beacon<Outcome?>(nil)
    private let service: WebService
    private let console: Console
    private let loop: PollLoop

    /// How long a browser's connection waits for a link that is down.
    private static let patience: Duration = .seconds(20)

    init(to service: WebService = .tensorboard, console: Console, loop: PollLoop) {
        self.service = service
        self.console = console
        self.loop = loop
    }

    /// Says where TensorBoard is. It may be elsewhere later, when the job was requeued.
    func offer(_ board: Board) {
        if self.board.value != board { self.board.set(board) }
    }

    /// Listens here and passes connections on, from when there is a TensorBoard until it is cancelled.
    func serve() async throws {
        let first = try await board.first { $0 }
        // The same number as there, when it is free: a page that is open in the browser survives a new submit.
        try await withListener(preferredPort: first.port, loop: loop) { listener in
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await self.announce(port: listener.port) }
                while true {
                    let connection = try await listener.accept()
                    // Every byte comes and goes on the loop's thread.
                    group.addTask(executorPreference: loop) { await self.pass(connection) }
                }
            }
        }
    }

    /// Prints the address, once it can be reached, and again when its secret changes.
    private func announce(port: UInt16) async throws {
        var announced: String?
        while true {
            _ = try await route.first { $0 }
            let secret = try await board.first { board in board.flatMap { $0.secret == announced ? nil : $0.secret } }
            _ = try await route.first { $0 }
            announced = secret
            let address = "http://localhost:\(port)/\(service.path(secret: secret))"
            console.report(.board(service, url: address))
            outcome.set(.address(address))
        }
    }

    /// There is no TensorBoard, or no way to it.
    func refuse(_ reason: String) {
        console.report(.noBoard(service, reason: reason))
        outcome.set(.refused(reason: reason))
    }

    /// Joins one connection with a stream to TensorBoard.
    private func pass(_ connection: Descriptor) async {
        do {
            let open = try await withTimeout(Self.patience, or: NoWayThrough(description: "the link is down")) {
                try await self.route.first { $0 }
            }
            try await open { stream in try await relay(connection, stream) }
        } catch {
            // The browser sees its connection end, as it would with a server that is gone.
            console.report(.debug("a connection to TensorBoard ended: \(error)"))
        }
        await connection.close()
    }

    /// Keeps a way to the job's TensorBoard open over one connection, until that ends.
    func keepRoute(_ worker: WayToWorker) async throws {
        var told: Board?
        while true {
            let current = try await board.first { $0 }
            var hasWorked = false
            do {
                try await worker.hold(current) { way in
                    hasWorked = true
                    self.route.set(way.open)
                    defer { self.route.set(nil) }
                    try await self.waitForEnd(of: way, to: current)
                }
            } catch let error as NoWayThrough {
                // What broke, as a step of a job can, is to be had again at once; what never worked may work later.
                if !hasWorked && told != current {
                    told = current
                    refuse(error.description)
                }
                try await Task.sleep(for: hasWorked ? .seconds(2) : .seconds(60))
            }
        }
    }

    /// Waits until the job's TensorBoard is another one, or the way breaks.
    private func waitForEnd(of way: Way, to current: Board) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await self.board.first { $0 == current ? nil : true } }
            if let end = way.end { group.addTask { throw try await end() } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
