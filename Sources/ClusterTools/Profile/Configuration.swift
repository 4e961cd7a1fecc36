/// The user's own settings: `config.json` in the configuration folder.
public struct Configuration: Sendable, Equatable {
    /// The profile to use when none is named.
    public var defaultProfile: String?

    public init(defaultProfile: String? = nil) { self.defaultProfile = defaultProfile }

    /// `$XDG_CONFIG_HOME/cluster-tools`, or `~/.config/cluster-tools`. A relative `$XDG_CONFIG_HOME` does not count (XDG Base
    /// Directory Specification).
    public static func folder(environment: [String: String], home: String) -> String {
        let base = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return LocalPath.join(base ?? LocalPath.join(home, ".config"), "cluster-tools")
    }

    /// Reads the configuration; without a file everything is at its default.
    public static func load(folder: String) throws(Failure) -> Configuration {
        let path = LocalPath.join(folder, "config.json")
        guard LocalFile.isFile(path) else { return Configuration() }
        return try Configuration(json: try LocalFile.contents(of: path, subject: "the configuration"), path: path)
    }

    /// Decodes the text of the file at `path`.
    public init(json: [UInt8], path: String) throws(Failure) {
        let top = try JSONField(parsing: json, document: path)
        for (key, field) in try top.members() where field.value != .null {
            switch key {
            case "default": defaultProfile = try field.word()
            default: throw field.unknown(among: ["default"])
            }
        }
    }
}
