import IO
import Slurm
import Templates

/// Samples what one job uses on all of its nodes: one program there for as long as the link lives.
struct JobSampling: Sendable {
    let job: Job
    let profile: Profile
    /// In seconds.
    let interval: Int
    /// How many samples of each node; 0 for as many as there are until the job ends.
    let count: Int

    enum Event: Sendable {
        /// Where it runs was found out.
        case placed(Placement)
        case sample(NodeSample)
    }

    /// After a sampler that ended although the job goes on, as when a step could not be started.
    private static let pause: Duration = .seconds(3)

    /// Samples until there are enough, or the job ends.
    ///
    /// - Throws: ``Failure`` when the job does not run, or cannot be looked at; a link loss.
    func run(on host: any Host, _ take: @Sendable (Event) -> Void) async throws {
        var failures = 0
        while true {
            let placement = try await Placement.find(job, of: profile, on: host)
            take(.placed(placement))
            let program = program(for: placement)
            let (isOver, hasSamples, words) = try await host.withProcess(program.command) { process in
                try await withErrorTail(of: process) { tail in
                    try await process.write(program.text)
                    let (isOver, hasSamples) = try await read(process, tag: program.tag, take)
                    return (isOver, hasSamples, tail.text)
                }
            }
            if isOver || hasSamples && count > 0 { return }
            failures = hasSamples ? 0 : failures + 1
            guard failures < 3 else {
                throw Failure(
                    Exit.unavailable, "what job \(placement.job.title) uses cannot be found out",
                    why: words.isEmpty ? "the program on \(placement.nodes.first ?? host.name) said nothing" : words)
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// - Returns: whether the job has ended by its own word, and whether there was any sample.
    private func read(
        _ process: any RunningProcess, tag: String, _ take: @Sendable (Event) -> Void
    ) async throws -> (isOver: Bool, hasSamples: Bool) {
        var decoder = AnswerDecoder(tag: tag, streamKeys: [])
        var reader = SampleReader(hasScheduler: profile.scheduler == .slurm)
        var problem: String?
        var hasSamples = false
        while case let bytes = try await process.read(upTo: 1 << 16), !bytes.isEmpty {
            decoder.feed(bytes)
            while let item = decoder.next() {
                guard case .line(let key, let value) = item else { continue }
                switch key {
                case "over": return (true, hasSamples)
                case "problem": problem = value
                case "done":
                    throw Failure(Exit.unavailable, problem ?? "what job \(job.title) uses cannot be found out")
                default:
                    guard let sample = reader.read(key: key, value: value) else { continue }
                    hasSamples = true
                    take(.sample(sample))
                }
            }
        }
        return (false, hasSamples)
    }

    private func program(for placement: Placement) -> RemoteProgram {
        let sampler = RemoteProgram.text(of: .gpus, .sample)
        return RemoteProgram(
            .top, of: profile,
            definitions: """
                ct_id=\(ShellWord.quote(placement.step ?? ""))
                ct_run=\(ShellWord.quote(placement.run))
                ct_own=\(ShellWord.quote(placement.own))
                ct_nodes=\(placement.nodes.count)
                ct_interval=\(interval)
                ct_count=\(count)
                ct_sampler=\(ShellWord.quote(sampler))

                """)
    }
}
