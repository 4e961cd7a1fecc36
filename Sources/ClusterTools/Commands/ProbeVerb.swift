import Git

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let probe = Verb(
        name: "probe", operands: "[NAME...]", operandCount: 0...Int.max,
        summary: "what is free on all machines and partitions",
        description: """
            What machines have, and what of it is free: cores and load, memory, the disk where runs go, GPUs and who uses them; \
            with Slurm the partitions, and how many jobs wait. All are asked at once, each with one login. Without a NAME: every \
            profile of this repository and of your configuration, and this machine.
            """,
        examples: [
            .init("cluster probe", "all of them"),
            .init("cluster probe fir desk here", "two profiles, and this machine"),
        ],
        options: []
    ) { call in try await call.untilSignal { try await ProbeVerb(call: call).run() } }
}

/// `cluster probe`: one login for each machine, all at once. One that cannot be reached is a line of the table.
struct ProbeVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        let targets = try ProfileCollection(surroundings: call.surroundings).targets(named: call.operands)
        let findings = try await Probe(console: call.console, surroundings: call.surroundings).findings(of: targets)
        let table = ProbeTable(findings: findings)
        if call.console.isJSON {
            for line in table.json() { print(line) }
        } else if let width = TerminalText.width(of: STDOUT_FILENO) {
            for line in table.aligned(width: width) { print(line) }
        } else {
            for line in table.tabSeparated() { print(line) }
        }
        return 0
    }
}

/// The profiles that there are where the user stands.
struct ProfileCollection {
    let surroundings: Surroundings

    /// The machines that these names mean, as with submit's `-c`, and `here` for this one; without names all that there are.
    func targets(named names: [String]) throws -> [Probe.Target] {
        let repository = repositoryFolder
        guard names.isEmpty else {
            return try names.map { name in
                guard name != Profile.nameOfThisMachine else { return thisMachine }
                // A name that is none is a mistake of the command line; a file that cannot be read, a finding.
                let path = try locator(repository).locate(name)
                return Probe.Target(name: Profile.name(ofFile: path), profile: load(path))
            }
        }
        var seen: Set<String> = [Profile.nameOfThisMachine]
        var targets: [Probe.Target] = []
        for folder in folders(repository) {
            for file in LocalFile.names(in: folder) where file.hasSuffix(".json") {
                let path = LocalPath.join(folder, file)
                // Of two with the same name the first is what `-c` would take.
                guard LocalFile.isFile(path), seen.insert(Profile.name(ofFile: path)).inserted else { continue }
                targets.append(Probe.Target(name: Profile.name(ofFile: path), profile: load(path)))
            }
        }
        return targets + [thisMachine]
    }

    private var thisMachine: Probe.Target {
        Probe.Target(name: Profile.nameOfThisMachine, profile: .success(.thisMachine))
    }

    private func load(_ path: String) -> Result<Profile, Failure> {
        Result { () throws(Failure) in
            let profile = try Profile.load(path, home: surroundings.home)
            try profile.checkFilledIn(options: profile.sbatchOptions)
            return profile
        }
    }

    private func locator(_ repository: String?) -> ProfileLocator {
        ProfileLocator(repository: repository, configurationFolder: configurationFolder)
    }

    private var configurationFolder: String {
        Configuration.folder(environment: surroundings.environment, home: surroundings.home)
    }

    private func folders(_ repository: String?) -> [String] {
        (repository.map { [LocalPath.join($0, "clusters")] } ?? []) + [LocalPath.join(configurationFolder, "clusters")]
    }

    /// The top of the repository that the user stands in. That it cannot be opened is for those to say who need it.
    private var repositoryFolder: String? {
        do { return try Repository.discover(from: surroundings.folder).workTree } catch { return nil }
    }
}
