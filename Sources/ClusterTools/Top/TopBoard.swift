import IO
import Slurm
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What is known of the jobs that are looked at. Those who sample write to it, those who show it read.
final class TopBoard: Sendable {
    /// What is known of one job.
    private struct Entry {
        let job: Job
        /// The task that is looked at, and when it began.
        var placement: Placement?
        var nodes: [NodeUse] = []
        /// In place of how long it has run.
        var trouble: String?
        /// When there was last something new.
        var news = ContinuousClock.now
    }

    private let entries: Mutex<[Entry]>
    /// Fires when there is something new.
    let changed = Condition()

    /// Without news for so long something is worth being said.
    private static let patience: Duration = .seconds(10)

    init(_ jobs: [Job]) { entries = Mutex(jobs.map { Entry(job: $0) }) }

    /// - Returns: the use of a node that has become known.
    @discardableResult
    func take(_ event: JobSampling.Event, of job: Job) -> NodeUse? {
        defer { changed.signal() }
        return entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.job.key == job.key }) else { return nil }
            entries[index].trouble = nil
            entries[index].news = .now
            switch event {
            case .placed(let placement):
                entries[index].placement = placement
                return nil
            case .sample(let sample):
                guard let node = entries[index].nodes.firstIndex(where: { $0.latest.node == sample.node }) else {
                    let use = NodeUse(sample)
                    entries[index].nodes.append(use)
                    entries[index].nodes.sort { $0.latest.node < $1.latest.node }
                    return use
                }
                entries[index].nodes[node].take(sample)
                return entries[index].nodes[node]
            }
        }
    }

    /// Why nothing new comes of these jobs.
    func note(_ trouble: String, of jobs: [Job]) {
        entries.withLock { entries in
            for index in entries.indices where jobs.contains(where: { $0.key == entries[index].job.key }) {
                entries[index].trouble = trouble
            }
        }
        changed.signal()
    }

    /// Whether any sample has come.
    var hasSamples: Bool { entries.withLock { $0.contains { !$0.nodes.isEmpty } } }

    /// What is to be shown now.
    var shown: [TopTable.Entry] {
        let now = Int(time(nil))
        return entries.withLock { entries in
            entries.map { entry in
                let job = entry.placement?.job ?? entry.job
                var words = "\(job.name) on \(job.cluster)"
                if let trouble = entry.trouble {
                    words += ": \(trouble)"
                } else if case let silence = ContinuousClock.now - entry.news, silence > Self.patience {
                    words += ": no news for \(silence.components.seconds) s"
                } else if let start = entry.placement?.start {
                    words += ": running \(SlurmDuration.words(max(0, now - start)))"
                }
                return TopTable.Entry(title: job.title, words: words, nodes: entry.nodes)
            }
        }
    }

    /// What a person calls a job, the task that is looked at of an array.
    func title(of job: Job) -> String {
        entries.withLock { $0.first { $0.job.key == job.key }?.placement?.job.title } ?? job.title
    }
}
