extension NodeUse {
    /// As a program reads it; the README has its members. What is not known is left out.
    ///
    /// - Parameters:
    ///   - job: what a person calls it.
    ///   - now: in seconds since 1970, by the clock of this machine.
    func json(job: String, cluster: String, now: Int) -> JSONValue {
        func object(_ members: [(String, JSONValue?)]) -> JSONValue {
            .object(members.compactMap { name, value in value.map { .init(name, $0) } })
        }
        func number(_ value: Int?) -> JSONValue? { value.map { .number("\($0)") } }
        func decimal(_ value: Double?) -> JSONValue? {
            guard let value, value.isFinite, abs(value) < 1e9 else { return nil }
            let thousandths = Int((value * 1000).rounded())
            let digits = "\(abs(thousandths) % 1000)"
            let sign = thousandths < 0 ? "-" : ""
            return .number(
                "\(sign)\(abs(thousandths) / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)")
        }
        let processes = processes(by: .processor).map { process in
            object([
                ("pid", number(process.id)), ("user", process.user.map { .string($0) }),
                ("state", .string(process.state)), ("cores", decimal(shares[process.id])),
                ("memory", number(process.memory)), ("seconds", decimal(process.used)),
                ("threads", number(process.threads)), ("command", .string(process.command)),
            ])
        }
        return object([
            ("job", .string(job)), ("cluster", .string(cluster)), ("node", .string(latest.node)),
            ("time", number(now)), ("cores_used", decimal(cores)), ("cores", number(latest.cores)),
            ("memory_used", number(latest.memoryUsed)), ("memory_limit", number(latest.memoryLimit)),
            ("node_use", decimal(node)), ("load", decimal(latest.load)),
            ("node_memory_free", number(latest.memory?.free)), ("node_memory_total", number(latest.memory?.total)),
            ("gpus", .array(latest.gpus.map(\.json))), ("gpu_problem", latest.gpuProblem.map { .string($0) }),
            ("processes", .array(processes)),
        ])
    }
}
