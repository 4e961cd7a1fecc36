import Git

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

    /// The profile that one name means; without one the default.
    func profile(named name: String?) throws(Failure) -> Profile {
        if name == Profile.nameOfThisMachine { return .thisMachine }
        return try surroundings.profile(named: name, repository: repositoryFolder)
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
