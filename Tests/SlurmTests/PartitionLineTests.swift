import Slurm
import Testing

@Suite struct PartitionLineTests {
    /// A line as `sinfo` prints it: each field as wide as its column.
    private func line(_ fields: String...) -> String {
        let widths = PartitionLine.format.split(separator: ",").compactMap {
            $0.split(separator: ":").last.flatMap { Int($0) }
        }
        return zip(fields, widths).map { field, width in
            String(field.prefix(width)) + String(repeating: " ", count: max(0, width - field.count))
        }.joined()
    }

    /// What Slurm 22.05 printed while jobs held 1 of 4 and 2 of 7 GPUs.
    private var recorded: [String] {
        [
            line("debug*", "up", "1", "mixed", "1/7/0/8", "gpu:a100:4", "gpu:a100:1(IDX:0)"),
            line("debug*", "up", "1", "mixed", "1/7/0/8", "gpu:h100_1g.10gb:7", "gpu:h100_1g.10gb:2(IDX:0-1)"),
        ]
    }

    @Test func aPartition() throws {
        // In whatever order sinfo has them today.
        let usage = try #require(
            PartitionUsage.all(in: try recorded.reversed().map { try PartitionLine($0) }, pending: ["debug": 3]).first)
        #expect(usage.name == "debug")
        #expect(usage.isDefault && usage.isUp)
        #expect(usage.nodes == .init(free: 0, total: 2))
        #expect(usage.cpus == .init(free: 14, total: 16))
        #expect(usage.gpus.map(\.type) == ["a100", "h100_1g.10gb"])
        #expect(usage.gpus.map(\.share) == [.init(free: 3, total: 4), .init(free: 5, total: 7)])
        #expect(usage.pending == 3)
    }

    @Test func nodesThatTakeNoJobsHaveNothingFree() throws {
        let lines = try [
            line("long", "up", "10", "idle", "0/640/0/640", "gpu:a100:4", "gpu:a100:0(IDX:N/A)"),
            line("long", "up", "3", "drained*", "0/0/192/192", "gpu:a100:4", "gpu:a100:0(IDX:N/A)"),
            line("long", "up", "2", "down~", "0/0/128/128", "gpu:a100:4", ""),
            line("gone", "inact", "1", "idle", "0/8/0/8", "(null)", "(null)"),
        ].map { try PartitionLine($0) }
        let usages = PartitionUsage.all(in: lines, pending: [:])
        #expect(usages.map(\.name) == ["long", "gone"])
        #expect(usages[0].nodes == .init(free: 10, total: 15))
        #expect(usages[0].cpus == .init(free: 640, total: 960))
        #expect(usages[0].gpus.map(\.share) == [.init(free: 40, total: 60)])
        #expect(usages[0].coresOfANode == 64)
        #expect(usages[0].gpusOfANode == ["a100": 4])
        #expect(!usages[0].isDefault && !usages[1].isUp)
        #expect(usages[1].gpus.isEmpty)
    }

    @Test func whatIsNoPartition() {
        for text in [
            "", "sinfo: error: something", line("x", "up", "many", "idle", "0/1/0/1"),
            line("x", "up", "1", "idle", "0/1/0"),
        ] {
            #expect(throws: SlurmError.self) { try PartitionLine(text) }
        }
    }
}
