import Foundation

/// A laptop's user for one test: a private home folder, configuration and state, so nothing of whoever runs the tests is
/// read or changed, and two tests never meet.
struct Desk: Sendable {
    /// Removed with all in it when the test ends.
    let folder: String

    var home: String { folder + "/home" }

    /// The whole environment of a program on this desk.
    var environment: [String: String] {
        [
            "HOME": home,
            "USER": NSUserName(),
            "LOGNAME": NSUserName(),
            "SHELL": "/bin/sh",
            "PATH": "\(Programs.folder):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "TMPDIR": folder + "/tmp",
            "GIT_CONFIG_NOSYSTEM": "1",
        ]
    }

    /// `submit` with these arguments, to be started in `directory`.
    func submit(_ arguments: [String], in directory: String) -> Launch {
        Launch(program: Programs.submit, arguments: arguments, directory: directory, environment: environment)
    }

    /// `cluster` with these arguments, to be started in `directory`.
    func cluster(_ arguments: [String], in directory: String) -> Launch {
        Launch(program: Programs.cluster, arguments: arguments, directory: directory, environment: environment)
    }
}

/// Lends a desk for as long as `body` takes.
func withDesk<Result: Sendable>(_ body: @Sendable (Desk) async throws -> Result) async throws -> Result {
    // Short, since paths of Unix sockets lie below it.
    let folder = Programs.temporary + "/ct-desk-" + UUID().uuidString.prefix(8)
    let desk = Desk(folder: folder)
    for path in [desk.home, folder + "/tmp"] {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
    do {
        let result = try await body(desk)
        try FileManager.default.removeItem(atPath: folder)
        return result
    } catch {
        // The test's own failure says more than one of the cleaning up.
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder): \(error)") }
        throw error
    }
}
