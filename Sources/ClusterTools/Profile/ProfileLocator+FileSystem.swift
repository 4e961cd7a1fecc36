#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ProfileLocator {
    /// A locator that asks the file system.
    ///
    /// - Parameter repository: the repository's top folder, if there is one.
    public init(repository: String?, configurationFolder: String) {
        self.init(
            repository: repository, configurationFolder: configurationFolder, isFile: LocalFile.isFile,
            names: LocalFile.names)
    }

    /// The profile to use: the one named, else the configuration's default, else this machine itself.
    ///
    /// - Parameter home: what a leading `~` in a path on this machine stands for.
    public func profile(named name: String?, configuration: Configuration, home: String) throws(Failure) -> Profile {
        if let name { return try Profile.load(try locate(name), home: home) }
        guard let standard = configuration.defaultProfile else { return .thisMachine }
        do {
            return try Profile.load(try locate(LocalPath.expand(standard, home: home)), home: home)
        } catch  where error.status == Exit.noInput {
            var failure = error
            failure.what += ", the default of \(LocalPath.join(configurationFolder, "config.json"))"
            throw failure
        }
    }
}

extension LocalFile {
    /// The names of what lies in a folder, sorted; none when it cannot be read. For suggestions only.
    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names.sorted()
    }
}
