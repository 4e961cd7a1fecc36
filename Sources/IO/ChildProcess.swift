internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// How long a child that was asked to end (TERM) has before it is made to (KILL).
private let terminationGrace = Duration.seconds(2)

/// Runs a program on this machine while `body` talks to it.
///
/// The child starts with default signal actions, no signal blocked, and no descriptor of ours but its three streams.
/// When `body` leaves with the child alive, its streams close, it gets TERM and, two seconds later, KILL; with
/// `newSession` its whole process group does. It has always been waited for when this returns.
///
/// - Parameters:
///   - executable: A path, or a name that is looked up in PATH.
///   - arguments: Without the program's own name.
///   - environment: All of the child's variables; nil for ours.
///   - directory: Where it starts; nil for where we are.
///   - newSession: Whether it leads a session and a process group of its own, without a terminal.
/// - Throws: ``IOError`` with code `spawnFailed` when it cannot be started; what `body` throws.
public func withChildProcess<R>(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil, directory: String? = nil,
    newSession: Bool = false, loop: PollLoop, _ body: (any RunningProcess) async throws -> R
) async throws -> R {
    let child = try ChildProcess(
        executable, arguments, environment: environment, directory: directory, newSession: newSession, loop: loop)
    do {
        let result = try await body(child)
        await shielded { await child.end() }
        return result
    } catch {
        await shielded { await child.end() }
        throw error
    }
}

/// As ``withChildProcess(_:_:environment:directory:newSession:loop:_:)``, with a new pseudo-terminal for its streams: it leads a
/// session whose terminal that is, and gets HUP, TERM and KILL when `body` leaves with it alive.
public func withChildProcess<R>(
    _ executable: String, _ arguments: [String], on terminal: TerminalRequest, loop: PollLoop,
    _ body: (any TerminalProcess) async throws -> R
) async throws -> R {
    let child = try ChildProcess(executable, arguments, on: PseudoTerminal(terminal, loop: loop))
    do {
        let result = try await body(child)
        await shielded { await child.end() }
        return result
    } catch {
        await shielded { await child.end() }
        throw error
    }
}

/// A child process: its streams, and how it ended.
private final class ChildProcess: TerminalProcess {
    private enum Life {
        case running
        case ended(ExitStatus)
    }

    private let pid: pid_t
    private let leadsGroup: Bool
    private let streams: Descriptor
    /// Nil on a terminal.
    private let errors: Descriptor?
    private let terminal: PseudoTerminal?
    private let exit = Condition()
    /// Changes to `ended` when the child is reaped, in one step with the reaping: only a process that is `running` here
    /// may get a signal, for afterwards its number may be somebody else's.
    private let life = Mutex(Life.running)

    init(
        _ executable: String, _ arguments: [String], environment: [String: String]?, directory: String?,
        newSession: Bool, loop: PollLoop
    ) throws {
        let spawned = try spawn(
            executable, arguments, environment: environment, directory: directory, newSession: newSession)
        pid = spawned.pid
        leadsGroup = newSession
        streams = try Descriptor(reading: spawned.output, writing: spawned.input, loop: loop)
        errors = try Descriptor(reading: spawned.errors, writing: nil, loop: loop)
        terminal = nil
        // A thread that waits is the one way to hear of a child's end that is the same on all systems, needs no signal
        // handler of the whole process, and disturbs no other code's children.
        startThread { self.reap() }
    }

    init(_ executable: String, _ arguments: [String], on terminal: PseudoTerminal) throws {
        pid = try spawn(executable, arguments, terminal: terminal.name)
        leadsGroup = true
        streams = terminal.stream
        errors = nil
        self.terminal = terminal
        startThread { self.reap() }
    }

    func read(upTo limit: Int) async throws -> [UInt8] {
        if let terminal { return try await terminal.read(upTo: limit) }
        return try await streams.read(upTo: limit)
    }
    func readError(upTo limit: Int) async throws -> [UInt8] { try await errors?.read(upTo: limit) ?? [] }
    func write(_ bytes: [UInt8]) async throws { try await streams.write(bytes) }
    func finishWriting() async throws {
        // A terminal has a key for that.
        if terminal == nil { await streams.finishWriting() }
    }
    func resize(_ size: TerminalSize) async throws { try terminal?.resize(size) }

    func exitStatus() async throws -> ExitStatus {
        while true {
            let generation = exit.generation
            if case .ended(let status) = life.withLock({ $0 }) { return status }
            try await exit.wait(after: generation)
        }
    }

    private func reap() {
        var info = siginfo_t()
        // Leaves it a zombie, so that its number stays its own until it is really reaped below.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        life.withLock { life in
            var status: CInt = 0
            let reaped = waitpid(pid, &status, 0)
            life = .ended(reaped == pid ? ExitStatus(waitStatus: status) : .unknown)
        }
        exit.signal()
    }

    private func send(_ signal: CInt) {
        life.withLock { life in
            guard case .running = life else { return }
            _ = kill(leadsGroup ? -pid : pid, signal)
        }
    }

    /// Ends the child if it has not ended by itself, and waits for its end.
    func end() async {
        // All that runs on a terminal gets HUP when it closes.
        await terminal?.close()
        await streams.close()
        await errors?.close()
        send(SIGTERM)
        do {
            let late = IOError(.timedOut, "the child did not end")
            _ = try await withTimeout(terminationGrace, or: late) { try await self.exitStatus() }
        } catch {
            send(SIGKILL)
            // Cannot fail: this task is not cancelled, and nobody survives KILL.
            _ = try? await exitStatus()
        }
    }
}

extension ExitStatus {
    /// From what waitpid(2) reports.
    fileprivate init(waitStatus status: CInt) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited((status >> 8) & 0xff) : .signaled(signalName(signal))
    }
}

/// The name of a signal without SIG, as ssh and kill(1) spell it; its number where it has no name here.
private func signalName(_ number: CInt) -> String {
    let names: [CInt: String] = [
        SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGILL: "ILL", SIGTRAP: "TRAP", SIGABRT: "ABRT", SIGBUS: "BUS",
        SIGFPE: "FPE", SIGKILL: "KILL", SIGUSR1: "USR1", SIGSEGV: "SEGV", SIGUSR2: "USR2", SIGPIPE: "PIPE",
        SIGALRM: "ALRM", SIGTERM: "TERM", SIGXCPU: "XCPU", SIGXFSZ: "XFSZ", SIGSYS: "SYS",
    ]
    return names[number] ?? String(number)
}
