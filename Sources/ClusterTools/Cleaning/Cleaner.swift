import Git
import IO
import Slurm
import Templates

/// Cleans up one cluster, and what is here of its jobs: lists, asks, removes. One login.
struct Cleaner: Sendable {
    let call: Verb.Call
    let group: JobGroup
    /// All records of this machine.
    let records: [Job]
    let rules: CleaningPlan.Rules

    /// - Returns: 0, or the status that says what could not be removed.
    func run() async throws -> Int32 {
        let connector = call.connector(for: group.profile, keyboard: Keyboard(loop: call.surroundings.loop))
        return try await connector.withHost { host in
            try await Conversation.with(program, on: host) { conversation in
                let ready = try await conversation.answer(within: .seconds(60))
                if let failure = ready.failure(on: host.name) { throw failure }
                call.console.progress("looking at \(host.name)")
                let answer = try await conversation.ask("list")
                call.console.endProgress()
                if let failure = answer.failure(on: host.name) { throw failure }
                let plan = CleaningPlan(Findings(answer), jobs: group.jobs, rules)
                guard try await isWanted(plan, of: host.name) else { return 0 }
                return try await remove(plan.removed, conversation, host.name)
            }
        }
    }

    private func isWanted(_ plan: CleaningPlan, of host: String) async throws -> Bool {
        let table = CleaningTable(plan: plan, cluster: group.profile.name, now: rules.now)
        if call.console.isJSON {
            for line in table.json() { print(line) }
        } else if let width = TerminalText.width(of: 1) {
            if !plan.removed.isEmpty { for line in table.aligned(width: width) { print(line) } }
            for line in table.keptWords() { call.console.report(.note(line)) }
        } else {
            for line in table.tabSeparated() { print(line) }
        }
        guard !plan.removed.isEmpty else {
            call.console.report(.note("\(host): nothing to remove"))
            return false
        }
        if call.has(.dryRun) { return false }
        return try await call.isConfirmed("Remove \(Self.words(plan.removed)) on \(group.profile.name)?") {
            "clean would remove \(Self.words(plan.removed)) on \(group.profile.name), and nobody is there to ask"
        }
    }

    private func remove(_ items: [CleaningPlan.Item], _ conversation: Conversation, _ host: String) async throws
        -> Int32
    {
        var status: Int32 = 0
        var gone: [CleaningPlan.Item] = []
        for (index, item) in items.enumerated() {
            call.console.progress("removing \(index + 1) of \(items.count)")
            if let request = item.thing.request {
                let answer = try await conversation.ask(request)
                if let failure = answer.failure(on: host) { throw failure }
                if let why = answer["kept"] {
                    status = Exit.temporary
                    call.console.report(.warning("kept: \(item.path): \(why)"))
                    continue
                }
            }
            gone.append(item)
            if let job = item.job { try forget(job) }
        }
        call.console.endProgress()
        call.console.report(.note("removed \(Self.words(gone)) on \(group.profile.name)"))
        return status
    }

    /// Removes the record of a job, and the side branch that was made for it, unless another job or the user needs it.
    private func forget(_ job: Job) throws {
        try call.store.remove(job)
        if let branch = try call.removeBranch(of: job) {
            call.console.report(.note("kept: the branch \(branch): it is checked out, or was worked on"))
        }
    }

    /// Such as `3 run folders, 1 environment (1.2 GB)`.
    private static func words(_ items: [CleaningPlan.Item]) -> String {
        let names = [
            ("run", "run folder"), ("environment", "environment"), ("leftover", "leftover"), ("record", "record"),
        ]
        let parts = names.compactMap { word, name -> String? in
            let count = items.filter { $0.thing.word == word }.count
            return count == 0 ? nil : "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return parts.joined(separator: ", ") + " (\(byteCount(items.reduce(0) { $0 + $1.kilobytes } * 1024)))"
    }

    private var program: RemoteProgram {
        // Jobs may have been submitted with another untar_path.
        let bases = Set(group.jobs.compactMap { $0.run.map { LocalPath.folder(of: LocalPath.folder(of: $0)) } })
            .sorted()
        let lines = bases.filter { $0.hasPrefix("/") && $0.count > 1 && !$0.contains("\n") }
            .map { #"[ \#(ShellWord.quote($0)) = "$ct_base" ] || printf '%s\n' \#(ShellWord.quote($0))"# }
        let definitions = (["ct_bases() { :"] + lines + ["}", ""]).joined(separator: "\n")
        return RemoteProgram(.clean, of: group.profile, root: RunRoot(of: group.profile), definitions: definitions)
    }
}

extension CleaningPlan.Thing {
    /// What to ask the remote program for; nil for what is here.
    fileprivate var request: String? {
        switch self {
        case .run(let run): "run \(run.base) \(run.name)"
        case .environment(let other): "environment \(other.base) \(other.name)"
        case .leftover(let other): "leftover \(other.base) \(other.name)"
        case .record: nil
        }
    }
}
