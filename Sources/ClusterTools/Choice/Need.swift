/// What a job needs of the machine that it is to run on, as `--need` says it: `gpu-memory=1.5G,disk=3G,cpus=4`.
public struct Need: Sendable, Equatable {
    /// How many GPUs; nil for none.
    public var gpus: Int?
    /// The memory that each of them must have free, in bytes.
    public var gpuMemory: Int?
    /// In bytes.
    public var memory: Int?
    /// Where runs go, in bytes.
    public var disk: Int?
    /// Cores that nobody else wants.
    public var cpus: Int?

    private static let names = ["gpu-memory", "gpus", "memory", "disk", "cpus"]

    /// - Parameter spelling: the option, for messages.
    init(_ text: String, spelling: String = "--need") throws(Failure) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2, Self.names.contains(words[0]) else {
                throw Failure(
                    Exit.usage, "\(spelling): \"\(part)\" is no need",
                    remedy: Suggestion.nearest(to: words[0], among: Self.names).map { "did you mean \($0)=…?" }
                        ?? "write \(JSONField.list(Self.names.map { $0 + "=…" }, "or")), with commas between them")
            }
            switch words[0] {
            case "gpus": gpus = try Self.count(words[1], part, spelling)
            case "cpus": cpus = try Self.count(words[1], part, spelling)
            case "gpu-memory": gpuMemory = try Self.size(words[1], part, spelling)
            case "memory": memory = try Self.size(words[1], part, spelling)
            default: disk = try Self.size(words[1], part, spelling)
            }
        }
        // Memory of a GPU is that of one at least.
        if gpuMemory != nil, gpus == nil { gpus = 1 }
        if gpus == 0 {
            guard gpuMemory == nil else { throw Failure(Exit.usage, "\(spelling): gpu-memory of no GPU") }
            gpus = nil
        }
    }

    private static func count(_ text: String, _ part: Substring, _ spelling: String) throws(Failure) -> Int {
        guard let number = Int(text), (0...100_000).contains(number), text.first != "+" else {
            throw Failure(Exit.usage, "\(spelling): \(part): expected a whole number")
        }
        return number
    }

    private static func size(_ text: String, _ part: Substring, _ spelling: String) throws(Failure) -> Int {
        guard let size = ByteSize.parse(text) else {
            throw Failure(Exit.usage, "\(spelling): \(part): \"\(text)\" is no size", remedy: "write 500M, 1.5G or 2T")
        }
        return size
    }
}
