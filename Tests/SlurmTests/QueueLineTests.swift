import Testing

@testable import Slurm

struct QueueLineTests {
    @Test func aRunningJob() throws {
        let line = try QueueLine("4242|RUNNING|None|n1|n[1-2]|1700000000|1700003600|59:30|0:30|gpu")
        #expect(line.id == JobID(number: 4242))
        #expect(line.state == .running)
        #expect(line.reason == nil)
        #expect(line.batchHost == "n1")
        #expect(line.nodes == "n[1-2]")
        #expect(line.start == 1_700_000_000)
        #expect(line.end == 1_700_003_600)
        #expect(line.timeLeft == 3570)
        #expect(line.timeUsed == 30)
        #expect(line.partition == "gpu")
    }

    @Test func aPendingJob() throws {
        let line = try QueueLine("7|PENDING|Resources|n/a||N/A|N/A|1-00:00:00|0:00|p")
        #expect(line.state.isPending)
        #expect(line.reason == "Resources")
        #expect(line.batchHost == nil)
        #expect(line.nodes == nil)
        #expect(line.start == nil)
        #expect(line.timeLeft == 86400)
        #expect(line.timeUsed == 0)
        #expect(try QueueLine("7|PENDING|Resources|n/a||Unknown|NONE|UNLIMITED|INVALID|p").timeLeft == nil)
    }

    @Test func aReasonMayContainAnything() throws {
        let reason = "Nodes required | for: é [x] (y)||"
        let line = try QueueLine("7|PENDING|\(reason)|n/a||N/A|N/A|0:00|0:00|a,b")
        #expect(line.reason == reason)
        #expect(line.partition == "a,b")
    }

    @Test func tasksOfAnArray() throws {
        let running = try QueueLine("42_1|RUNNING|None|n1|n1|1700000000|N/A|NOT_SET|1:02:03|p")
        #expect(running.id.description == "42_1" && running.timeUsed == 3723)
        let waiting = try QueueLine("42_[2-9%2]|PENDING|JobArrayTaskLimit|n/a||N/A|N/A|1:00|0:00|p")
        #expect(waiting.id.description == "42_[2-9%2]")
    }

    @Test(arguments: [
        "", "x", "abc|RUNNING|None|n1|n1|0|0|0|0|p", "7||None|n1|n1|0|0|0|0|p", "7|RUNNING|None|n1|n1|0|0|0|p",
    ])
    func otherTextIsNoJob(text: String) {
        let error = #expect(throws: SlurmError.self) { try QueueLine(text) }
        #expect(error?.code == .unreadable)
    }

    @Test(arguments: [
        ("4242", JobID.Part.whole), ("4242_3", .task(3)), ("4242_0", .task(0)), ("4242+1", .component(1)),
    ])
    func ids(text: String, part: JobID.Part) {
        #expect(JobID(text) == JobID(number: 4242, part: part))
        #expect(JobID(text)?.description == text)
    }

    @Test(arguments: [
        ("9_[3-9%2]", 7, 2, [3, 9], [2, 10]), ("9_[1,3,5-7]", 5, nil, [1, 3, 6], [2, 4, 8]),
        ("9_[0-15:4]", 4, nil, [0, 4, 12], [1, 16]), ("9_[0-1:2%10]", 1, 10, [0], [1]), ("9_[7]", 1, nil, [7], [6]),
    ])
    func waitingTasks(text: String, count: Int, limit: Int?, contained: [Int], others: [Int]) throws {
        guard case .tasks(let tasks)? = JobID(text)?.part else { throw SlurmError(.unreadable, text) }
        #expect(tasks.count == count)
        #expect(tasks.limit == limit)
        #expect(!tasks.isCutShort)
        #expect(contained.allSatisfy(tasks.contains))
        #expect(!others.contains(where: tasks.contains))
    }

    @Test(arguments: [
        ("9_[1,3,5-7,...]", 5), ("9_[1,3,5-7,...", 5), ("9_[1,3,5-", 2), ("9_[1,3,5-7", 5), ("9_[1,3,...%4]", 2),
    ])
    func listsCutShort(text: String, count: Int) throws {
        guard case .tasks(let tasks)? = JobID(text)?.part else { throw SlurmError(.unreadable, text) }
        #expect(tasks.isCutShort)
        #expect(tasks.count == count)
    }

    @Test(arguments: [
        "", "0", "x", "-1", "42_", "42_x", "42_-1", "42+", "42.0", "42_[a-b]", "42_[3-1]", "42_[1-2:0]", "4２",
    ])
    func otherWordsAreNoIDs(text: String) { #expect(JobID(text) == nil) }

    @Test func whatSbatchAnswers() throws {
        #expect(try SubmittedJob(parsing: "4242\n").id == JobID(number: 4242))
        #expect(try SubmittedJob(parsing: "4242").cluster == nil)
        #expect(try SubmittedJob(parsing: "4242;fir\n").cluster == "fir")
        for answer in ["", "Submitted batch job 4242", "sbatch: error", "4242_1", ";fir"] {
            #expect(throws: SlurmError.self) { try SubmittedJob(parsing: answer) }
        }
    }

    @Test func states() {
        #expect(JobState.configuring.isRunning)
        #expect(JobState.completing.phase == .ending)
        #expect(JobState(rawValue: "REQUEUE_HOLD").isPending)
        let outcomes: [(String, JobState.Outcome)] = [
            ("COMPLETED", .completed), ("FAILED", .failed), ("CANCELLED", .cancelled), ("TIMEOUT", .timedOut),
            ("OUT_OF_MEMORY", .outOfMemory), ("NODE_FAIL", .nodeFailed), ("PREEMPTED", .preempted),
            ("BOOT_FAIL", .bootFailed), ("DEADLINE", .missedDeadline), ("REVOKED", .revoked),
        ]
        for (word, outcome) in outcomes {
            #expect(JobState(rawValue: word).isEnded)
            #expect(JobState(rawValue: word).outcome == outcome)
        }
        let strange = JobState(rawValue: "SOMETHING_NEW")
        #expect(strange.phase == .unknown)
        #expect(!strange.isPending && !strange.isRunning && !strange.isEnded)
        #expect(strange.words == "SOMETHING_NEW")
        #expect(strange.outcome == nil)
    }
}
