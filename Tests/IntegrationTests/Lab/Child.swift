import CLab

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A running program of a test, with everything it has written so far.
///
/// The process and its descriptors belong to this actor alone. A task of ``withChild(_:_:)`` calls ``turn()`` a hundred
/// times a second; whoever waits for something looks at what has arrived. That costs no thread, and nothing in it can block.
actor Child {
    nonisolated let launch: Launch
    nonisolated let process: pid_t
    private var readers: [Launch.Stream: Int32]
    private var inputDescriptor: Int32
    private var pendingInput: [UInt8]
    private var received: [Launch.Stream: [UInt8]] = [:]
    private(set) var status: ExitStatus?

    fileprivate init(_ launch: Launch) throws(LabError) {
        let spawned = try spawn(launch)
        self.launch = launch
        process = spawned.process
        readers = spawned.readers
        inputDescriptor = spawned.input
        pendingInput = launch.input
    }

    /// What a stream has brought so far.
    func bytes(_ stream: Launch.Stream) -> [UInt8] { received[stream] ?? [] }

    /// How the process ended, once all it wrote has been read too.
    var outcome: ExitStatus? { readers.isEmpty ? status : nil }

    /// Writes to the terminal, as keys.
    func type(_ bytes: [UInt8]) {
        pendingInput += bytes
        flush()
    }

    /// Sends a signal to the process alone, not to its group as the terminal's keys do.
    func signal(_ number: Int32) {
        if status == nil { kill(process, number) }
    }

    /// Closes the terminal, as when its window is closed: the programs on it get SIGHUP.
    func hangUp() {
        if let leader = readers.removeValue(forKey: .terminal) { close(leader) }
    }

    func resize(_ size: Launch.Size) {
        if let leader = readers[.terminal] { _ = lab_resize(leader, size.rows, size.columns) }
    }

    /// Everything written so far, for a failed test to show.
    var summary: String {
        var text =
            "\(launch.program) \(launch.arguments.joined(separator: " ")): \(status.map { "\($0)" } ?? "running")"
        for stream in Launch.Stream.allCases {
            guard let bytes = received[stream] else { continue }
            text += "\n--- \(stream) ---\n" + String(decoding: bytes.suffix(8000), as: UTF8.self)
        }
        return text
    }

    /// Moves what can be moved without waiting, and looks whether the process has ended.
    fileprivate func turn() {
        flush()
        for (stream, descriptor) in readers where !drain(descriptor, into: stream) {
            close(descriptor)
            readers[stream] = nil
        }
        if status == nil {
            var raw: Int32 = 0
            if waitpid(process, &raw, WNOHANG) == process {
                let signal = raw & 0x7f
                status = signal == 0 ? .exited((raw >> 8) & 0xff) : .signaled(signal)
            }
        }
    }

    private func flush() {
        let leader = readers[.terminal]
        let descriptor = leader ?? inputDescriptor
        guard descriptor >= 0 else { return }
        while !pendingInput.isEmpty {
            let written = write(descriptor, pendingInput, pendingInput.count)
            guard written > 0 else {
                // A program that reads no more is no failure of the test's.
                if errno != EAGAIN { pendingInput = [] }
                break
            }
            pendingInput.removeFirst(written)
        }
        if pendingInput.isEmpty, inputDescriptor >= 0 {
            close(inputDescriptor)
            inputDescriptor = -1
        }
    }

    /// Returns false at the end of the stream. A terminal's end is an I/O error on Linux.
    private func drain(_ descriptor: Int32, into stream: Launch.Stream) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                received[stream, default: []] += buffer[..<count]
            } else if count < 0, errno == EINTR {
                continue
            } else {
                return count < 0 && errno == EAGAIN
            }
        }
    }

    /// Ends the process and its whole session: first as a closed terminal would, after two seconds without mercy.
    fileprivate func terminate() async {
        hangUp()
        for signal in [SIGHUP, SIGTERM, SIGKILL] where status == nil {
            kill(process, signal)
            kill(-process, signal)
            let deadline = ContinuousClock.now + .seconds(2)
            while status == nil, ContinuousClock.now < deadline {
                turn()
                // The caller may have been cancelled: a plain short sleep, not one that fails.
                await Task.yield()
                usleep(5000)
            }
        }
        for descriptor in readers.values { close(descriptor) }
        readers = [:]
        if inputDescriptor >= 0 { close(inputDescriptor) }
        inputDescriptor = -1
    }
}

extension Child {
    /// Waits for the end of the program.
    nonisolated func finish(within limit: Duration) async throws -> ExitStatus {
        try await eventually("end of \(launch.program)", within: limit) {
            await summary
        } check: {
            await outcome
        }
    }
}

/// Runs a program for as long as `body` takes, and ends it if it is still running then.
func withChild<Result: Sendable>(
    _ launch: Launch, _ body: @Sendable (Child) async throws -> Result
) async throws -> Result {
    let child = try Child(launch)
    do {
        let result = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Keeps the streams moving while the body is busy elsewhere, so the program never waits for the test.
                while await child.outcome == nil {
                    await child.turn()
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            defer { group.cancelAll() }
            return try await body(child)
        }
        await child.terminate()
        return result
    } catch {
        await child.terminate()
        throw error
    }
}
