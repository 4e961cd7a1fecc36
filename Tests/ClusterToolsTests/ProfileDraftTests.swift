import Slurm
import Testing

@testable import ClusterTools

/// What `cluster add` proposes, and what becomes of the answers.
@Suite struct ProfileDraftTests {
    private func partition(_ name: String, isDefault: Bool) -> PartitionUsage {
        PartitionUsage(name: name, isDefault: isDefault, isUp: true)
    }

    @Test func aClusterOfWhichNothingHasToBeSaid() throws {
        var draft = ProfileDraft(hostname: "fir", scheduler: .slurm)
        var machine = MachineReport()
        machine.partitions = [partition("cpu", isDefault: true), partition("gpu", isDefault: false)]
        var report = CheckReport()
        report.accounts = ["def-turing"]
        report.scratches = ["$SCRATCH", "/scratch/ada"]
        draft.propose(report, machine)
        #expect(draft.json.description == #"{"hostname":"fir","sbatch_options":{"--time":"1:00:00"}}"#)
    }

    @Test func whatHasToBeChosenIsProposed() throws {
        var draft = ProfileDraft(hostname: "fir", scheduler: .slurm, time: "2:00:00")
        var machine = MachineReport()
        machine.partitions = [partition("cpu", isDefault: false), partition("gpu", isDefault: false)]
        var report = CheckReport()
        report.accounts = ["rrg-x", "def-turing"]
        report.scratches = ["/scratch/ada"]
        report.activations = ["env/bin/activate"]
        draft.propose(report, machine)
        #expect(
            draft.json.description
                == #"{"hostname":"fir","sbatch_options":{"--account":"def-turing","--partition":"cpu","#
                + #""--time":"2:00:00"},"untar_path":"/scratch/ada/cluster-tools","activate_python":". ~/env/bin/activate"}"#
        )
        let profile = try draft.profile(path: "/p/fir.json", home: "/home/ada")
        #expect(profile.sbatchOptions.text(of: "--account") == "def-turing")
        #expect(profile.scheduler == .slurm)
    }

    @Test func aPlainMachine() throws {
        var draft = ProfileDraft(
            hostname: "desk", port: 2222, user: "ada", transport: .openssh, scheduler: SchedulerKind.none)
        draft.propose(CheckReport(), MachineReport())
        #expect(
            draft.json.description
                == #"{"hostname":"desk","port":2222,"user":"ada","transport":"openssh","scheduler":"none"}"#)
        #expect(try draft.profile(path: "/p/desk.json", home: "/").scheduler == SchedulerKind.none)
    }

    @Test(arguments: [
        ("2", "gpu:2"), ("a100", "gpu:a100"), ("a100:2", "gpu:a100:2"), ("gpu:a100:2", "gpu:a100:2"), ("0", nil),
        ("", nil),
    ])
    func gpus(answer: String, option: String?) {
        var draft = ProfileDraft(hostname: "x", gpus: "gpu:9")
        let isTaken = draft.setGPUs(answer)
        #expect(isTaken)
        #expect(draft.gpus == option)
    }

    @Test(arguments: ["a b", "a:b:c", "a100:", ":"]) func noGPUs(answer: String) {
        var draft = ProfileDraft(hostname: "x")
        let isTaken = draft.setGPUs(answer)
        #expect(!isTaken)
    }
}
