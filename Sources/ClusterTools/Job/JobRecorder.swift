import Synchronization

/// Keeps one job's record while it is submitted and watched. A record that cannot be written (a full disk, a home that is
/// read-only) is no reason to keep a job from running: the user hears of it once.
final class JobRecorder: Sendable {
    private let store: JobStore
    private let console: Console
    private let state = Mutex(true)

    init(store: JobStore, console: Console) {
        self.store = store
        self.console = console
    }

    /// Whether the record could be written, or removed, when last tried.
    var isCurrent: Bool { state.withLock { $0 } }

    /// Writes the record in place of an earlier one.
    func save(_ job: Job) {
        // A task of an array has no record of its own.
        guard job.task == nil else { return }
        note { try store.save(job) }
    }

    /// Removes the record of a submission that became no job.
    func remove(_ job: Job) {
        note { try store.remove(job) }
    }

    private func note(_ change: () throws -> Void) {
        do {
            try change()
            state.withLock { $0 = true }
        } catch {
            let wasCurrent = state.withLock { isCurrent in
                defer { isCurrent = false }
                return isCurrent
            }
            guard wasCurrent else { return }
            console.report(.warning("\(error); later commands of cluster will not know this job as it is"))
        }
    }
}
