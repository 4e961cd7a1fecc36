import Foundation
import Testing

/// Disks that are full and homes that cannot be written, here and there: each has its outcome, and nothing is left half-made.
@Suite(
    .enabled(if: DemoCluster.rootObstacle == nil, "\(DemoCluster.rootObstacle ?? "")"),
    .timeLimit(.minutes(3)))
struct ScarcityTests {
    private func mount(_ arguments: [String]) async throws {
        let launch = Launch(
            program: "mount", arguments: arguments, directory: "/",
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
        _ = try await run(launch).checked("mount \(arguments.joined(separator: " "))")
    }

    private func unmount(_ path: String) async throws {
        let launch = Launch(
            program: "umount", arguments: ["-l", path], directory: "/",
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
        _ = try await run(launch).checked("umount \(path)")
    }

    /// Lends a small disk.
    private func withDisk(_ options: String, at path: String, _ body: () async throws -> Void) async throws {
        try await withMount(["-t", "tmpfs", "-o", options, "tmpfs"], at: path, body)
    }

    private func withMount(_ arguments: [String], at path: String, _ body: () async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try await mount(arguments + [path])
        do {
            try await body()
            try await unmount(path)
        } catch {
            try await unmount(path)
            throw error
        }
    }

    /// Why no folder with a quota can be made here; nil when one can. Of the file systems that have quotas only this one counts root's.
    private static let quotaObstacle: String? =
        FileManager.default.isExecutableFile(atPath: "/usr/bin/mkfs.btrfs")
            || FileManager.default.isExecutableFile(atPath: "/usr/sbin/mkfs.btrfs")
        ? nil : "btrfs-progs is not installed"

    /// Lends a folder, on a large disk, that 2 MB may be written to.
    private func withQuota(on desk: Desk, _ body: (_ folder: String) async throws -> Void) async throws {
        let image = desk.folder + "/image", disk = desk.folder + "/large", folder = disk + "/mine"
        func tool(_ arguments: String...) async throws {
            let launch = Launch(
                program: "/usr/bin/env", arguments: arguments, directory: "/",
                environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
            _ = try await run(launch).checked(arguments.joined(separator: " "))
        }
        try await tool("truncate", "-s", "200M", image)
        try await tool("mkfs.btrfs", "-q", image)
        try await withMount(["-o", "loop", image], at: disk) {
            try await tool("btrfs", "quota", "enable", disk)
            try await tool("btrfs", "subvolume", "create", folder)
            try await tool("btrfs", "qgroup", "limit", "2M", folder)
            try await body(folder)
        }
    }

    private func contents(of folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
    }

    /// Space or files: `size=2m` for a disk, `nr_inodes` for what a quota counts.
    @Test(arguments: ["size=2m", "size=40m,nr_inodes=12"])
    func aFullDiskThere(options: String) async throws {
        try await withDemoCluster { cluster in
            try await withRepository(files: ["job.sh": "true\n"]) { repository in
                for number in 1...20 { try repository.write("part\(number)", "") }
                try noise(4_000_000).write(to: URL(filePath: repository.folder + "/data"))
                let disk = repository.desk.folder + "/disk"
                try await withDisk(options, at: disk) {
                    let profile = try cluster.profile(on: repository.desk, ["untar_path": disk + "/runs"])
                    let finished = try await run(repository.submit("-c", profile, "sh", "job.sh"))
                    #expect(finished.status == .exited(74), "\(finished.errors)")
                    #expect(finished.errors.contains("cannot unpack the snapshot"))
                    #expect(finished.errors.contains("No space left on device"))
                    #expect(
                        try contents(of: disk) == [
                            "runs", "runs/" + URL(filePath: repository.folder).lastPathComponent,
                        ])
                    #expect(try entries(of: repository.desk.home + "/.local/state/cluster-tools/jobs") == [])
                }
            }
        }
    }

    @Test(.enabled(if: quotaObstacle == nil, "\(quotaObstacle ?? "")")) func anExpiredQuotaThere() async throws {
        try await withDemoCluster { cluster in
            try await withRepository(files: ["job.sh": "true\n"]) { repository in
                try noise(4_000_000).write(to: URL(filePath: repository.folder + "/data"))
                try await withQuota(on: repository.desk) { folder in
                    let profile = try cluster.profile(on: repository.desk, ["untar_path": folder])
                    let finished = try await run(repository.submit("-c", profile, "sh", "job.sh"))
                    #expect(finished.status == .exited(74), "\(finished.errors)")
                    #expect(finished.errors.contains("Disk quota exceeded"), "\(finished.errors)")
                    #expect(try contents(of: folder) == [URL(filePath: repository.folder).lastPathComponent])
                    #expect(try entries(of: repository.desk.home + "/.local/state/cluster-tools/jobs") == [])
                }
            }
        }
    }

    @Test(.enabled(if: quotaObstacle == nil, "\(quotaObstacle ?? "")")) func anExpiredQuotaHere() async throws {
        try await withDemoCluster { cluster in
            try await withRepository(files: ["job.sh": "true\n"]) { repository in
                try await withQuota(on: repository.desk) { folder in
                    let copy = Launch(
                        program: "git", arguments: ["clone", "-q", repository.folder, folder + "/copy"], directory: "/",
                        environment: repository.desk.environment)
                    _ = try await run(copy).checked("git clone")
                    try noise(1_300_000).write(to: URL(filePath: folder + "/copy/data"))
                    let finished = try await run(
                        repository.desk.submit(["-c", cluster.profile, "sh", "job.sh"], in: folder + "/copy"))
                    #expect(finished.status == .exited(74), "\(finished.errors)")
                    #expect(finished.errors.contains("Disk quota exceeded"), "\(finished.errors)")
                    #expect(!FileManager.default.fileExists(atPath: cluster.scratch + "/copy"))
                }
            }
        }
    }

    /// The disk is full when the job ends: what is known of its end comes from the queue.
    @Test func aDiskThatFillsUpWhileTheJobRuns() async throws {
        try await withDemoCluster { cluster in
            let script = "echo ready; cat /dev/zero >filler 2>/dev/null; echo lost >>other; exit 3"
            try await withRepository(files: ["job.sh": script]) { repository in
                let disk = repository.desk.folder + "/disk"
                try await withDisk("size=2m", at: disk) {
                    let profile = try cluster.profile(on: repository.desk, ["untar_path": disk + "/runs"])
                    let finished = try await run(repository.submit("-c", profile, "--no-tensorboard", "sh", "job.sh"))
                    #expect(finished.output.hasPrefix("ready\n"))
                    #expect(finished.status == .exited(3), "\(finished.errors)")
                }
            }
        }
    }

    @Test func aFullDiskHere() async throws {
        try await withDemoCluster { cluster in
            try await withRepository(files: ["job.sh": "true\n"]) { repository in
                let disk = repository.desk.folder + "/disk"
                try await withDisk("size=3m", at: disk) {
                    let copy = Launch(
                        program: "git", arguments: ["clone", "-q", repository.folder, disk + "/copy"], directory: "/",
                        environment: repository.desk.environment)
                    _ = try await run(copy).checked("git clone")
                    try noise(1_700_000).write(to: URL(filePath: disk + "/copy/data"))
                    let before = try contents(of: disk + "/copy/.git").filter { !$0.hasPrefix("objects/") }
                    let finished = try await run(
                        repository.desk.submit(["-c", cluster.profile, "sh", "job.sh"], in: disk + "/copy"))
                    #expect(finished.status == .exited(74), "\(finished.errors)")
                    #expect(finished.errors.contains("No space left on device"), "\(finished.errors)")
                    let after = try contents(of: disk + "/copy/.git").filter { !$0.hasPrefix("objects/") }
                    #expect(after == before)
                    #expect(!FileManager.default.fileExists(atPath: cluster.scratch + "/copy"))
                }
            }
        }
    }

    /// The job runs and is watched all the same; only later commands do not know it.
    @Test(arguments: [false, true])
    func aHomeThatCannotBeWritten(isFull: Bool) async throws {
        try await withDemoCluster { cluster in
            try await withRepository(files: ["job.sh": "echo ran; exit 5\n"]) { repository in
                let home = repository.desk.home
                try await withDisk("size=100k", at: home) {
                    if !isFull { try await mount(["-o", "remount,ro", home]) }
                    if isFull { try fill(home) }
                    let finished = try await run(
                        repository.submit("-c", cluster.profile, "--no-tensorboard", "sh", "job.sh"))
                    #expect(finished.status == .exited(5), "\(finished.errors)")
                    #expect(finished.output == "ran\n")
                    let warnings = finished.statusLines.filter { $0.hasPrefix("warning: ") }
                    #expect(warnings.count == 1, "\(finished.errors)")
                    #expect(warnings.first?.contains("later commands of cluster will not know this job") == true)
                }
            }
        }
    }

    /// Takes all the space that there is.
    private func fill(_ folder: String) throws {
        try Data().write(to: URL(filePath: folder + "/filler"))
        let file = try #require(FileHandle(forWritingAtPath: folder + "/filler"))
        defer { file.closeFile() }
        do {
            while true { try file.write(contentsOf: Data(count: 4096)) }
        } catch {
            // It is full.
        }
    }
}
