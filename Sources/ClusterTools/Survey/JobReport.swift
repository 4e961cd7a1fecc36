import Slurm

/// What a cluster says of one job at one moment: the queue's part and the job's own.
struct JobReport: Sendable, Equatable {
    /// Empty when the queue does not know the job.
    var queue: [QueueLine] = []
    /// Why the queue could not be asked.
    var queueProblem: String?
    var files = StateFiles()
    /// The tasks of an array that have begun.
    var tasks: [TaskFiles] = []
    var isRunFolderGone = false

    /// The reports in an answer of `templates/remote/jobs.sh` to `poll`, by the jobs' keys.
    ///
    /// - Parameter jobs: those that were asked about, with whether a later job has the same number.
    static func all(in answer: Answer, about jobs: [(job: Job, isSuperseded: Bool)]) -> [String: JobReport] {
        var reports: [String: JobReport] = [:]
        var files: [String: [String]] = [:]
        var shared: [QueueLine] = []
        var problem: String?
        var key: String?
        for line in answer.lines {
            switch (line.key, key) {
            case ("job", _):
                key = line.value
                reports[line.value] = reports[line.value] ?? JobReport()
            case ("queue-problem", _): problem = line.value
            case ("queue", let key):
                guard let entry = queueLine(line.value) else { break }
                if let key { reports[key]?.queue.append(entry) } else { shared.append(entry) }
            case ("file", let key?): files[key, default: []].append(line.value)
            case ("task", let key?): if let task = TaskFiles(line: line.value) { reports[key]?.tasks.append(task) }
            case ("missing", let key?): reports[key]?.isRunFolderGone = true
            default: break
            }
        }
        for (job, isSuperseded) in jobs where reports[job.key] != nil {
            reports[job.key]?.files = StateFiles(lines: files[job.key] ?? [])
            reports[job.key]?.queueProblem = problem
            if !isSuperseded { reports[job.key]?.queue += shared.filter { $0.id.isPart(of: job) } }
        }
        return reports
    }

    /// A line of the queue. One that is none, such as a site's remark, is passed over.
    private static func queueLine(_ text: String) -> QueueLine? {
        do { return try QueueLine(text) } catch { return nil }
    }
}

extension JobID {
    /// Whether this is the job, or some of its tasks.
    fileprivate func isPart(of job: Job) -> Bool {
        guard let id = job.id.flatMap({ JobID($0) }), id.number == number else { return false }
        switch (part, job.task) {
        case (_, nil): return true
        case (.task(let number), let task?): return number == task
        case (.tasks(let tasks), let task?): return tasks.contains(task)
        case (.whole, _?), (.component, _?): return false
        }
    }
}
