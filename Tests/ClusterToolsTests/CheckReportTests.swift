import Slurm
import Testing

@testable import ClusterTools

/// What `cluster check` says of what it found.
@Suite struct CheckReportTests {
    private var good: CheckReport {
        var report = CheckReport()
        report.host = "login1"
        report.programs = ["tar", "gzip", "bash", "setsid", "srun"]
        report.folder = "/scratch/ada"
        report.activation = 0
        report.python = "3.11.2 /usr/bin/python3"
        report.hasTensorBoard = true
        return report
    }

    private let cluster = Profile(name: "fir", hostname: "fir")
    private let plain = Profile(name: "desk", hostname: "desk", scheduler: SchedulerKind.none)

    private func problems(_ report: CheckReport, of profile: Profile, _ machine: MachineReport = MachineReport())
        -> [Requirement]
    {
        report.requirements(of: profile, machine: machine).filter { $0.verdict != .ok }
    }

    @Test func allIsThere() {
        #expect(problems(good, of: cluster) == [])
        #expect(problems(good, of: plain) == [])
    }

    @Test func everyFailureHasItsRemedy() {
        var report = CheckReport()
        report.refused = ["sbatch: error: Invalid account"]
        report.accounts = ["def-turing"]
        report.activation = 3
        report.activationOutput = ["module: command not found"]
        report.folderProblem = "/project/ada: Disk quota exceeded"
        for profile in [cluster, plain] {
            let failures = problems(report, of: profile).filter { $0.verdict == .failure }
            #expect(failures.count >= 5)
            #expect(failures.allSatisfy { $0.remedy != nil }, "\(failures)")
        }
        let options = problems(report, of: cluster).first { $0.name == "options" }
        #expect(options?.finding.hasSuffix("sbatch: error: Invalid account") == true)
        #expect(options?.remedy?.contains("def-turing") == true)
        #expect(options?.status == 78)
    }

    @Test func whatIsMissingForSomeThingsIsNoFailure() {
        var report = good
        report.hasTensorBoard = false
        report.programs.remove("srun")
        var machine = MachineReport()
        machine.gpuProblem = "NVIDIA-SMI has failed"
        machine.disk = .init(total: 1 << 40, free: 1 << 20)
        let found = problems(report, of: cluster, machine)
        #expect(found.map(\.name) == ["way to workers", "folder for runs", "TensorBoard", "GPUs"])
        #expect(found.allSatisfy { $0.verdict == .warning })
        // A plain machine needs no srun, and no bash.
        report.programs.remove("bash")
        #expect(problems(report, of: plain).map(\.name) == ["TensorBoard"])
    }

    @Test func environmentsNeedAMaker() {
        var wanting = plain
        wanting.requirements = EnvironmentPlan()
        var report = good
        #expect(problems(report, of: wanting).map(\.name) == ["environments"])
        report.environmentMakers = ["venv", "uv"]
        #expect(problems(report, of: wanting) == [])
        let all = report.requirements(of: wanting, machine: MachineReport())
        #expect(all.first { $0.name == "environments" }?.finding == "by uv, venv")
    }

    @Test func aLogoutThatEndsJobs() {
        var report = good
        report.killsProcesses = true
        #expect(problems(report, of: plain).first?.remedy?.contains("loginctl enable-linger") == true)
        #expect(problems(report, of: cluster) == [])
    }
}
