import Testing

@testable import Slurm

struct QueueReasonTests {
    @Test(arguments: [
        ("Priority", "other jobs come first"),
        ("(Resources)", "waiting for resources to become free"),
        ("Dependency", "waiting for another job it depends on"),
        ("JobHeldUser", "held by you (scontrol release starts it)"),
        ("PartitionTimeLimit", "its time limit is longer than the partition allows"),
        ("ReqNodeNotAvail", "a node it needs is not available"),
        ("ReqNodeNotAvail, UnavailableNodes:n[1-3]", "a node it needs is not available: n[1-3]"),
        (
            "ReqNodeNotAvail, May be reserved for other job",
            "a node it needs is not available: May be reserved for other job"
        ),
        (
            "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions",
            "nodes it needs are down: DRAINED or reserved for jobs in higher priority partitions"
        ),
        ("QOSMaxCpuPerUserLimit", "this QOS's limit is reached: CPUs per user"),
        ("QOSMaxGRESPerUser", "this QOS's limit is reached: GPUs or the like per user"),
        ("QOSMaxJobsPerUserLimit", "this QOS's limit is reached: running jobs per user"),
        ("QOSGrpCpuLimit", "this QOS's limit is reached: CPUs"),
        ("AssocGrpGRES", "your account's limit is reached: GPUs or the like"),
        ("AssocGrpCPUMinutesLimit", "your account's limit is reached: CPUs times minutes"),
        (
            "AssocGrpGRESRunMinutes",
            "your account's limit is reached: GPUs or the like times the minutes of running jobs"
        ),
        ("AssocMaxJobsLimit", "your account's limit is reached: running jobs"),
        ("AssocMaxWallDurationPerJobLimit", "it asks for more than your account allows a job: time"),
        ("QOSMaxMemoryPerNode", "it asks for more than this QOS allows on a node: memory"),
        ("QOSMinCpuNotSatisfied", "it asks for less than this QOS requires: CPUs"),
        ("QOSMinGRES", "it asks for less than this QOS requires: GPUs or the like"),
        ("MaxCpuPerAccount", "this QOS's limit is reached: CPUs per account"),
        (
            "MaxGRESRunMinsPerUser",
            "this QOS's limit is reached: GPUs or the like times the minutes of running jobs per user"
        ),
        ("QOSUsageThreshold", "too much of this QOS's share is used"),
        ("SomeNewCPUReason", "some new CPU reason"),
        ("GPUCount", "GPU count"),
        ("MpiPortsBusy", "mpi ports busy"),
        ("launch failed requeued held", "held: it could not be started on its nodes (scontrol release tries again)"),
        ("Something a plugin said, with é", "Something a plugin said, with é"),
        ("MaxFrobnicationsPerFortnight", "max frobnications per fortnight"),
        ("", ""),
    ])
    func words(reason: String, words: String) {
        #expect(QueueReason.words(for: reason) == words)
    }
}
