import Slurm

/// A task of an array, as its own state files describe it.
struct TaskFiles: Sendable, Equatable {
    /// Its number in the array.
    var number: Int
    var node: String?
    var state: String?
    var exit: Int32?

    init(number: Int, node: String?) {
        self.number = number
        self.node = node
    }

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
            let earlier = tasks.updateValue(task, forKey: task.number)
            if let exit = task.exit {
                // Its script may go on for a moment.
                if earlier?.exit == nil { report(task, "ended with exit status \(exit)") }
            } else if earlier?.state == nil {
                report(task, "runs")
            }
        }
        // How Slurm ended tasks that had no time to say so themselves.
        for line in lines {
            guard case .task(let number) = line.id.part, let outcome = line.state.outcome,
                outcome != .completed && outcome != .failed, endedTasks.insert(number).inserted
            else { continue }
            let task = tasks[number] ?? TaskFiles(number: number, node: line.batchHost)
            report(task, line.state.words)
        }
    }

    /// Says which tasks have left no exit status, when the array is over.
    func reportLostTasks() {
        for task in tasks.values.sorted(by: { $0.number < $1.number })
        where task.exit == nil && endedTasks.insert(task.number).inserted {
            report(task, "was killed")
        }
    }

    private func report(_ task: TaskFiles, _ words: String) {
        console.report(
            .task(
                job: id, task: "\(id)_\(task.number)", state: words, node: task.node,
                output: "\(run)/slurm-\(task.number).out"))
    }
}

extension StateFiles {
    /// What the tasks of an array say together: the exit status of the worst, once all that have started have one.
    init(of tasks: some Collection<TaskFiles>) {
        if !tasks.isEmpty { values["start"] = "0" }
        let statuses = tasks.sorted { $0.number < $1.number }.map(\.exit)
        guard !statuses.isEmpty, !statuses.contains(nil) else { return }
        let worst = statuses.compactMap(\.self).first { $0 != 0 } ?? 0
        values["exit"] = "\(worst)"
    }
}

extension [QueueLine] {
    /// The state of an array as a whole: that of the task that has furthest to go; when all have ended, that of the first
    /// that did not end well.
    var overallState: JobState? {
        first { $0.state.isRunning }?.state ?? first { !$0.state.isEnded }?.state
            ?? first { $0.state != .completed }?.state ?? first?.state
    }
}
