/// A GPU of a machine, as `nvidia-smi -q -x` describes it.
struct GPU: Sendable, Equatable {
    /// The driver's number for it, which CUDA counts by unless told otherwise.
    var index: Int
    /// What CUDA_VISIBLE_DEVICES names it by, safe from how devices are numbered.
    var uuid: String?
    var name: String
    var memory: Memory?
    /// How busy it is, in per cent. Not known of one that is divided.
    var utilization: Int?
    /// In degrees Celsius.
    var temperature: Int?
    /// In watts.
    var power: Int?
    /// The parts that it is divided into (MIG); with any, it is used by these alone.
    var slices: [Slice] = []
    var processes: [Process] = []

    /// In bytes.
    struct Memory: Sendable, Equatable {
        var total: Int
        var free: Int
    }

    /// A part of a GPU with memory of its own (MIG).
    struct Slice: Sendable, Equatable {
        var index: Int
        /// By which processes name it.
        var instance: Int?
        /// What CUDA_VISIBLE_DEVICES names it by.
        var uuid: String?
        var memory: Memory?
    }

    struct Process: Sendable, Equatable {
        var id: Int
        /// The slice that it runs on, as its instance.
        var instance: Int?
        /// In bytes; not always known.
        var memory: Int?
        /// The account that it belongs to.
        var user: String?
    }

    /// Who uses it, each once.
    var users: [String] {
        processes.reduce(into: []) { users, process in
            if let user = process.user, !users.contains(user) { users.append(user) }
        }
    }
}

/// Reads the lines of nvidia-smi's XML that `templates/remote/gpus.sh` lets through. The writer is a program that puts one element
/// on a line; what is no element on a line of its own is passed over.
struct GPUReader {
    /// An element's beginning or end, or a whole one with its text.
    private enum Line {
        case begin(String)
        case end(String)
        case value(String, String)

        init?(_ text: String) {
            let text = text.drop { $0.isWhitespace }
            guard text.first == "<", let close = text.firstIndex(of: ">") else { return nil }
            let tag = text[text.index(after: text.startIndex)..<close]
            if tag.first == "/" {
                self = .end(String(tag.dropFirst()))
                return
            }
            let name = String(tag.prefix { !$0.isWhitespace })
            let rest = text[text.index(after: close)...]
            if let end = rest.firstRange(of: "</\(name)>") {
                self = .value(name, String(rest[..<end.lowerBound]))
            } else {
                self = .begin(name)
            }
        }
    }

    /// The GPUs in these lines, numbered in their order.
    ///
    /// - Parameters:
    ///   - owners: the accounts of processes, by their numbers.
    ///   - listing: the lines of `nvidia-smi -L`, which alone has the names of slices.
    static func gpus(in lines: [String], owners: [Int: String], listing: [String] = []) -> [GPU] {
        var reader = GPUReader(owners: owners)
        for line in lines { if let line = Line(line) { reader.read(line) } }
        for line in listing { reader.readListing(line) }
        return reader.gpus
    }

    /// `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)`, and below it `  MIG 2g.10gb     Device  0: (UUID: MIG-…)`.
    private mutating func readListing(_ line: String) {
        if let match = line.firstMatch(of: /^GPU (\d+):/) {
            listed = Int(match.output.1)
        } else if let listed, gpus.indices.contains(listed),
            let match = line.firstMatch(of: /MIG .*Device +(\d+): \(UUID: (MIG-[^)]+)\)/),
            let slice = gpus[listed].slices.firstIndex(where: { $0.index == Int(match.output.1) })
        {
            gpus[listed].slices[slice].uuid = String(match.output.2)
        }
    }

    private let owners: [Int: String]
    private var gpus: [GPU] = []
    private var gpu: GPU?
    private var slice: GPU.Slice?
    private var process: GPU.Process?
    /// The GPU whose slices the listing names now.
    private var listed: Int?
    /// The memory that is being described, and its element.
    private var memory: (total: Int?, free: Int?)?

    private init(owners: [Int: String]) { self.owners = owners }

    private mutating func read(_ line: Line) {
        switch line {
        case .begin("gpu"): gpu = GPU(index: gpus.count, name: "GPU")
        case .begin("mig_device"): slice = GPU.Slice(index: gpu?.slices.count ?? 0)
        case .begin("process_info"): process = GPU.Process(id: 0)
        case .begin("fb_memory_usage"): memory = (nil, nil)
        case .end("fb_memory_usage"): endMemory()
        case .end("mig_device"):
            if let slice { gpu?.slices.append(slice) }
            slice = nil
        case .end("process_info"):
            if var process, process.id > 0 {
                process.user = owners[process.id]
                gpu?.processes.append(process)
            }
            process = nil
        case .end("gpu"):
            if let gpu { gpus.append(gpu) }
            gpu = nil
        case .value(let name, let text): read(name, text)
        case .begin, .end: break
        }
    }

    private mutating func read(_ name: String, _ text: String) {
        switch name {
        case "total" where memory != nil: memory?.total = Self.bytes(text)
        case "free" where memory != nil: memory?.free = Self.bytes(text)
        case "pid": process?.id = Self.number(text) ?? 0
        case "used_memory": process?.memory = Self.bytes(text)
        case "gpu_instance_id" where process != nil: process?.instance = Self.number(text)
        case "gpu_instance_id": slice?.instance = Self.number(text)
        case "index": if let number = Self.number(text) { slice?.index = number }
        case "product_name": gpu?.name = text
        case "uuid": gpu?.uuid = text
        case "gpu_util": gpu?.utilization = Self.number(text)
        case "gpu_temp": gpu?.temperature = Self.number(text)
        // That of the whole card comes first; older drivers know one number, newer ones tell the average from the present one.
        case "power_draw", "average_power_draw", "instant_power_draw":
            if gpu?.power == nil { gpu?.power = Self.number(text) }
        default: break
        }
    }

    private mutating func endMemory() {
        defer { memory = nil }
        guard let total = memory?.total, let free = memory?.free else { return }
        if slice != nil {
            slice?.memory = GPU.Memory(total: total, free: free)
        } else {
            gpu?.memory = GPU.Memory(total: total, free: free)
        }
    }

    /// The number at the beginning of a text such as `35 %`; nil for `N/A`, `[Not Supported]`, `[Unknown Error]` and the like.
    private static func number(_ text: String) -> Int? {
        let digits = text.drop { $0 == " " }.prefix { ("0"..."9").contains($0) }
        return digits.count <= 9 ? Int(digits) : nil
    }

    /// `24576 MiB` in bytes; the only unit that it uses.
    private static func bytes(_ text: String) -> Int? { text.hasSuffix(" MiB") ? number(text).map { $0 << 20 } : nil }
}
