import Foundation
import Testing

@testable import Slurm

/// The real sbatch reads what we write: it parses a script's options before it asks for a controller, which there is none.
struct DirectiveTests {
    private static let sbatch = "/usr/bin/sbatch"

    private static let isInstalled: Bool = {
        let found = FileManager.default.isExecutableFile(atPath: sbatch)
        if !found { print("skipped: \(sbatch) is not installed, so it is not asked what it makes of #SBATCH lines") }
        return found
    }()

    private static let values = [
        "plain", "two words", " leading and trailing ", "a # no comment", "#", "it's", "say \"hi\"", "back\\slash",
        "\\",
        "\\\\", "\\\"", "end\\", "'", "\"", "'\"'", "tab\tinside", "é 日本", "$HOME `id` $(id) !x *", "a=b", "-x",
        "--mem=1",
        "hetjob", ":", "%x-%j", "<>|&;", "a\\ b", "a\\#b", "[n1,n2]",
    ]

    @Test(.enabled(if: isInstalled), .timeLimit(.minutes(1)))
    func sbatchReadsExactlyTheValue() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "directive-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        // Nobody listens on port 1, so sbatch gives up as soon as it has read its options.
        try """
        ClusterName=none
        SlurmctldHost=localhost(127.0.0.1)
        SlurmctldPort=1
        SlurmctldTimeout=1
        MessageTimeout=2
        NodeName=n1
        PartitionName=p Nodes=ALL Default=YES

        """.write(to: folder.appending(path: "slurm.conf"), atomically: true, encoding: .utf8)

        var script = "#!/bin/bash\n"
        var expected: [String] = []
        for value in Self.values {
            var options = SbatchOptions()
            try options.set("--comment", to: .text(value))
            try options.set("--exclusive", to: .flag)
            script += options.directives.joined(separator: "\n") + "\n"
            expected += options.arguments
        }
        try (script + "true\n").write(to: folder.appending(path: "script"), atomically: true, encoding: .utf8)

        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        process.arguments = ["30", Self.sbatch, "-vvvv", folder.appending(path: "script").path(percentEncoded: false)]
        process.environment = [
            "PATH": "/usr/bin:/bin", "SLURM_CONF": folder.appending(path: "slurm.conf").path(percentEncoded: false),
        ]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let log = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()

        let prefix = "sbatch: debug2: Found in script, argument \""
        let found = log.split(separator: "\n").filter { $0.hasPrefix(prefix) }.map {
            $0.dropFirst(prefix.count).dropLast()
        }
        #expect(found.map { String($0) } == expected, "sbatch said: \(log.suffix(500))")
    }

    @Test func plainValuesStayReadable() throws {
        var options = SbatchOptions()
        try options.set("--gres", to: .text("gpu:a100:1"))
        try options.set("--time", to: .text("1-10:00:00"))
        try options.set("-H", to: .flag)
        try options.set("--mem", to: .removed)
        try options.set("-J", to: .text("my job"))
        #expect(
            options.directives == [
                "#SBATCH --gres=gpu:a100:1", "#SBATCH --time=1-10:00:00", "#SBATCH --hold",
                "#SBATCH --job-name=\"my job\"",
            ])
        #expect(options.arguments == ["--gres=gpu:a100:1", "--time=1-10:00:00", "--hold", "--job-name=my job"])
    }
}
