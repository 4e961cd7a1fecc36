/// Finds the profile that a `-c` means. Pure: what exists is asked of closures.
public struct ProfileLocator: Sendable {
    /// The repository's top folder, if there is one.
    public var repository: String?
    /// The folder of the user's configuration; see ``Configuration/folder(environment:home:)``.
    public var configurationFolder: String
    /// Whether there is a file, not a folder, at a path.
    public var isFile: @Sendable (_ path: String) -> Bool
    /// The names of what lies in a folder, for suggestions; none for a folder there is not.
    public var names: @Sendable (_ folder: String) -> [String]

    public init(
        repository: String?, configurationFolder: String,
        isFile: @escaping @Sendable (String) -> Bool, names: @escaping @Sendable (String) -> [String]
    ) {
        self.repository = repository
        self.configurationFolder = configurationFolder
        self.isFile = isFile
        self.names = names
    }

    /// Where `name` is looked for, in order. A name with a slash is a path and nothing else.
    public func candidates(for name: String) -> [String] {
        let file = name.hasSuffix(".json") ? name : name + ".json"
        let here = name == file ? [name] : [name, file]
        if name.utf8.contains(UInt8(ascii: "/")) { return here }
        return here.map { "./" + $0 } + folders.map { LocalPath.join($0, file) }
    }

    /// The path of the profile `name` means.
    public func locate(_ name: String) throws(Failure) -> String {
        let candidates = candidates(for: name)
        if let found = candidates.first(where: isFile) { return found }
        throw Failure(
            Exit.noInput, "there is no profile \"\(name)\"",
            why: "looked for " + candidates.joined(separator: "\n           "), remedy: remedy(for: name))
    }

    private func remedy(for name: String) -> String {
        let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
        let known = (["."] + folders).flatMap(names).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
        if let nearest = Suggestion.nearest(to: LocalPath.name(of: stem), among: known) {
            return "did you mean \(nearest)?"
        }
        // What lies in the working folder may be anything; the others hold profiles only.
        let profiles = Set(folders.flatMap(names).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) })
            .sorted()
        guard !profiles.isEmpty else {
            return "a profile is a JSON file such as {\"hostname\": \"fir.alliancecan.ca\", \"user\": \"…\"}"
        }
        return "there are \(JSONField.list(profiles))"
    }

    private var folders: [String] {
        (repository.map { [LocalPath.join($0, "clusters")] } ?? [])
            + [LocalPath.join(configurationFolder, "clusters")]
    }
}
