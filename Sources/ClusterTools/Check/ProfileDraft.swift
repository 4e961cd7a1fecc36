import Slurm

/// A profile that is being put together from what was found out and what was said. A value without I/O.
struct ProfileDraft: Sendable, Equatable {
    var hostname: String
    var port: Int?
    var user: String?
    var sshKey: String?
    var transport: Transport?
    var scheduler: SchedulerKind?
    var account: String?
    var partition: String?
    /// As sbatch takes it.
    var time: String?
    var memory: String?
    /// What `--gres` takes: `gpu:1`, `gpu:a100:2`.
    var gpus: String?
    var folder: String?
    var activation: String?

    /// The profile's document, with the keys in the order of the documentation.
    var json: JSONValue {
        func text(_ name: String, _ value: String?) -> JSONValue.Member? {
            value.flatMap { $0.isEmpty ? nil : .init(name, .string($0)) }
        }
        let options = [
            text("--account", account), text("--partition", partition), text("--time", time), text("--mem", memory),
            text("--gres", gpus),
        ].compactMap { $0 }
        let members = [
            text("hostname", hostname), port.map { .init("port", .number("\($0)")) }, text("user", user),
            text("ssh_key", sshKey),
            text("transport", transport?.rawValue), text("scheduler", scheduler == .slurm ? nil : scheduler?.rawValue),
            options.isEmpty ? nil : .init("sbatch_options", .object(options)), text("untar_path", folder),
            text("activate_python", activation),
        ]
        return .object(members.compactMap { $0 })
    }

    /// The profile that it means.
    func profile(path: String, home: String) throws(Failure) -> Profile {
        try Profile(json: Array(json.description.utf8), path: path, home: home)
    }

    /// Fills in what can be known: what most would answer.
    mutating func propose(_ report: CheckReport, _ machine: MachineReport) {
        if scheduler == .slurm {
            // With one account Slurm knows which.
            if account == nil, report.accounts.count > 1 {
                account = report.accounts.first { $0.hasPrefix("def-") } ?? report.accounts[0]
            }
            if partition == nil, !machine.partitions.isEmpty, !machine.partitions.contains(where: \.isDefault) {
                partition = machine.partitions.first(where: \.isUp)?.name
            }
            // Many sites refuse a job without.
            time = time ?? "1:00:00"
        }
        // $SCRATCH is taken by itself.
        if folder == nil, let scratch = report.scratches.first, scratch != "$SCRATCH" {
            folder = scratch + "/cluster-tools"
        }
        if activation == nil, let script = report.activations.first { activation = ". ~/\(script)" }
    }

    /// Takes an answer such as `2`, `a100`, `a100:2` or `gpu:a100:2`; `0` and nothing are none.
    ///
    /// - Returns: false for what is none of these.
    mutating func setGPUs(_ answer: String) -> Bool {
        var words = answer.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if words.first == "gpu" { words.removeFirst() }
        guard words.count <= 2, words.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) || answer.isEmpty else {
            return false
        }
        if answer.isEmpty || words == ["0"] {
            gpus = nil
            return true
        }
        gpus = "gpu:" + words.joined(separator: ":")
        return true
    }
}
