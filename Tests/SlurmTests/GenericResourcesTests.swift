import Slurm
import Testing

@Suite struct GenericResourcesTests {
    private func gpus(_ text: String) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: GenericResources(text).gpus.map { ($0.type, $0.count) })
    }

    @Test(arguments: [
        ("gpu:a100:4(S:0-1)", ["a100": 4]), ("gpu:h100_1g.10gb:7", ["h100_1g.10gb": 7]), ("gpu:2", ["": 2]),
        ("gpu", ["": 1]),
        ("gpu:a100", ["a100": 1]), ("gpu:tesla:2(S:0),gpu:kepler:2(S:1)", ["tesla": 2, "kepler": 2]),
        ("gpu:a100:2(IDX:0,3),shard:a100:8(IDX:0-7)", ["a100": 2]), ("gpu:a100:0(IDX:N/A)", ["a100": 0]),
        ("gpu:a100:no_consume:4", ["a100": 4]), ("craynetwork:4,gpu:p100:1K", ["p100": 1024]),
        ("gpu:a100:1,gpu:a100:3", ["a100": 4]), ("(null)", [:]), ("N/A", [:]), ("", [:]),
        ("gpu:x:99999999999999999999", ["x:99999999999999999999": 1]),
    ])
    func everySpelling(text: String, expected: [String: Int]) { #expect(gpus(text) == expected) }

    @Test(arguments: [
        ("h100_1g.10gb", 10), ("nvidia_h100_80gb_hbm3_3g.40gb", 40), ("a100", 40), ("NVIDIA-A100-80GB", 80),
        ("tesla_v100", 16),
        ("l40s", 48), ("rtx_tiny", nil), ("", nil), ("a1000", nil),
    ])
    func theMemoryThatATypeTells(type: String, gigabytes: Int?) {
        #expect(GenericResources.memory(ofType: type) == gigabytes.map { $0 << 30 })
    }
}
