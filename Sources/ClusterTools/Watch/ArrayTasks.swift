import Slurm

/// A task of an array, as its own state files describe it.
struct TaskFiles: Sendable, Equatable {
    /// Its number in the array.
    var number: Int
    var node: String?
    var state: String?
    var exit: Int32?

    /// - Parameter line: `NUMBER|NODE|STATE|EXIT`, as the remote program sends it.
    init?(line: String) {
        let parts = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let number = Int(parts[0]) else { return nil }
        self.number = number
        node = parts[1].isEmpty ? nil : parts[1]
        state = parts[2].isEmpty ? nil : parts[2]
        exit = Int32(parts[3])
    }
}

extension JobWatch {
    /// What the tasks' own files say.
    func taskStates(_ conversation: Conversation) async throws -> [TaskFiles] {
        try await conversation.ask("tasks").all("task").compactMap(TaskFiles.init(line:)).sorted {
            $0.number < $1.number
        }
    }

    /// Says what became of each task since it was last looked at, and where its output is.
    func reportTasks(_ lines: [QueueLine], _ conversation: Conversation) async throws {
        for task in try await taskStates(conversation) where tasks[task.number] != task {
            let wasStarted = tasks[task.number]?.state != nil
            tasks[task.number] = task
            let words: String
            if let exit = task.exit {
                words = "ended with exit status \(exit)"
            } else if !wasStarted {
                words = "runs"
            } else {
                continue
            }
            console.report(
                .task(
                    job: id, task: "\(id)_\(task.number)", state: words, node: task.node,
                    output: "\(run)/slurm-\(task.number).out"))
        }
    }
}

extension Ending {
    /// How an array ended: as its worst task did.
    ///
    /// - Parameter state: the worst state of its tasks in the queue, if the queue still knows them.
    init(tasks: [TaskFiles], state: JobState?) {
        var files = StateFiles()
        let statuses = tasks.compactMap(\.exit)
        if let worst = statuses.first(where: { $0 != 0 }) ?? statuses.first { files.values["exit"] = "\(worst)" }
        self.init(state: state, files: files)
    }
}

extension [QueueLine] {
    /// The state of an array as a whole: that of the task that has furthest to go, and of the worst when all have ended.
    var overallState: JobState? {
        first { $0.state.isRunning }?.state ?? first { !$0.state.isEnded }?.state
            ?? first { $0.state != .completed }?.state ?? first?.state
    }
}
