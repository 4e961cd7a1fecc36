internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A serial executor with a thread of its own, which runs jobs and sleeps in `poll(2)` when it has none.
///
/// Actors that name it as their executor run on its thread, and so does all their input and output: any number of actors
/// and descriptors may share one loop. A task that prefers it runs there between their calls too, without a change of
/// threads for each of them. The thread starts with the first need for it and ends with the last reference
/// to the loop, or with ``stop()``.
public final class PollLoop: SerialExecutor, TaskExecutor, Sendable {
    private let core: PollLoopCore

    public init() throws {
        core = try PollLoopCore()
        core.setOwner(self)
    }

    deinit { core.stop() }

    public func enqueue(_ job: consuming ExecutorJob) {
        core.enqueue(UnownedJob(job))
    }

    public func checkIsolated() {
        precondition(core.isCurrentThread, "not on the poll loop's thread")
    }

    /// Ends the thread when every job enqueued so far has run. Whoever waits for a descriptor, or comes to, gets an error.
    ///
    /// A job that comes later still runs: it starts the thread again.
    public func stop() { core.stop() }

    /// Waits until `fd` has something to read, has ended or has failed. Throws when cancelled, or when the loop stops.
    public func readable(_ fd: CInt) async throws {
        try await ready(fd, Int16(POLLIN))
    }

    /// Waits until `fd` takes bytes, or has failed. Throws when cancelled, or when the loop stops.
    public func writable(_ fd: CInt) async throws {
        try await ready(fd, Int16(POLLOUT))
    }

    /// Lets whatever else is ready run first: to be called on the loop, between steps of something long.
    ///
    /// `Task.yield()` is no substitute: it takes the way over another thread.
    public func turn() async { await core.turn() }

    private func ready(_ fd: CInt, _ events: Int16) async throws {
        let outcome = OneShot<Void>()
        let id = try core.watch(fd, events, outcome)
        // Listed no longer than somebody waits: the number may belong to another file soon.
        defer { core.unwatch(id) }
        try await outcome.value()
    }
}

/// What the loop's thread works with. The thread keeps this alive and not the loop itself, whose end is its signal to end.
private final class PollLoopCore: Sendable {
    struct Watcher {
        var fd: CInt
        var events: Int16
        var outcome: OneShot<Void>
    }

    struct State {
        var jobs: [UnownedJob] = []
        /// Those who let the others go first.
        var yielding: [UnsafeContinuation<Void, Never>] = []
        var watchers: [UInt64: Watcher] = [:]
        var nextWatcher: UInt64 = 0
        var isRunning = false
        var isStopping = false
        /// The thread is in poll(2), or about to be: it takes a byte in the pipe to bring it back.
        var isAsleep = false
    }

    private struct WeakLoop { weak var loop: PollLoop? }

    private let state = Mutex(State())
    private let owner = Mutex(WeakLoop())
    private let thread = Atomic<UInt>(0)
    private let wakePipe: (read: CInt, write: CInt)

    init() throws {
        wakePipe = try makePipe()
        try setNonBlocking(wakePipe.read)
        try setNonBlocking(wakePipe.write)
    }

    deinit {
        _ = close(wakePipe.read)
        _ = close(wakePipe.write)
    }

    func setOwner(_ loop: PollLoop) {
        owner.withLock { $0.loop = loop }
    }

    var isCurrentThread: Bool { thread.load(ordering: .relaxed) == currentThreadID() }

    func enqueue(_ job: UnownedJob) {
        change { $0.jobs.append(job) }
    }

    func turn() async {
        await withUnsafeContinuation { continuation in change { $0.yielding.append(continuation) } }
    }

    /// Gives the number to ``unwatch(_:)`` by.
    func watch(_ fd: CInt, _ events: Int16, _ outcome: OneShot<Void>) throws -> UInt64 {
        let id = change { state -> UInt64? in
            guard !state.isStopping else { return nil }
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = Watcher(fd: fd, events: events, outcome: outcome)
            return state.nextWatcher
        }
        guard let id else { throw PollLoopCore.stopped }
        return id
    }

    private static var stopped: IOError { IOError(.closed, "the event loop was stopped") }

    func unwatch(_ id: UInt64) {
        // The thread may go on polling for it until it wakes up for something else: a spurious wake-up at worst.
        state.withLock { _ = $0.watchers.removeValue(forKey: id) }
    }

    func stop() {
        let (watchers, isAsleep) = state.withLock { state in
            state.isStopping = true
            defer {
                state.watchers.removeAll()
                state.isAsleep = false
            }
            return (state.watchers.values.map(\.outcome), state.isAsleep)
        }
        for outcome in watchers { outcome.deliver(.failure(PollLoopCore.stopped)) }
        if isAsleep { wake() }
    }

    /// Changes the state and sees to it that the thread notices.
    private func change<Value>(_ body: (inout State) -> Value) -> Value {
        let (value, mustStart, mustWake) = state.withLock { state in
            let value = body(&state)
            defer {
                state.isRunning = true
                state.isAsleep = false
            }
            return (value, !state.isRunning, state.isAsleep)
        }
        if mustStart { startThread { self.run() } }
        if mustWake { wake() }
        return value
    }

    private func wake() {
        var byte: UInt8 = 1
        // A full pipe is fine: then there is a byte to wake up for.
        _ = write(wakePipe.write, &byte, 1)
    }

    // MARK: On the thread

    /// How long a descriptor that is ready waits for jobs: many times what it takes to look at some hundred of them.
    private static let patience = Duration.microseconds(200)

    private enum Turn {
        case run([UnownedJob], yielding: [UnsafeContinuation<Void, Never>])
        case poll([UInt64: Watcher], timeout: CInt)
        case end
    }

    private func run() {
        thread.store(currentThreadID(), ordering: .relaxed)
        // Jobs that follow each other for ever must not starve the descriptors.
        var lastPoll = ContinuousClock.now
        while true {
            switch nextTurn(isPollDue: .now - lastPoll >= PollLoopCore.patience) {
            case .run(let jobs, let yielding):
                perform(jobs)
                for continuation in yielding { continuation.resume() }
            case .poll(let watchers, let timeout):
                wait(for: watchers, timeout: timeout)
                lastPoll = .now
            case .end: return
            }
        }
    }

    private func nextTurn(isPollDue: Bool) -> Turn {
        state.withLock { state in
            if !state.jobs.isEmpty || !state.yielding.isEmpty {
                // Nobody wakes a thread that has jobs, so it must not sleep.
                if isPollDue { return .poll(state.watchers, timeout: 0) }
                defer {
                    state.jobs.removeAll(keepingCapacity: true)
                    state.yielding.removeAll(keepingCapacity: true)
                }
                return .run(state.jobs, yielding: state.yielding)
            }
            if state.isStopping, state.watchers.isEmpty {
                state.isRunning = false
                return .end
            }
            state.isAsleep = true
            return .poll(state.watchers, timeout: -1)
        }
    }

    private func perform(_ jobs: [UnownedJob]) {
        // Held for as long as jobs run on it, since a job may drop the last other reference.
        // A job's actor keeps its executor, so there is one while there are jobs.
        guard let loop = owner.withLock({ $0.loop }) else { preconditionFailure("a job outlived its executor") }
        let executors = (loop.asUnownedSerialExecutor(), loop.asUnownedTaskExecutor())
        for job in jobs { job.runSynchronously(isolatedTo: executors.0, taskExecutor: executors.1) }
    }

    private func wait(for watchers: [UInt64: Watcher], timeout: CInt) {
        let ids = Array(watchers.keys)
        var set = [pollfd(fd: wakePipe.read, events: Int16(POLLIN), revents: 0)]
        set += watchers.values.map { pollfd(fd: $0.fd, events: $0.events, revents: 0) }
        let count = poll(&set, nfds_t(set.count), timeout)
        state.withLock { $0.isAsleep = false }
        guard count > 0 else { return }
        if set[0].revents != 0 { drainWakePipe() }
        for (id, entry) in zip(ids, set.dropFirst()) where entry.revents != 0 {
            let watcher = state.withLock { $0.watchers.removeValue(forKey: id) }
            // An error or a hang-up counts as ready too: the next read or write says what happened.
            watcher?.outcome.deliver(.success(()))
        }
    }

    private func drainWakePipe() {
        var sink = [UInt8](repeating: 0, count: 64)
        while read(wakePipe.read, &sink, sink.count) > 0 {}
    }
}
