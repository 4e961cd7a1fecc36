import Slurm
import Templates

/// What `templates/remote/check.sh` found on a machine.
struct CheckReport: Sendable, Equatable {
    var host = ""
    var user = ""
    var shell: String?
    /// Programs that are there, of those that were looked for.
    var programs: Set<String> = []
    /// The folder for runs; nil when nothing can be written there.
    var folder: String?
    var folderProblem: String?
    /// How the activation ended; nil when it did not get that far.
    var activation: Int32?
    /// What the activation printed, at most some lines.
    var activationOutput: [String] = []
    /// The Python after the activation: its version and its file.
    var python: String?
    var hasTensorBoard = false
    /// What can make environments: `venv` (with pip), `uv`, `micromamba`, `mamba`, `conda`.
    var environmentMakers: Set<String> = []
    /// Folders for large files, as a profile names them.
    var scratches: [String] = []
    /// Virtual environments, by their activation scripts in the home folder.
    var activations: [String] = []
    /// Slurm's version.
    var version: String?
    var accounts: [String] = []
    /// What Slurm says of a job with the profile's options: when and where it could start.
    var accepted: String?
    var refused: [String] = []
    /// Whether a logout ends all processes.
    var killsProcesses = false

    init() {}

    init(_ answer: Answer) {
        host = answer["host"] ?? ""
        user = answer["user"] ?? ""
        shell = answer["shell"].flatMap { $0.isEmpty ? nil : $0 }
        programs = Set(answer.all("have"))
        folder = answer["folder"]
        folderProblem = answer["folder-problem"]
        activation = answer["activation"].flatMap { Int32($0.filter { $0 != " " }) }
        activationOutput = answer.all("activation-output")
        python = answer["python"].flatMap(Self.present)
        environmentMakers = Set(answer.all("environments").compactMap(Self.present))
        hasTensorBoard = answer["tensorboard"] != nil
        scratches = answer.all("scratch")
        activations = answer.all("activate")
        version = answer["version"].flatMap(Self.present)
        accounts = answer.all("account").compactMap(Self.present)
        accepted = answer["accepted"]
        refused = answer.all("refused")
        killsProcesses = answer["kills-processes"] != nil
    }

    private static func present(_ text: String) -> String? {
        var text = text[...]
        while text.last == " " { text.removeLast() }
        return text.isEmpty ? nil : String(text)
    }

    /// The program that finds all this out.
    ///
    /// - Parameter profile: whose folder, activation and options are tried.
    static func program(for profile: Profile) -> RemoteProgram {
        let python = """
            printf '\\n%s activation %s\\n' "$CT_TAG" "$?"
            for name in python python3; do
                command -v "$name" >/dev/null 2>&1 || continue
                [ -n "$found" ] || found=$("$name" -c 'import sys; print(sys.version.split()[0], sys.executable)' 2>/dev/null)
                "$name" -c 'import importlib.util as i, sys; sys.exit(not i.find_spec("tensorboard"))' 2>/dev/null || continue
                printf '\\n%s tensorboard yes\\n' "$CT_TAG"
                break
            done
            [ -z "$found" ] || printf '\\n%s python %s\\n' "$CT_TAG" "$found"
            for name in uv micromamba mamba conda; do
                command -v "$name" >/dev/null 2>&1 && printf '\\n%s environments %s\\n' "$CT_TAG" "$name"
            done
            for name in python3 python; do
                "$name" -c 'import ensurepip, venv' 2>/dev/null && printf '\\n%s environments venv\\n' "$CT_TAG" && break
            done
            """
        let activation = (profile.environment.shellLines + ["true"] + profile.activatePython + [python]).joined(
            separator: "\n")
        let directives = profile.sbatchOptions.directives.joined(separator: "\n")
        return RemoteProgram(
            .check, of: profile, root: RunRoot(of: profile),
            definitions: """
                ct_activation=\(ShellWord.quote(activation))
                ct_test() { scheduler_test \(ShellWord.quote(directives)); }

                """)
    }
}

extension CheckReport {
    /// What is to be said of each requirement, in the order in which a job meets them.
    func requirements(of profile: Profile, machine: MachineReport) -> [Requirement] {
        var all: [Requirement] = [.ok("shell", "/bin/sh" + (shell.map { "; the login shell is \($0)" } ?? ""))]
        for program in ["tar", "gzip"] where !programs.contains(program) {
            all.append(.failure(program, "\(program) is not there", "ask the administrators of \(host) for it"))
        }
        if programs.isSuperset(of: ["tar", "gzip"]) { all.append(.ok("unpacking", "tar and gzip")) }
        all += profile.scheduler == .slurm ? slurm(profile, machine) : plain(profile)
        all.append(folder(machine))
        all += python(profile)
        if let problem = machine.gpuProblem {
            all.append(.warning("GPUs", problem, "no job there can use them: its driver needs attention"))
        }
        return all
    }

    private func slurm(_ profile: Profile, _ machine: MachineReport) -> [Requirement] {
        var all: [Requirement] = [.ok("scheduler", version ?? "Slurm")]
        all.append(
            programs.contains("bash")
                ? .ok("bash", "the job script is written for it")
                : .failure("bash", "bash is not there", "the job script begins with #!/bin/bash"))
        if let problem = machine.partitionProblem {
            all.append(.failure("controller", problem, "wait until the cluster's controller answers"))
        }
        if refused.isEmpty {
            all.append(
                .ok("options", "a job would be accepted" + (accepted.map { $0.isEmpty ? "" : ": it is \($0)" } ?? "")))
        } else {
            let partitions = machine.partitions.map(\.name)
            let hints = [
                accounts.isEmpty ? nil : "your accounts: \(accounts.joined(separator: ", "))",
                partitions.isEmpty ? nil : "partitions: \(partitions.joined(separator: ", "))",
            ].compactMap { $0 }
            all.append(
                .failure(
                    "options", "Slurm refuses a job with the profile's options: \(refused.joined(separator: " / "))",
                    "correct \"sbatch_options\"" + (hints.isEmpty ? "" : "; " + hints.joined(separator: "; ")),
                    status: Exit.configuration))
        }
        all.append(
            programs.contains("srun")
                ? .ok("way to workers", "ssh where the site allows it, else srun; tried when a job runs")
                : .warning("way to workers", "srun is not there: TensorBoard needs ssh to the workers", nil))
        return all
    }

    private func plain(_ profile: Profile) -> [Requirement] {
        var all: [Requirement] = []
        all.append(
            programs.isDisjoint(with: ["setsid", "perl"])
                ? .failure(
                    "detaching", "neither setsid nor perl is there: a job could not outlive its login",
                    "install util-linux")
                : .ok("detaching", "by \(programs.contains("setsid") ? "setsid" : "perl")"))
        if killsProcesses {
            all.append(
                .failure(
                    "logout",
                    "systemd ends all of a user's processes at logout there (KillUserProcesses=yes), jobs too",
                    "run there, once: loginctl enable-linger"))
        }
        return all
    }

    private func folder(_ machine: MachineReport) -> Requirement {
        guard let folder else {
            return .failure(
                "folder for runs", folderProblem ?? "it is not known",
                "name another one in \"untar_path\", such as \(scratches.first.map { $0 + "/cluster-tools" } ?? "~/cluster-tools")",
                status: Exit.configuration)
        }
        guard let disk = machine.disk else { return .ok("folder for runs", folder) }
        let words = "\(folder), \(byteCount(disk.free)) of \(byteCount(disk.total)) free"
        return disk.free < 1 << 30
            ? .warning("folder for runs", words, "make room, or name another folder in \"untar_path\"")
            : .ok("folder for runs", words)
    }

    private func python(_ profile: Profile) -> [Requirement] {
        guard activation == 0 else {
            let said = activationOutput.suffix(3).joined(separator: " / ")
            let how = activation.map { "ended with status \($0)" } ?? "ended the shell"
            return [
                .failure(
                    "activate_python", "the activation \(how)" + (said.isEmpty ? "" : ": \(said)"),
                    "correct \"activate_python\" or \"environment\"; try the lines there by hand, in a login shell",
                    status: Exit.configuration)
            ]
        }
        guard let python else {
            return [
                .warning(
                    "Python", "none is found after the activation", "name what activates it in \"activate_python\"")
            ]
        }
        return [
            .ok("Python", python),
            hasTensorBoard
                ? .ok("TensorBoard", "installed")
                : .warning(
                    "TensorBoard", "not installed in that Python",
                    "pip install tensorboard there, or submit --no-tensorboard"),
        ] + environments(profile)
    }

    /// Where the profile wants them.
    private func environments(_ profile: Profile) -> [Requirement] {
        guard profile.requirements != nil else { return [] }
        let makers = ["uv", "venv", "micromamba", "mamba", "conda"].filter(environmentMakers.contains)
        return makers.isEmpty
            ? [
                .failure(
                    "environments", "neither uv nor venv with pip is there",
                    "install uv there, or load a Python that has venv in \"activate_python\"")
            ] : [.ok("environments", "by \(makers.joined(separator: ", "))")]
    }
}
