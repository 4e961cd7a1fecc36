#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Who we are on this machine: what `~`, `%u` and the like in an ssh configuration stand for.
public struct LocalAccount: Sendable {
    public var environment: [String: String]
    /// The folder that `~` means: HOME where it is set, else ``recordedHome``.
    public var home: String
    /// The home that the system's list of accounts has. ssh takes `~` for this one, whatever HOME says.
    public var recordedHome: String
    /// The account's name in that list.
    public var name: String
    public var id: UInt32
    /// This machine's own name.
    public var hostName: String

    /// That of this process.
    ///
    /// - Parameter environment: Its variables.
    public static func current(environment: [String: String]) -> LocalAccount {
        let (name, recordedHome) = passwordEntry() ?? (environment["USER"] ?? environment["LOGNAME"] ?? "", "")
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
        var host = [CChar](repeating: 0, count: 256)
        let hasHost = gethostname(&host, host.count - 1) == 0
        return LocalAccount(
            environment: environment, home: home ?? (recordedHome.isEmpty ? "/" : recordedHome),
            recordedHome: recordedHome, name: name, id: getuid(),
            hostName: hasHost
                ? String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
        )
    }

    private static func passwordEntry() -> (name: String, home: String)? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        guard getpwuid_r(getuid(), &entry, &buffer, buffer.count, &found) == 0, let found,
            let name = found.pointee.pw_name, let home = found.pointee.pw_dir
        else { return nil }
        return (String(cString: name), String(cString: home))
    }
}
