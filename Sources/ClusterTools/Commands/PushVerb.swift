import IO
import Slurm

extension Verb {
    static let push = Verb(
        name: "push", operands: "PATH...", operandCount: 0...Int.max,
        summary: "send files to a job's run folder, or to a cluster",
        description: """
            Sends files and folders: those of the repository to the same place in the folder that a job's command runs in, with -c \
            any to a folder of a cluster (the home folder, or --to). Only what differs is sent; what breaks off goes on the next \
            time; a file that is newer there stays unless you say otherwise.
            """,
        examples: [
            .init("cluster push config.yaml", "to the newest job"),
            .init("cluster push -c fir data/train --to '$SCRATCH/data'", "a folder, to $SCRATCH/data/train there"),
        ],
        options: transferOptions(to: "DIR", "with -c: the folder there that they go to")
    ) { call in
        try await call.untilSignal { try await PushVerb(call: call).run() }
    }
}

/// `cluster push`.
struct PushVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        guard !call.operands.isEmpty else { throw Failure(Exit.usage, "push: which files?") }
        guard call.has(.cluster) else { return try await pushToRun() }
        if call.has(.job) { throw Failure(Exit.usage, "push: -j means a job's folder, and -c any other") }
        let profile = try call.profileOfOption()
        let folder = RemoteText(call.text(.to) ?? "~")
        if let suspicious = folder.suspicious {
            throw Failure(Exit.usage, "--to \(folder.text): \(suspicious) means nothing here")
        }
        let paths = try call.operands.map { word throws(Failure) in try LocalPlace(word, call.surroundings) }
        return try await push(paths.map { ($0.folder, $0.name) }, to: profile, named: folder.text) { _ in
            FarFolder(folder, of: profile)
        }
    }

    private func pushToRun() async throws -> Int32 {
        if call.has(.to) {
            throw Failure(Exit.usage, "push: a job's files go to where they are in the repository; --to needs -c")
        }
        let choice = try call.records().job(call.text(.job))
        if let note = choice.note { call.console.report(.note(note)) }
        let job = choice.job
        let profile = try call.profile(of: job)
        let home = job.folderHere
        var paths: [(folder: String, path: String)] = []
        for word in call.operands {
            let place = try LocalPlace(word, call.surroundings).path
            guard place.hasPrefix(home + "/") else {
                throw Failure(
                    Exit.usage, "\(word) is not in \(home), where job \(job.title) was submitted from",
                    remedy: "cluster push -c PROFILE \(word) --to FOLDER sends it anywhere")
            }
            paths.append((home, String(place.dropFirst(home.count + 1))))
        }
        let recorder = JobRecorder(store: call.store, console: call.console)
        return try await push(paths, to: profile, named: "job \(job.title)") { host in
            try await RunClaim(job: job, profile: profile).settledJob(on: host, recorder, call.console)
                .workFolder(of: profile)
        }
    }

    private func push(
        _ paths: [(folder: String, path: String)], to profile: Profile, named name: String,
        _ target: @escaping (any Host) async throws -> FarFolder
    ) async throws -> Int32 {
        var sources: [Push.Source] = []
        for (folder, path) in paths {
            if let index = sources.firstIndex(where: { $0.folder.path == folder }) {
                sources[index].paths.append(Array(path.utf8))
            } else {
                sources.append(Push.Source(folder: try LocalFolder(path: folder), paths: [Array(path.utf8)]))
            }
            guard try sources.last(where: { $0.folder.path == folder })?.folder.entry(Array(path.utf8)) != nil else {
                throw Failure(Exit.noInput, "there is no \(path) in \(folder)")
            }
        }
        let keyboard = Keyboard(loop: call.surroundings.loop)
        let use = LinkUse()
        let link = call.link(for: profile, keyboard: keyboard, use: use)
        let report = TransferReport(console: call.console, direction: .pushed, place: name)
        var push: Push?
        let outcome = try await link.keep { host -> TransferOutcome? in
            let current: Push
            if let push {
                current = push
            } else {
                current = Push(into: try await target(host), console: call.console, use: use) { newer in
                    if call.has(.force) { return true }
                    let names = TransferReport.list(newer.map(\.name))
                    let question = "Newer there: \(names). Replace \(newer.count == 1 ? "it" : "them")? [y/N] "
                    return try await call.isConfirmed(question, by: keyboard)
                }
                push = current
            }
            guard call.has(.dryRun) else { return try await current.run(sources, on: host) }
            for source in sources {
                report.show(try await current.plan(source, overwritesNewer: call.has(.force), on: host).plan)
            }
            return nil
        }
        return outcome.map(report.report) ?? 0
    }
}

/// A path here as somebody types it.
private struct LocalPlace {
    /// Absolute, without `.` and `..`.
    let path: String

    var folder: String { LocalPath.folder(of: path) }
    var name: String { LocalPath.name(of: path) }

    init(_ word: String, _ surroundings: Surroundings) throws(Failure) {
        let absolute = LocalPath.resolve(word, from: surroundings.folder, home: surroundings.home)
        var parts: [Substring] = []
        for part in absolute.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        guard !parts.isEmpty else { throw Failure(Exit.usage, "push: \(word) is the whole file system") }
        path = "/" + parts.joined(separator: "/")
    }
}
