/// Why a job waits, or why Slurm ended it, in words for a person.
public enum QueueReason {
    /// The meaning of one of Slurm's reasons (`src/common/job_state_reason.c`), as a phrase without a full stop. Of one that is
    /// not known here, its own words.
    public static func words(for reason: String) -> String {
        // Details follow a comma: "ReqNodeNotAvail, UnavailableNodes:n[1-3]". Some versions put underscores for the spaces.
        let spaced = reason.contains(" ") ? reason : String(reason.map { $0 == "_" ? " " : $0 })
        let trimmed = spaced.hasPrefix("(") && spaced.hasSuffix(")") ? String(spaced.dropFirst().dropLast()) : spaced
        let comma = trimmed.firstIndex(of: ",") ?? trimmed.endIndex
        let name = String(trimmed[..<comma])
        let details = trimmed[comma...].drop { $0 == "," || $0 == " " }
        guard let words = known[name] ?? limit(name) else {
            return name.contains(" ") ? trimmed : split(name) + trimmed[comma...]
        }
        if let nodes = details.split(separator: "UnavailableNodes:", maxSplits: 1).last, details.hasPrefix("Unavail") {
            return "\(words): \(nodes)"
        }
        return details.isEmpty ? words : "\(words): \(details)"
    }

    private static let known: [String: String] = [
        "None": "no reason yet",
        "Priority": "other jobs come first",
        "Resources": "waiting for resources to become free",
        "Dependency": "waiting for another job it depends on",
        "DependencyNeverSatisfied": "the job it depends on will never end as it should",
        "BeginTime": "its start time has not come",
        "JobHeldUser": "held by you (scontrol release starts it)",
        "JobHeldAdmin": "held by an administrator",
        "JobHoldMaxRequeue": "held: it was put back in the queue too often",
        "JobArrayTaskLimit": "the array's limit of tasks at once is reached",
        "Licenses": "waiting for a licence",
        "ReqNodeNotAvail": "a node it needs is not available",
        "Nodes required for job are DOWN": "nodes it needs are down",
        "NodeDown": "a node it needs is down",
        "PartitionDown": "its partition is down",
        "PartitionInactive": "its partition is inactive",
        "PartitionNodeLimit": "it asks for more nodes than the partition allows",
        "PartitionTimeLimit": "its time limit is longer than the partition allows",
        "PartitionConfig": "the partition cannot run what it asks for",
        "BadConstraints": "no node can ever give what it asks for",
        "Constraints": "no node with its constraints is free",
        "Reservation": "waiting for its reservation",
        "ReservationDeleted": "its reservation was deleted",
        "ReservationInvalid": "its reservation is not valid",
        "InvalidAccount": "its account is not valid",
        "InvalidQOS": "its QOS is not valid",
        "QOSNotAllowed": "its QOS is not allowed in this partition",
        "AccountNotAllowed": "its account is not allowed in this partition",
        "AccountingPolicy": "an accounting policy does not allow it now",
        "AssociationJobLimit": "your account's limit on jobs is reached",
        "AssociationResourceLimit": "your account's limit on a resource is reached",
        "AssociationTimeLimit": "your account's limit on time is reached",
        "QOSJobLimit": "this QOS's limit on jobs is reached",
        "QOSResourceLimit": "this QOS's limit on a resource is reached",
        "QOSTimeLimit": "this QOS's limit on time is reached",
        "QOSUsageThreshold": "too much of this QOS's share is used",
        "MaxMemPerLimit": "it asks for more memory per CPU or node than is allowed",
        "BurstBufferResources": "waiting for space in the burst buffer",
        "BurstBufferStageIn": "its data is being copied to the burst buffer",
        "BurstBufferOperation": "waiting for the burst buffer",
        "Prolog": "its nodes are being prepared",
        "Cleaning": "its former run is being cleaned up",
        "SchedDefer": "the scheduler puts it off to its next round",
        "FedJobLock": "the clusters of the federation are agreeing about it",
        "MaxPoweredUpNodes": "as many nodes as allowed are switched on",
        "NonZeroExitCode": "the command failed",
        "RaisedSignal": "a signal ended it",
        "TimeLimit": "it reached its time limit",
        "InactiveLimit": "it did nothing for too long",
        "OutOfMemory": "it ran out of memory",
        "SystemFailure": "Slurm itself failed",
        "JobLaunchFailure": "it could not be started on its nodes",
        "NodeFail": "its node failed",
        "DeadLine": "it could not end before its deadline",
        "launch failed requeued held": "held: it could not be started on its nodes (scontrol release tries again)",
        "job requeued in held state": "held: it was put back in the queue (scontrol release starts it)",
    ]

    /// The many limits of associations and QOS have names made of parts: `QOSMaxCpuPerUserLimit`, `AssocGrpGRESRunMinutes`.
    private static func limit(_ name: String) -> String? {
        var rest = Substring(name)
        func take(_ prefix: String) -> Bool {
            guard rest.hasPrefix(prefix) else { return false }
            rest = rest.dropFirst(prefix.count)
            return true
        }
        let owner = take("Assoc") ? "your account" : "this QOS"
        let isQOS = take("QOS")
        let isGroup = take("Grp")
        let isMinimum = !isGroup && take("Min")
        guard isGroup || isMinimum || take("Max"), owner == "your account" || isQOS || name.contains("Per") else {
            return nil
        }
        guard let (key, noun) = resources.first(where: { rest.hasPrefix($0.key) }) else { return nil }
        rest = rest.dropFirst(key.count)
        var what = noun
        if take("RunMinutes") || take("RunMins") {
            what += " times the minutes of running jobs"
        } else if take("Minutes") || take("Mins") {
            what += " times minutes"
        }
        if isMinimum { return "it asks for less than \(owner) requires: \(what)" }
        if take("PerJob") { return "it asks for more than \(owner) allows a job: \(what)" }
        if take("PerNode") { return "it asks for more than \(owner) allows on a node: \(what)" }
        let per = take("PerUser") ? " per user" : take("PerAccount") ? " per account" : ""
        guard rest.isEmpty || rest == "Limit" else { return nil }
        return "\(owner)'s limit is reached: \(what)\(per)"
    }

    /// Longer names before those they start with.
    private static let resources: [(key: String, noun: String)] = [
        ("SubmitJobs", "submitted jobs"), ("SubmitJob", "submitted jobs"), ("Jobs", "running jobs"),
        ("WallDuration", "time"), ("Wall", "time"), ("CPU", "CPUs"), ("Cpu", "CPUs"), ("GRES", "GPUs or the like"),
        ("Memory", "memory"), ("Mem", "memory"), ("Node", "nodes"), ("License", "licences"), ("Energy", "energy"),
        ("BB", "burst buffer"), ("Billing", "billing units"), ("Unknown", "a resource"),
    ]

    /// "SomeNewCPUReason" as "some new CPU reason".
    private static func split(_ name: String) -> String {
        let letters = Array(name)
        var words: [String] = []
        for (index, letter) in letters.enumerated() {
            // A capital starts a word after a small letter, and before one: the second C in "CPUCount".
            let afterSmall = index > 0 && !letters[index - 1].isUppercase
            let beforeSmall = index + 1 < letters.count && letters[index + 1].isLowercase
            if words.isEmpty || letter.isUppercase && (afterSmall || beforeSmall) { words.append("") }
            words[words.count - 1].append(letter)
        }
        return words.map { $0.dropFirst().contains(where: \.isUppercase) ? $0 : $0.lowercased() }.joined(separator: " ")
    }
}
