public import IO

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a command finds around it when it starts.
public struct Surroundings: Sendable {
    public let environment: [String: String]
    /// The folder the user stands in, absolute.
    public let folder: String
    public let home: String
    public let interrupts: Interrupts
    public let loop: PollLoop

    /// Those of this process. To be made once, at the beginning of `main`.
    public init(interrupts: Interrupts) throws {
        self.interrupts = interrupts
        loop = try PollLoop()
        environment = ProcessInfo.processInfo.environment
        home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        guard let folder = getcwd(nil, 0) else {
            throw Failure(
                Exit.noInput, "the current folder cannot be found", why: String(cString: strerror(errno)),
                remedy: "it may have been removed: cd to one that exists")
        }
        defer { free(folder) }
        self.folder = String(cString: folder)
    }

    /// The profile that a name means; without one the default of the configuration, else this machine itself.
    ///
    /// - Parameter repository: the top of the repository that is searched for `clusters/`, if there is one.
    func profile(named name: String?, repository: String?) throws(Failure) -> Profile {
        let configurationFolder = Configuration.folder(environment: environment, home: home)
        return try ProfileLocator(repository: repository, configurationFolder: configurationFolder)
            .profile(named: name, configuration: try Configuration.load(folder: configurationFolder), home: home)
    }
}
