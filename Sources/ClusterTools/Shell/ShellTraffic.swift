import IO
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Carries what is typed and printed between this process's own streams and a process in a job, until that ends.
struct ShellTraffic: Sendable {
    /// How it ended.
    enum End: Sendable, Equatable {
        case status(Int32)
        /// The kept shell goes on.
        case left
        /// There is no kept shell.
        case gone
        /// Nobody reads its output here any more.
        case unread
        /// `~.`
        case abandoned
        /// It never began; what was said instead.
        case neverBegan(String)
        /// The process ended, and did not say how what ran there has.
        case cut
    }

    private enum Part { case output(End), errors(End), left, over }

    let process: any RunningProcess
    let tag: String
    /// Nil for three streams.
    let terminal: UserTerminal?
    let loop: PollLoop

    /// What was asked for runs; and the terminal is ready for what it says.
    private let hasBegun = Beacon(false)
    private let isReady = Beacon(false)

    init(process: any RunningProcess, tag: String, terminal: UserTerminal?, loop: PollLoop) {
        self.process = process
        self.tag = tag
        self.terminal = terminal
        self.loop = loop
    }

    /// - Parameter begun: called when what was asked for runs.
    func run(begun: @escaping @Sendable () -> Void) async throws -> End {
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                .output(
                    try await output(to: STDOUT_FILENO, { try await process.read(upTo: $0) }) {
                        begun()
                        hasBegun.set(true)
                        _ = try await isReady.first { $0 ? true : nil }
                    })
            }
            if terminal == nil {
                group.addTask {
                    .errors(try await output(to: STDERR_FILENO, { try await process.readError(upTo: $0) }) {})
                }
            }
            group.addTask {
                _ = try await hasBegun.first { $0 ? true : nil }
                return try await type() ? .left : .over
            }
            defer { group.cancelAll() }
            var ends: (output: End?, errors: End?) = (nil, terminal == nil ? nil : .cut)
            while let part = try await group.next() {
                switch part {
                case .left: return .abandoned
                case .output(.unread): return .unread
                case .output(let end): ends.output = end
                case .errors(let end): ends.errors = end
                case .over: break
                }
                guard let output = ends.output, let errors = ends.errors else { continue }
                // Why it never began is on its standard error.
                if case .neverBegan(let words) = output, case .neverBegan(let complaint) = errors, words.isEmpty {
                    return .neverBegan(complaint)
                }
                return output
            }
            return .cut
        }
    }

    /// Sends what is typed, to a terminal that is all theirs, and says how large that is.
    ///
    /// - Returns: whether the user wants to leave.
    private func type() async throws -> Bool {
        guard let terminal, let process = process as? any TerminalProcess else {
            isReady.set(true)
            return try await input()
        }
        return try await terminal.hold(.raw) {
            isReady.set(true)
            return try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask { try await input() }
                group.addTask {
                    // It may have changed since it was asked for.
                    while true {
                        try await process.resize(terminal.size)
                        try await terminal.changed.wait()
                    }
                }
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
        }
    }

    /// Prints one stream until it, or what runs there, ends.
    ///
    /// - Parameter begun: called before what runs there prints anything.
    private func output(
        to descriptor: CInt, _ read: @Sendable (Int) async throws -> [UInt8], begun: @Sendable () async throws -> Void
    ) async throws -> End {
        let writer = OutputWriter(descriptor: descriptor, loop: loop)
        var marks = ShellMarks(tag: tag)
        var isOwn = false
        while true {
            let bytes = try await read(1 << 16)
            var (output, found) = bytes.isEmpty ? (marks.finish(), []) : marks.feed(bytes)
            if found.contains(.begun) {
                isOwn = true
                try await begun()
            }
            do {
                while !output.isEmpty { output.removeFirst(try await writer.write(output[...])) }
            } catch is OutputWriter.Closed {
                return .unread
            }
            for mark in found {
                switch mark {
                case .begun: break
                case .ended(let status): return .status(status)
                case .left: return .left
                case .lost: return .cut
                case .gone: return .gone
                }
            }
            guard bytes.isEmpty else { continue }
            guard !isOwn else { return .cut }
            let words = String(decoding: marks.preamble, as: UTF8.self).split(whereSeparator: \.isNewline)
            return .neverBegan(words.suffix(8).joined(separator: "\n"))
        }
    }

    /// Sends what is typed, or comes, until the end of it.
    ///
    /// - Returns: whether the user wants to leave.
    private func input() async throws -> Bool {
        var escape = EscapeKeys()
        var buffer = [UInt8](repeating: 0, count: 1 << 15)
        while true {
            try await loop.readable(STDIN_FILENO)
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            // A terminal that is gone fails, and there is nobody at it.
            guard count > 0 else {
                try await process.finishWriting()
                return terminal != nil
            }
            guard let terminal else {
                do {
                    try await process.write(Array(buffer[..<count]))
                } catch let error as IOError where error.code == .brokenPipe {
                    // It reads no more; what it prints still counts.
                    return false
                }
                continue
            }
            let (keys, request) = escape.feed(buffer[..<count])
            if !keys.isEmpty { try await process.write(keys) }
            switch request {
            case .leave: return true
            case .help: terminal.put(EscapeKeys.help)
            case nil: break
            }
        }
    }
}
