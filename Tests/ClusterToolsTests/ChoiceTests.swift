import Slurm
import Testing

@testable import ClusterTools

/// `--need`: which machine just fits.
@Suite struct ChoiceTests {
    private static let gigabyte = 1 << 30

    private func machine(
        _ name: String, cores: Int = 8, load: Double = 0, memory: Int = 32, disk: Int = 100, gpus: [GPU] = []
    ) -> Probe.Finding {
        var report = MachineReport()
        report.cores = cores
        report.load = load
        report.memory = .init(total: memory << 30, free: memory << 30)
        report.disk = .init(total: 1000 << 30, free: disk << 30)
        report.gpus = gpus
        return .init(
            name: name, profile: Profile(name: name, hostname: name, scheduler: SchedulerKind.none),
            result: .success(report))
    }

    private func gpu(_ index: Int, _ total: Int, free: Int? = nil, use: Int = 0) -> GPU {
        GPU(
            index: index, uuid: "GPU-\(index)-\(total)", name: "Card",
            memory: .init(total: total << 30, free: (free ?? total) << 30),
            utilization: use)
    }

    private func cluster(_ name: String, _ partitions: [PartitionUsage], _ options: [String: String] = [:]) throws
        -> Probe.Finding
    {
        var report = MachineReport()
        report.disk = .init(total: 1000 << 30, free: 500 << 30)
        report.partitions = partitions
        var profile = Profile(name: name, hostname: name)
        for (option, value) in options { try profile.sbatchOptions.set(option, to: .text(value)) }
        return .init(name: name, profile: profile, result: .success(report))
    }

    private func partition(
        _ name: String, cores: (Int, Int) = (16, 64), gpus: [(String, Int, Int)] = [], isDefault: Bool = true,
        nodes: Int = 1
    ) -> PartitionUsage {
        var usage = PartitionUsage(name: name, isDefault: isDefault, isUp: true)
        usage.cpus = .init(free: cores.0, total: cores.1)
        usage.gpus = gpus.map { ($0.0, .init(free: $0.1, total: $0.2)) }
        usage.coresOfANode = cores.0 / nodes
        usage.gpusOfANode = Dictionary(gpus.map { ($0.0, $0.1 / nodes) }) { first, _ in first }
        return usage
    }

    private func choose(_ need: String, _ findings: [Probe.Finding]) throws -> Choice {
        try Choice(Need(need), among: findings)
    }

    // MARK: The need

    @Test func theNeed() throws {
        let need = try Need("gpu-memory=1.5G,disk=3G,cpus=4,memory=500M")
        #expect(need.gpuMemory == 3 << 29)
        #expect(need.gpus == 1)
        #expect(need.disk == 3 << 30)
        #expect(need.cpus == 4)
        #expect(need.memory == 500 << 20)
        #expect(try Need("gpus=2").gpus == 2)
        #expect(try Need("gpus=0").gpus == nil)
    }

    @Test(arguments: [
        ("", nil), ("gpu", nil), ("gpu-memry=1G", "did you mean gpu-memory=…?"), ("cpus=", nil), ("cpus=many", nil),
        ("cpus=-1", nil),
        ("disk=3X", "write 500M, 1.5G or 2T"), ("gpus=0,gpu-memory=1G", nil), ("disk=1G,", nil), ("cpus=1e3", nil),
        ("disk=inf", nil),
    ])
    func whatIsNoNeed(text: String, remedy: String?) {
        let failure = #expect(throws: Failure.self) { try Need(text) }
        #expect(failure?.status == 64)
        if let remedy { #expect(failure?.remedy == remedy) }
    }

    // MARK: The choice

    @Test func theSmallestGPUThatIsLargeEnough() throws {
        let choice = try choose(
            "gpu-memory=10G",
            [
                machine("big", gpus: [gpu(0, 80)]), machine("small", gpus: [gpu(0, 8)]),
                machine("fits", gpus: [gpu(0, 24, free: 2), gpu(1, 24, free: 12)]),
            ])
        #expect(choice.profile.name == "fits")
        #expect(choice.offer.devices == ["GPU-1-24"])
        #expect(
            choice.adapted.environment.shellLines == ["export CUDA_VISIBLE_DEVICES='GPU-1-24'"]
                || choice.adapted.environment.shellLines == ["export CUDA_VISIBLE_DEVICES=GPU-1-24"])
        #expect(choice.reason.hasPrefix("fits just fits: GPU 1 (Card) with 13 GB of 26 GB free; big has more; small: "))
    }

    @Test func withoutNeedOfAGPUNoneIsTaken() throws {
        let findings = [machine("gpu", cores: 4, gpus: [gpu(0, 24)]), machine("plain", cores: 64)]
        #expect(try choose("cpus=4", findings).profile.name == "plain")
        #expect(try choose("cpus=4", findings).adapted.environment.shellLines == [])
    }

    @Test func ofMachinesAlikeTheOneWithTheLeastLoad() throws {
        let findings = [machine("a", load: 3), machine("b", load: 1), machine("c", load: 1)]
        // And of those the first.
        #expect(try choose("cpus=4", findings).profile.name == "b")
        #expect(try choose("cpus=4", [machine("large", cores: 64)] + findings).profile.name == "b")
    }

    @Test func severalGPUsOfOneMachine() throws {
        let findings = [
            machine("one", gpus: [gpu(0, 24)]), machine("two", gpus: [gpu(0, 24), gpu(1, 48), gpu(2, 24, use: 90)]),
        ]
        let choice = try choose("gpus=2,gpu-memory=20G", findings)
        #expect(choice.offer.devices == ["GPU-0-24", "GPU-2-24"])
    }

    @Test func slicesAreChosenByTheirNames() throws {
        var divided = gpu(0, 80)
        divided.slices = [
            .init(index: 0, memory: .init(total: 20 << 30, free: 20 << 30)),
            .init(index: 1, uuid: "MIG-1", memory: .init(total: 20 << 30, free: 20 << 30)),
        ]
        let choice = try choose("gpu-memory=15G", [machine("divided", gpus: [divided])])
        #expect(choice.offer.devices == ["MIG-1"])
        #expect(throws: Failure.self) { try choose("gpu-memory=30G", [machine("divided", gpus: [divided])]) }
    }

    @Test func withoutAFitEachSaysWhatItLacks() throws {
        var broken = machine("broken")
        if case .success(var report) = broken.result {
            report.gpuProblem = "NVIDIA-SMI has failed"
            broken.result = .success(report)
        }
        let away = Probe.Finding(
            name: "away", profile: Profile(name: "away"), result: .failure(Failure(69, "cannot connect to away")))
        let findings = [
            machine("busy", load: 7, gpus: [gpu(0, 24)]), machine("full", disk: 1, gpus: [gpu(0, 24)]), machine("bare"),
            broken, away,
            machine("small", gpus: [gpu(0, 24, free: 1)]),
        ]
        let failure = #expect(throws: Failure.self) { try choose("gpu-memory=2G,disk=3G,cpus=4", findings) }
        #expect(failure?.status == 69)
        #expect(
            failure?.why == """
                busy: 1 of 8 cores free, not 4
                full: 1.1 GB of disk, not 3.2 GB
                bare: no GPU
                broken: no GPU can be asked: NVIDIA-SMI has failed
                away: cannot connect to away
                small: 1.1 GB free on a GPU at most, not 2.1 GB
                """)
    }

    // MARK: Slurm

    @Test func ofAClusterTheSmallestTypeIsAskedFor() throws {
        let findings = [
            try cluster("fir", [partition("gpu", gpus: [("h100", 4, 8), ("h100_1g.10gb", 3, 7), ("a100", 0, 4)])])
        ]
        let choice = try choose("gpu-memory=8G,cpus=4,memory=12G", findings)
        #expect(
            choice.offer.options.map { "\($0.name)=\($0.value)" } == [
                "--cpus-per-task=4", "--mem=12288M", "--gres=gpu:h100_1g.10gb:1",
            ])
        #expect(try choice.options.text(of: "--gres") == "gpu:h100_1g.10gb:1")
        #expect(try choose("gpu-memory=20G", findings).offer.options.map(\.value) == ["gpu:h100:1"])
        let failure = #expect(throws: Failure.self) { try choose("gpus=5", findings) }
        #expect(failure?.why == "fir: gpu: 5 GPUs needed, there are 4 of 8 h100, 3 of 7 h100_1g.10gb, 0 of 4 a100 free")
    }

    /// A job's task is on one node.
    @Test func whatIsFreeOnManyNodesIsNotFreeOnOne() throws {
        let wide = try cluster("fir", [partition("wide", cores: (8, 64), gpus: [("h100", 4, 8)], nodes: 4)])
        #expect(try choose("cpus=2", [wide]).offer.options.map(\.value) == ["2"])
        let error = #expect(throws: Failure.self) { try choose("cpus=4", [wide]) }
        #expect(error?.why?.contains("wide: 2 cores free on one node, not 4") == true)
        let spread = #expect(throws: Failure.self) { try choose("gpus=2", [wide]) }
        #expect(spread?.why?.contains("4 of 8 h100 free, 1 on one node") == true)
    }

    @Test func thePartitionOfTheProfileCounts() throws {
        let partitions = [partition("small", cores: (2, 64)), partition("large", cores: (64, 64), isDefault: false)]
        #expect(throws: Failure.self) { try choose("cpus=4", [cluster("fir", partitions)]) }
        let named = try choose("cpus=4", [cluster("fir", partitions, ["--partition": "large"])])
        #expect(named.offer.options.map(\.name) == ["--cpus-per-task"])
        // Where none is the default one has to be named.
        let free = try choose("cpus=4", [cluster("fir", [partition("large", isDefault: false)])])
        #expect(free.offer.options.map { "\($0.name)=\($0.value)" } == ["--partition=large", "--cpus-per-task=4"])
    }

    @Test func aMachineThatFitsComesBeforeAClusterThatHasMore() throws {
        let findings = [try cluster("fir", [partition("cpu")]), machine("desk")]
        #expect(try choose("cpus=4", findings).profile.name == "desk")
    }
}
