public import Slurm

/// How a job was submitted, beside its command and its commit: with these it can be submitted again.
public struct JobPlan: Sendable, Equatable {
    /// The options for sbatch, those of all layers.
    public var options: SbatchOptions
    /// Those above the profile's: they go along to another cluster.
    public var ownOptions: SbatchOptions
    /// The subfolder of the repository that it runs in; empty for its top.
    public var directory: String
    /// The folder that TensorBoard shows, as seen from there.
    public var logdir: String
    public var lingers: Bool
    /// How long before its time limit it is put back in the queue, in seconds; nil for never.
    public var requeueBefore: Int?
    /// What is fetched when it has ended, as seen from ``directory``.
    public var pulls: [String] = []
}

extension JobPlan {
    /// As the job's record has it.
    var json: JSONValue {
        let members: [(String, JSONValue?)] = [
            ("options", options.json), ("ownOptions", ownOptions.json), ("directory", .string(directory)),
            ("logdir", .string(logdir)), ("lingers", .bool(lingers)),
            ("requeueBefore", requeueBefore.map { .number("\($0)") }),
            ("pulls", pulls.isEmpty ? nil : .array(pulls.map { .string($0) })),
        ]
        return .object(members.compactMap { name, value in value.map { .init(name, $0) } })
    }

    init(_ field: JSONField) throws(Failure) {
        let members = try RecordReader(field)
        options = try members.required("options").sbatchOptions()
        ownOptions = try members.required("ownOptions").sbatchOptions()
        directory = try members.required("directory").string()
        logdir = try members.required("logdir").string()
        lingers = try members["lingers"]?.boolean() ?? false
        requeueBefore = try members.number("requeueBefore")
        for pattern in try members["pulls"]?.elements() ?? [] { pulls.append(try pattern.string()) }
    }
}

extension SbatchOptions {
    /// The layer as a profile has one.
    fileprivate var json: JSONValue {
        .object(
            settings.map { setting in
                switch setting.value {
                case .text(let text): .init(setting.option, .string(text))
                case .flag: .init(setting.option, .bool(true))
                case .removed: .init(setting.option, .null)
                }
            })
    }
}
