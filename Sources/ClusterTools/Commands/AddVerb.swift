import SSH
import Slurm

extension Verb {
    static let add = Verb(
        name: "add", operands: "NAME", operandCount: 1...1,
        summary: "make a profile: logs in, looks around, asks",
        description: """
            Makes the profile NAME. Logs in (NAME may be an alias of ~/.ssh/config), finds out what there is: the scheduler, \
            accounts, partitions, GPUs, folders for large files, Python; asks what cannot be known, with a proposal that Enter \
            takes (- is for nothing); and writes the file to your configuration. Without a terminal proposals and options decide. \
            No file is overwritten unasked.
            """,
        examples: [
            .init("cluster add fir", "by the alias fir, asking"),
            .init("cluster add desk --hostname desk.example.org --user ada --yes", "without a question"),
        ],
        options: [
            .init(
                .hostname, nil, ["hostname"], .required("HOST"), help: "the access node, or an alias (default: NAME)"),
            .init(.user, nil, ["user"], .required("USER"), help: "the account there"),
            .init(.port, nil, ["port"], .required("PORT"), help: "of its ssh server"),
            .init(.key, nil, ["ssh-key", "ssh_key"], .required("FILE"), help: "the private key"),
            .init(.transport, nil, ["transport"], .required("NAME"), help: "libssh or openssh"),
            .init(.account, nil, ["account"], .required("NAME"), help: "Slurm's account"),
            .init(.partition, nil, ["partition"], .required("NAME"), help: "Slurm's partition"),
            .init(.time, nil, ["time"], .required("TIME"), help: "the time limit of jobs"),
            .init(.memory, nil, ["mem"], .required("SIZE"), help: "the memory of jobs"),
            .init(.gpus, nil, ["gpus"], .required("GPUS"), help: "of each job: 1, a100:2"),
            .init(.folder, nil, ["untar-path", "untar_path"], .required("DIR"), help: "the folder for runs"),
            .init(
                .activation, nil, ["activate-python", "activate_python"], .required("LINE"),
                help: "what activates Python"),
            .init(.force, nil, ["force"], help: "overwrite a profile of that name"),
            .init(.yes, "y", ["yes"], help: "ask nothing"),
        ]
    ) { call in try await call.untilSignal { try await AddVerb(call: call).run() } }
}

/// `cluster add NAME`: a guided profile.
struct AddVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        let keyboard = Keyboard(loop: call.surroundings.loop)
        let interview = call.has(.yes) ? nil : Interview(console: call.console, keyboard: keyboard)
        let path = try path(named: call.operands[0])
        let overwrites = try await mayOverwrite(path, interview)
        var draft = try await draft(interview)
        let profile = try draft.profile(path: path, home: call.surroundings.home)
        let connector = call.connector(for: profile, keyboard: keyboard)
        let (machine, report): (MachineReport, CheckReport)
        do {
            (machine, report) = try await connector.withHost { host in try await look(around: host, &draft, path) }
        } catch  where !Task.isCancelled {
            throw Failure(describing: Failure.connecting(to: connector.name, error))
        }
        draft.propose(report, machine)
        describe(report, machine, draft)
        try await ask(interview, about: &draft, report, machine)
        // What is written is what submit will read.
        _ = try draft.profile(path: path, home: call.surroundings.home)
        return try await write(draft, to: path, overwriting: overwrites, interview)
    }

    // MARK: Where to

    private func path(named name: String) throws(Failure) -> String {
        guard !name.isEmpty, !name.hasPrefix("."), !name.hasPrefix("-"), name != Profile.nameOfThisMachine,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") })
        else {
            throw Failure(
                Exit.usage, "\"\(name)\" cannot be the name of a profile",
                why: "it becomes a file's name, and what -c takes",
                remedy: "choose a word, such as fir")
        }
        let folder = Configuration.folder(environment: call.surroundings.environment, home: call.surroundings.home)
        return LocalPath.join(LocalPath.join(folder, "clusters"), name.hasSuffix(".json") ? name : name + ".json")
    }

    private func mayOverwrite(_ path: String, _ interview: Interview?) async throws -> Bool {
        guard LocalFile.isFile(path), !call.has(.force) else { return call.has(.force) }
        if let interview, interview.isPossible,
            try await interview.confirm("\(path) exists. Overwrite it?", proposal: false)
        {
            return true
        }
        throw Failure(
            Exit.cannotCreate, "\(path) exists", remedy: "choose another name, or add --force to overwrite it")
    }

    // MARK: What

    /// What has to be known to log in.
    private func draft(_ interview: Interview?) async throws -> ProfileDraft {
        let name = call.operands[0].hasSuffix(".json") ? String(call.operands[0].dropLast(5)) : call.operands[0]
        var draft = ProfileDraft(hostname: call.text(.hostname) ?? name)
        if call.text(.hostname) == nil, let interview {
            draft.hostname = try await interview.ask("Host name, or alias of ~/.ssh/config", name) {
                $0.isEmpty ? "there has to be one" : nil
            }
        }
        draft.user = call.text(.user)
        if let text = call.text(.port) {
            guard let port = Int(text), (1...65535).contains(port) else {
                throw Failure(Exit.usage, "--port: \"\(text)\" is no port")
            }
            draft.port = port
        }
        draft.sshKey = call.text(.key)
        if let text = call.text(.transport) {
            guard let transport = Transport(name: text) else {
                throw Failure(Exit.usage, "--transport: expected libssh or openssh, found \"\(text)\"")
            }
            draft.transport = transport
        }
        if draft.user == nil, let interview, interview.isPossible {
            let account = LocalAccount.current(environment: call.surroundings.environment)
            let lookup = ConfigurationLookup(account: account, loop: call.surroundings.loop)
            let known = try await lookup.configuration(of: draft.hostname, port: draft.port.map(UInt16.init))
            let answer = try await interview.ask("Your account there", known.user)
            // What ~/.ssh/config says anyway need not be said again.
            if answer != known.user { draft.user = answer }
        }
        draft.account = call.text(.account)
        draft.partition = call.text(.partition)
        draft.time = call.text(.time)
        draft.memory = call.text(.memory)
        draft.folder = call.text(.folder)
        draft.activation = call.text(.activation)
        if let gpus = call.text(.gpus), !draft.setGPUs(gpus) {
            throw Failure(Exit.usage, "--gpus: \"\(gpus)\" is no number of GPUs", remedy: "write 1, or a100:2")
        }
        return draft
    }

    /// Finds out which scheduler there is, and what else.
    private func look(
        around host: any Host, _ draft: inout ProfileDraft, _ path: String
    ) async throws -> (MachineReport, CheckReport) {
        draft.scheduler = .slurm
        do {
            return try await Examination(profile: try draft.profile(path: path, home: call.surroundings.home)).run(
                on: host)
        } catch let failure as Failure where failure.status == Exit.unavailable {
            // No Slurm: then none.
            draft.scheduler = SchedulerKind.none
        }
        return try await Examination(profile: try draft.profile(path: path, home: call.surroundings.home)).run(on: host)
    }

    private func describe(_ report: CheckReport, _ machine: MachineReport, _ draft: ProfileDraft) {
        var parts = [
            "\(report.host): " + (draft.scheduler == .slurm ? report.version ?? "Slurm" : "no Slurm, jobs run on it")
        ]
        if !machine.partitions.isEmpty {
            parts.append("partitions " + machine.partitions.map(\.name).joined(separator: ", "))
        }
        let types = machine.partitions.flatMap {
            $0.gpus.map { "\($0.share.total) \($0.type.isEmpty ? "GPUs" : $0.type)" }
        }
        if !types.isEmpty { parts.append("GPUs " + types.joined(separator: ", ")) }
        if !machine.gpus.isEmpty { parts.append("GPUs " + machine.gpus.map(\.name).joined(separator: ", ")) }
        if !report.accounts.isEmpty { parts.append("accounts " + report.accounts.joined(separator: ", ")) }
        if let python = report.python { parts.append("Python \(python)") }
        call.console.report(.note(parts.joined(separator: "; ")))
    }

    /// Asks what cannot be known, and no option has said.
    private func ask(
        _ interview: Interview?, about draft: inout ProfileDraft, _ report: CheckReport, _ machine: MachineReport
    ) async throws {
        guard let interview, interview.isPossible else { return }
        if draft.scheduler == .slurm {
            if report.accounts.count > 1, !call.has(.account) {
                draft.account = try await interview.ask(
                    "Account (\(report.accounts.joined(separator: ", ")))", draft.account ?? "")
            }
            let names = machine.partitions.map(\.name)
            if names.count > 1, !call.has(.partition) {
                let proposal = draft.partition ?? ""
                draft.partition = try await interview.ask(
                    "Partition (\(names.joined(separator: ", ")))"
                        + (proposal.isEmpty ? ", or Enter for the site's own choice" : ""),
                    proposal
                ) { answer in
                    answer.isEmpty || answer.split(separator: ",").allSatisfy { names.contains(String($0)) }
                        ? nil : "there is no partition \(answer)"
                }
            }
            if !call.has(.time) {
                draft.time = try await interview.ask("Time limit of a job", draft.time ?? "") { answer in
                    answer.isEmpty || SlurmDuration.seconds(answer) != nil
                        ? nil : "write 1:00:00, or 2-00:00:00 for two days"
                }
            }
            if !call.has(.gpus), machine.partitions.contains(where: { !$0.gpus.isEmpty }) {
                let answer = try await interview.ask("GPUs of a job (a number, or TYPE:NUMBER)", "0") { answer in
                    var draft = draft
                    return draft.setGPUs(answer) ? nil : "write 1, or a100:2"
                }
                _ = draft.setGPUs(answer)
            }
        }
        if !call.has(.folder) {
            let usual = report.scratches.contains("$SCRATCH") ? "$SCRATCH/cluster-tools" : "~/cluster-tools"
            let answer = try await interview.ask("Folder for runs", draft.folder ?? usual)
            draft.folder = answer == usual ? nil : answer
        }
        if !call.has(.activation) {
            draft.activation = try await interview.ask(
                "A shell line that activates Python, or Enter for none", draft.activation ?? "")
        }
    }

    private func write(
        _ draft: ProfileDraft, to path: String, overwriting: Bool, _ interview: Interview?
    ) async throws -> Int32 {
        let text = draft.json.indented + "\n"
        if let interview, interview.isPossible {
            call.console.report(.note("\(path):\n\(text)"))
            guard try await interview.confirm("Write it?", proposal: true) else {
                call.console.report(.note("nothing was written"))
                return Exit.interrupted
            }
        }
        let isThere: Bool
        do {
            let folder = StateFolder(at: LocalPath.folder(of: path))
            try folder.make()
            if overwriting {
                try folder.write(Array(text.utf8), to: LocalPath.name(of: path), isLasting: true)
                isThere = true
            } else {
                isThere = try folder.create(Array(text.utf8), at: LocalPath.name(of: path))
            }
        } catch {
            throw Failure(Exit.cannotCreate, "cannot write \(path)", cause: error)
        }
        guard isThere else {
            throw Failure(Exit.cannotCreate, "\(path) exists by now", remedy: "add --force to overwrite it")
        }
        let name = Profile.name(ofFile: path)
        call.console.report(.note("wrote \(path); cluster check \(name) tries it, submit -c \(name) uses it"))
        return 0
    }
}
