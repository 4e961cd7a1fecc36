import IO
import Slurm
import Templates

/// The far side ended, or said nothing in time: what it would have answered is not known.
struct ConversationEnded: Error, CustomStringConvertible {
    let description: String
}

/// Requests and answers over a remote program that runs on a host: one at a time, in order.
actor Conversation {
    private let process: any RunningProcess
    private var decoder: AnswerDecoder
    /// The last of what others printed, which may explain why there is no answer.
    private var noise: [String] = []
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private let host: String

    private init(_ process: any RunningProcess, tag: String, host: String) {
        self.process = process
        self.host = host
        decoder = AnswerDecoder(tag: tag)
    }

    /// Starts a program on the host and talks with it as long as `body` runs.
    ///
    /// - Parameter body: is given the conversation after the program has been sent, before its first answer.
    static func with<R: Sendable>(
        _ program: RemoteProgram, on host: any Host, _ body: (Conversation) async throws -> R
    ) async throws -> R {
        try await host.withProcess(program.command) { process in
            let conversation = Conversation(process, tag: program.tag, host: host.name)
            return try await withErrorTail(of: process) { tail in
                do {
                    try await process.write(program.text)
                    return try await body(conversation)
                } catch let error as ConversationEnded {
                    // What the shell there complained about explains it best.
                    let complaint = tail.text
                    throw complaint.isEmpty ? error : ConversationEnded(description: "\(error): \(complaint)")
                }
            }
        }
    }

    /// Talks about one run: see `templates/remote/watch.sh` for what can be asked.
    ///
    /// - Parameters:
    ///   - task: the task of an array that it is about.
    ///   - body: is given the conversation and what the program said when it was ready.
    static func about<R: Sendable>(
        run: String, task: Int? = nil, of profile: Profile, on host: any Host,
        _ body: (Conversation, Answer) async throws -> R
    ) async throws -> R {
        let definitions = "ct_run=\(ShellWord.quote(run))\nct_task=\(task.map { "\($0)" } ?? "")\n"
        let program = RemoteProgram(.watch, of: profile, definitions: definitions)
        return try await with(program, on: host) { conversation in
            let ready = try await conversation.answer(within: patience)
            if let failure = ready.failure(on: host.name) { throw failure }
            return try await body(conversation, ready)
        }
    }

    /// Talks about many runs of one cluster: `use N` chooses the one of the job with this index.
    static func about<R: Sendable>(
        jobs: [Job], of profile: Profile, on host: any Host, _ body: (Conversation) async throws -> R
    ) async throws -> R {
        let cases = jobs.enumerated().map { index, job in "\(index)) ct_run=\(ShellWord.quote(job.run ?? "")) ;;" }
        let definitions = "ct_run=/\nct_task=\nct_pick() { case $1 in\n\(cases.joined(separator: "\n"))\nesac; }\n"
        let program = RemoteProgram(.watch, of: profile, definitions: definitions)
        return try await with(program, on: host) { conversation in
            let ready = try await conversation.answer(within: patience)
            if let failure = ready.failure(on: host.name) { throw failure }
            return try await body(conversation)
        }
    }

    /// Sends more of the program's standard input, such as an archive.
    func send(_ bytes: [UInt8]) async throws { try await process.write(bytes) }

    func finishSending() async throws { try await process.finishWriting() }

    /// Asks and waits for the answer.
    func ask(_ request: String) async throws -> Answer {
        await take()
        defer { give() }
        do {
            try await process.write(Array((request + "\n").utf8))
        } catch let error as IOError where error.code == .brokenPipe {
            // It has ended: what it said last is yet to be read.
        }
        return try await readAnswer(within: Self.patience)
    }

    /// The next answer, without asking.
    ///
    /// - Parameter limit: how long it may take between any two pieces of it; nil for as long as the link lives.
    func answer(within limit: Duration? = nil) async throws -> Answer {
        await take()
        defer { give() }
        return try await readAnswer(within: limit)
    }

    /// The next bytes after the last answer, as they are, of a program whose last answer announces data; none at their end.
    func data() async throws -> [UInt8] {
        let rest = decoder.takeRest()
        return rest.isEmpty ? try await process.read(upTo: 1 << 18) : rest
    }

    /// How long a request may go without a word: longer than Slurm's own commands wait for their controller.
    private static let patience: Duration = .seconds(180)

    private func readAnswer(within limit: Duration?) async throws -> Answer {
        var answer = Answer()
        while true {
            while let item = decoder.next() {
                switch item {
                case .line("done", let outcome):
                    answer.outcome = outcome
                    return answer
                case .line(let key, let value): answer.lines.append((key, value))
                case .bytes(let key, let bytes, let total): answer.streams[key] = (bytes, total)
                case .noise(let line): noise = noise.suffix(4) + [line]
                }
            }
            let bytes = try await read(within: limit)
            guard !bytes.isEmpty else {
                let said = noise.isEmpty ? "" : "; it said: " + noise.joined(separator: " / ")
                throw ConversationEnded(description: "the program on \(host) ended early" + said)
            }
            decoder.feed(bytes)
        }
    }

    private func read(within limit: Duration?) async throws -> [UInt8] {
        guard let limit else { return try await process.read(upTo: 1 << 18) }
        let silence = ConversationEnded(description: "\(host) gave no answer within \(limit.components.seconds) s")
        return try await withTimeout(limit, or: silence) { [process] in try await process.read(upTo: 1 << 18) }
    }

    /// One request at a time; an actor alone would let a second one in while the first waits.
    private func take() async {
        if isBusy { await withCheckedContinuation { waiting.append($0) } }
        isBusy = true
    }

    private func give() {
        // The next one takes over while it is still busy, so that nobody gets in between.
        if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().resume() }
    }
}
