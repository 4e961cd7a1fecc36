extension GPU {
    /// As `cluster probe` and `cluster top` tell it; the README has its members. What is not known is left out.
    var json: JSONValue {
        let members: [(String, JSONValue?)] =
            [("index", Self.number(index)), ("uuid", uuid.map { .string($0) }), ("name", .string(name))]
            + Self.members(of: memory) + [
                ("utilization", Self.number(utilization)), ("temperature", Self.number(temperature)),
                ("power", Self.number(power)),
                (
                    "slices",
                    .array(
                        slices.map { Self.object([("index", Self.number($0.index))] + Self.members(of: $0.memory)) })
                ),
                (
                    "processes",
                    .array(
                        processes.map { process in
                            Self.object([
                                ("pid", Self.number(process.id)), ("user", process.user.map { .string($0) }),
                                ("memory", Self.number(process.memory)),
                            ])
                        })
                ),
            ]
        return Self.object(members)
    }

    private static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { name, value in value.map { .init(name, $0) } })
    }

    private static func number(_ value: Int?) -> JSONValue? { value.map { .number("\($0)") } }

    private static func members(of memory: Memory?) -> [(String, JSONValue?)] {
        [("memory_free", number(memory?.free)), ("memory_total", number(memory?.total))]
    }
}
