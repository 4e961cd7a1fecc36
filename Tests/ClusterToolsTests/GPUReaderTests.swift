import Foundation
import Testing

@testable import ClusterTools

/// Lines of what nvidia-smi printed on a real machine.
func recording(_ name: String) throws -> [String] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: folder.appending(path: "Recordings/\(name)"), encoding: .utf8)
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}

@Suite struct GPUReaderTests {
    @Test func severalGPUsAndWhoUsesThem() throws {
        let gpus = GPUReader.gpus(in: try recording("nvidia-smi-a5000-2.xml"), owners: [100477: "ada"])
        #expect(gpus.map(\.name) == ["NVIDIA RTX A5000", "NVIDIA RTX A5000"])
        #expect(gpus.map(\.index) == [0, 1])
        #expect(gpus[1].uuid == "GPU-12345678-aaaa-bbbb-cccc-0123456789cd")
        // Of its own memory, not of the window that the CPU has into it.
        #expect(
            gpus.map(\.memory) == [
                .init(total: 24564 << 20, free: 1678 << 20), .init(total: 24564 << 20, free: 6862 << 20),
            ])
        #expect(gpus.map(\.utilization) == [0, 0])
        #expect(gpus.map(\.temperature) == [13, 15])
        #expect(gpus[0].processes == [.init(id: 100477, memory: 22430 << 20, user: "ada")])
        #expect(gpus[0].users == ["ada"])
    }

    @Test func slicesOfAGPU() throws {
        let listing = [
            "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-513536b6-7d19-9063-b049-1e69664bb298)",
            "  MIG 2g.20gb     Device  0: (UUID: MIG-ec4c3916-65fa-5948-b9b5-9f21a2ddfcc0)",
            "  MIG 2g.20gb Device 1: (UUID: MIG-GPU-9de3d0e8-33f5-10dc-0c79-2c88a7ab0a23/3/0)",
        ]
        let gpus = GPUReader.gpus(in: try recording("nvidia-smi-a100-mig.xml"), owners: [:], listing: listing)
        let gpu = try #require(gpus.first)
        #expect(gpus.count == 1)
        #expect(gpu.memory == .init(total: 81920 << 20, free: 80999 << 20))
        #expect(gpu.utilization == nil)
        #expect(gpu.slices.map(\.index) == [0, 1, 2, 3])
        #expect(gpu.slices.map(\.instance) == [3, 4, 5, 6])
        #expect(gpu.slices.allSatisfy { $0.memory == .init(total: 19968 << 20, free: 19955 << 20) })
        #expect(gpu.slices[0].uuid == "MIG-ec4c3916-65fa-5948-b9b5-9f21a2ddfcc0")
        #expect(gpu.slices[1].uuid == "MIG-GPU-9de3d0e8-33f5-10dc-0c79-2c88a7ab0a23/3/0")
        #expect(gpu.slices[2].uuid == nil)
        #expect(gpu.processes.isEmpty)
    }

    @Test func aCardOfADesktop() throws {
        let gpus = GPUReader.gpus(in: try recording("nvidia-smi-gt1030.xml"), owners: [:])
        #expect(gpus.map(\.memory) == [.init(total: 1998 << 20, free: 1123 << 20)])
        #expect(gpus.map(\.name) == ["NVIDIA GeForce GT 1030"])
    }

    @Test(arguments: [
        "N/A", "[N/A]", "[Not Supported]", "[Unknown Error]", "", "12 GiB", "-5 MiB", "99999999999999999999 MiB",
    ])
    func whatItDoesNotTell(text: String) {
        let lines = [
            "<gpu id=\"0\">", "<fb_memory_usage>", "<total>\(text)</total>", "<free>10 MiB</free>",
            "</fb_memory_usage>",
            "<gpu_util>\(text.hasSuffix("iB") ? "N/A" : text)</gpu_util>", "</gpu>",
        ]
        #expect(GPUReader.gpus(in: lines, owners: [:]) == [GPU(index: 0, uuid: nil, name: "GPU", memory: nil)])
    }
}
