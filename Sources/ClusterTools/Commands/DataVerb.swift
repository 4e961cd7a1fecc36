import Git
import IO

extension Verb {
    static let data = Verb(
        name: "data", operands: "URL...", operandCount: 0...Int.max,
        summary: "let a cluster download what runs see as data/",
        description: """
            The cluster itself downloads files, several at once, into a folder of this repository's project beside its runs; every \
            run sees that folder as data/, unless the repository has a data/ of its own. With #sha256=… behind the URL a file is \
            kept only if that is its checksum. What breaks off goes on the next time; what is there is not fetched again.
            """,
        examples: [
            .init("cluster data -c fir https://example.org/iris.data", "runs there find it as data/iris.data"),
            .init("cluster data https://example.org/a.tar#sha256=9f86d0…", "only if it is the right one"),
        ],
        options: [
            .init(.cluster, "c", ["cluster"], .required("PROFILE"), help: "the cluster (default: as for submit)")
        ]
    ) { call in
        try await call.untilSignal { try await DataVerb(call: call).run() }
    }
}

/// `cluster data URL...`.
struct DataVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        guard !call.operands.isEmpty else { throw Failure(Exit.usage, "data: which URLs?") }
        var sources: [DataSource] = []
        for word in call.operands {
            let source = try DataSource(word)
            if let other = sources.first(where: { $0.name == source.name }) {
                guard other == source else {
                    throw Failure(
                        Exit.usage, "two files would be called \(source.name)", why: "\(other.url)\n\(source.url)",
                        remedy: "fetch one of them elsewhere")
                }
                continue
            }
            sources.append(source)
        }
        let repository = try Repository.discover(from: call.surroundings.folder)
        let profile = try call.surroundings.profile(named: call.text(.cluster), repository: repository.workTree)
        let keyboard = Keyboard(loop: call.surroundings.loop)
        let use = LinkUse()
        let link = call.link(for: profile, keyboard: keyboard, use: use)
        let download = DataDownload(
            sources, project: RunName.folder(for: repository.name), profile: profile, console: call.console, use: use)
        try await link.keep { host in try await download.run(on: host) }
        print(download.folder)
        let own = try LocalFolder(path: repository.workTree).entry(Array("data".utf8))
        if own != nil {
            call.console.report(
                .warning("there is a data/ here too: runs see that one, and not these files, unless git ignores it"))
        }
        let results = download.outcomes.values
        if results.contains(where: { if case .differs = $0 { true } else { false } }) { return Exit.dataError }
        return results.contains { if case .failed = $0 { true } else { false } } ? Exit.unavailable : 0
    }
}
