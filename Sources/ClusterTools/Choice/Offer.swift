import Slurm

/// What a machine has for a need: a place to run in, and how much larger than needed it is. A value without I/O.
struct Offer: Sendable, Equatable {
    /// The GPUs of a machine without a scheduler, as CUDA_VISIBLE_DEVICES names them.
    var devices: [String] = []
    /// The partition, where it was not the profile that named it, and the options that ask Slurm for what is needed.
    var options: [(name: String, value: String)] = []
    /// In words: what it is that it has.
    var words: String
    /// The smallest is the best.
    var size: Size

    /// How large a place is: by its GPUs first, of which there are the fewest, and at last by how busy it is.
    struct Size: Sendable, Equatable, Comparable {
        /// Memory of each GPU that is needed, in bytes; without need of one how many GPUs would be idle.
        var gpu: Int
        var cores: Int
        var memory: Int
        /// Processes for each core.
        var load: Double

        static func < (a: Size, b: Size) -> Bool {
            (a.gpu, a.cores, a.memory, a.load) < (b.gpu, b.cores, b.memory, b.load)
        }
    }

    static func == (a: Offer, b: Offer) -> Bool {
        a.devices == b.devices && a.words == b.words && a.size == b.size
            && a.options.elementsEqual(b.options) { $0 == $1 }
    }
}

/// Why a machine does not do: what it lacks, each in words.
struct Lack: Error, Sendable, Equatable {
    var words: [String]
}

extension Need {
    /// The best that a machine has for this need.
    ///
    /// - Parameter profile: the one that leads there.
    func offer(of report: MachineReport, profile: Profile) throws(Lack) -> Offer {
        var lacks: [String] = []
        if let disk {
            if let problem = report.diskProblem {
                lacks.append(problem)
            } else if let free = report.disk?.free {
                if free < disk { lacks.append("\(byteCount(free)) of disk, not \(byteCount(disk))") }
            } else {
                lacks.append("how much disk is free is not known")
            }
        }
        return profile.scheduler == .slurm
            ? try offer(ofPartitionsOf: report, profile: profile, lacks) : try offer(ofMachine: report, lacks)
    }

    // MARK: Without a scheduler

    private func offer(ofMachine report: MachineReport, _ before: [String]) throws(Lack) -> Offer {
        var lacks = before
        if let cpus {
            if let free = report.freeCores, let cores = report.cores {
                if free < cpus { lacks.append("\(free) of \(cores) cores free, not \(cpus)") }
            } else {
                lacks.append("how many cores are free is not known")
            }
        }
        if let memory {
            if let free = report.memory?.free {
                if free < memory { lacks.append("\(byteCount(free)) of memory free, not \(byteCount(memory))") }
            } else {
                lacks.append("how much memory is free is not known")
            }
        }
        let devices = report.gpus.flatMap { $0.devices(at: report.gpus) }
        var chosen: [Device] = []
        if let gpus {
            let enough = devices.filter { ($0.memory?.free ?? 0) >= (gpuMemory ?? 0) }.sorted()
            chosen = Array(enough.prefix(gpus))
            if chosen.count < gpus { lacks.append(report.lackOfGPUs(devices, enough.count, of: self)) }
        }
        guard lacks.isEmpty else { throw Lack(words: lacks) }
        let parts =
            chosen.map {
                "\($0.name)" + ($0.memory.map { " with \(byteCount($0.free)) of \(byteCount($0.total)) free" } ?? "")
            }
            + (chosen.isEmpty || cpus != nil ? [report.freeCores.map { "\($0) cores free" }].compactMap { $0 } : [])
        return Offer(
            devices: chosen.map(\.id), words: JSONField.list(parts.isEmpty ? ["all that is needed"] : parts),
            size: .init(
                gpu: gpus == nil ? devices.count : chosen.map { $0.memory?.total ?? 0 }.max() ?? 0,
                cores: report.cores ?? 0,
                memory: report.memory?.total ?? 0, load: (report.load ?? 0) / Double(max(1, report.cores ?? 1))))
    }

    // MARK: With Slurm

    private func offer(
        ofPartitionsOf report: MachineReport, profile: Profile, _ before: [String]
    ) throws(Lack) -> Offer {
        var lacks = before
        let named = profile.sbatchOptions.text(of: "--partition").map { $0.split(separator: ",").map(String.init) }
        let candidates = report.partitions.filter { partition in
            partition.isUp && (named?.contains(partition.name) ?? partition.isDefault)
        }
        // Where jobs have to name one and the profile does not, any may do.
        let partitions = candidates.isEmpty && named == nil ? report.partitions.filter(\.isUp) : candidates
        if let problem = report.partitionProblem { lacks.append(problem) }
        if partitions.isEmpty, lacks.isEmpty {
            lacks.append(
                named.map { "no partition \($0.joined(separator: ", ")) that takes jobs" } ?? "no partition takes jobs")
        }
        var best: Offer?
        for partition in partitions {
            do throws(Lack) {
                var offer = try offer(of: partition)
                if candidates.isEmpty { offer.options.insert(("--partition", partition.name), at: 0) }
                if best.map({ offer.size < $0.size }) ?? true { best = offer }
            } catch {
                lacks += error.words
            }
        }
        guard let best, before.isEmpty else { throw Lack(words: lacks) }
        return best
    }

    private func offer(of partition: PartitionUsage) throws(Lack) -> Offer {
        var lacks: [String] = []
        var options: [(String, String)] = []
        if let cpus {
            if partition.coresOfANode < cpus {
                lacks.append("\(partition.name): \(partition.coresOfANode) cores free on one node, not \(cpus)")
            }
            options.append(("--cpus-per-task", "\(cpus)"))
        }
        // Slurm itself finds a node with so much.
        if let memory { options.append(("--mem", "\((memory + (1 << 20) - 1) >> 20)M")) }
        var words = ["\(partition.cpus.free) cores free in \(partition.name)"]
        var gpu = partition.gpus.reduce(0) { $0 + $1.share.total }
        if let gpus {
            let sizes = partition.gpus.compactMap { kind -> (type: String, memory: Int)? in
                // Without a need of memory any type will do.
                guard let memory = GenericResources.memory(ofType: kind.type) ?? (gpuMemory == nil ? 0 : nil),
                    memory >= gpuMemory ?? 0, partition.gpusOfANode[kind.type] ?? 0 >= gpus
                else { return nil }
                return (kind.type, memory)
            }
            if let smallest = sizes.min(by: { $0.memory < $1.memory }) {
                options.append(("--gres", smallest.type.isEmpty ? "gpu:\(gpus)" : "gpu:\(smallest.type):\(gpus)"))
                words = ["\(gpus) \(smallest.type.isEmpty ? "GPU" : smallest.type) free in \(partition.name)"]
                gpu = smallest.memory
            } else {
                lacks.append("\(partition.name): \(lackOfGPUs(in: partition))")
            }
        }
        guard lacks.isEmpty else { throw Lack(words: lacks) }
        let load = partition.cpus.total == 0 ? 1 : 1 - Double(partition.cpus.free) / Double(partition.cpus.total)
        return Offer(
            options: options, words: words.joined(separator: ", "),
            size: .init(gpu: gpu, cores: partition.cpus.total, memory: .max, load: load))
    }

    private func lackOfGPUs(in partition: PartitionUsage) -> String {
        guard !partition.gpus.isEmpty else { return "no GPU" }
        let isSpread = partition.gpus.contains { $0.share.free >= gpus ?? 1 }
        return "\(words(of: gpus ?? 1)) needed, there are "
            + partition.gpus.map { kind in
                let type = kind.type.isEmpty ? "GPUs without a type" : kind.type
                let size = GenericResources.memory(ofType: kind.type)
                return "\(kind.share.free) of \(kind.share.total) \(type)"
                    + (gpuMemory == nil ? "" : size.map { " of \($0 >> 30) GB" } ?? " of unknown memory")
            }.joined(separator: ", ") + " free"
            + (isSpread ? ", \(partition.gpusOfANode.values.max() ?? 0) on one node" : "")
    }

    /// So many GPUs, with the memory that they need.
    fileprivate func words(of count: Int) -> String {
        "\(count) GPU\(count == 1 ? "" : "s")" + (gpuMemory.map { " with \(byteCount($0))" } ?? "")
    }
}

/// What a process can be given of a machine's GPUs: one of them, or a part of one.
private struct Device: Comparable {
    var id: String
    var name: String
    var memory: GPU.Memory?
    var utilization: Int

    /// The smallest first; of those alike the one that is used least.
    static func < (a: Device, b: Device) -> Bool {
        (a.memory?.total ?? .max, a.utilization, -(a.memory?.free ?? 0)) < (
            b.memory?.total ?? .max, b.utilization, -(b.memory?.free ?? 0)
        )
    }

    static func == (a: Device, b: Device) -> Bool { !(a < b) && !(b < a) }
}

extension GPU {
    fileprivate func devices(at all: [GPU]) -> [Device] {
        guard slices.isEmpty else {
            return slices.compactMap { slice in
                // Without its name there is no way to choose it.
                slice.uuid.map {
                    Device(
                        id: $0, name: "GPU \(index).\(slice.index) (\(name), MIG)", memory: slice.memory, utilization: 0
                    )
                }
            }
        }
        return [
            Device(
                id: uuid ?? "\(index)", name: "GPU \(index) (\(name))", memory: memory, utilization: utilization ?? 0)
        ]
    }
}

extension MachineReport {
    fileprivate func lackOfGPUs(_ devices: [Device], _ enough: Int, of need: Need) -> String {
        if let gpuProblem { return "no GPU can be asked: \(gpuProblem)" }
        guard !devices.isEmpty else { return "no GPU" }
        let most = devices.compactMap { $0.memory?.free }.max() ?? 0
        return enough == 0 && need.gpuMemory != nil
            ? "\(byteCount(most)) free on a GPU at most, not \(byteCount(need.gpuMemory ?? 0))"
            : "\(enough) of \(devices.count) GPUs do, not \(need.words(of: need.gpus ?? 1))"
    }
}
