import Slurm

/// What a machine has and what of it is free, as `templates/remote/probe.sh` found it. What it could not find out is nil.
struct MachineReport: Sendable, Equatable {
    /// What the machine calls itself.
    var host: String?
    var cores: Int?
    /// How many processes want a core, averaged over a minute.
    var load: Double?
    /// In bytes.
    var memory: GPU.Memory?
    /// The folder for runs, and the disk that it is on, in bytes.
    var runs: String?
    var disk: GPU.Memory?
    /// Why runs cannot be kept there.
    var diskProblem: String?
    var gpus: [GPU] = []
    /// Why nothing is known of GPUs although there seem to be some.
    var gpuProblem: String?
    /// With Slurm.
    var partitions: [PartitionUsage] = []
    var partitionProblem: String?

    init() {}

    /// - Parameter answer: of `probe.sh`. A line that cannot be read is passed over.
    init(_ answer: Answer) {
        host = answer["host"]
        cores = answer["cores"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        // `1.20 1.10 1.00 1/234 5678`, with the BSDs in braces.
        load = answer["load"]?.split { $0 == " " || $0 == "{" }.first.flatMap { Double($0) }
            .flatMap { $0.isFinite && (0..<1e6).contains($0) ? $0 : nil }
        memory = Self.memory(answer.all("memory"))
        runs = answer["runs"]
        let sizes = answer["disk"]?.split(separator: " ").compactMap { Self.kilobytes($0) } ?? []
        if sizes.count == 2 { disk = GPU.Memory(total: sizes[0], free: sizes[1]) }
        diskProblem = answer["disk-problem"]
        var owners: [Int: String] = [:]
        for line in answer.all("owner") {
            let words = line.split(separator: " ")
            if words.count == 2, let process = Int(words[0]) { owners[process] = String(words[1]) }
        }
        gpus = GPUReader.gpus(in: answer.all("gpu"), owners: owners, listing: answer.all("device"))
        gpuProblem = answer["gpu-problem"]
        partitions = PartitionUsage.all(
            in: answer.all("partition").compactMap { line in do { return try PartitionLine(line) } catch { return nil }
            },
            pending: Self.pending(answer.all("pending")))
        partitionProblem = answer["partition-problem"]
    }

    /// How many cores nobody wants.
    var freeCores: Int? { cores.map { cores in max(0, cores - Int((load ?? 0).rounded())) } }

    /// Lines of `/proc/meminfo`, in kB. Linux before 3.14 does not say what is available.
    private static func memory(_ lines: [String]) -> GPU.Memory? {
        var values: [Substring: Int] = [:]
        for line in lines {
            let words = line.split(separator: " ")
            if words.count == 2, let value = kilobytes(words[1]) { values[words[0]] = value }
        }
        guard let total = values["MemTotal"] else { return nil }
        return GPU.Memory(total: total, free: values["MemAvailable"] ?? values["MemFree"] ?? total)
    }

    /// In bytes.
    private static func kilobytes(_ text: Substring) -> Int? {
        guard let number = Int(text), number >= 0, number < 1 << 50 else { return nil }
        return number << 10
    }

    /// Lines of `uniq -c`.
    private static func pending(_ lines: [String]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in lines {
            let words = line.split(separator: " ")
            if words.count == 2, let count = Int(words[0]) { counts[String(words[1])] = count }
        }
        return counts
    }
}
