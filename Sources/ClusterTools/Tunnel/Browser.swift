import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The user's web browser.
struct Browser: Sendable {
    /// The command, its `%s` or its end standing for the address.
    let command: [String]

    /// The user's own choice, else the system's; nil where there is none, as in a session without a screen.
    ///
    /// - Parameters:
    ///   - environment: where `BROWSER`, `PATH` and the screen's variables are looked up.
    ///   - isExecutable: whether there is a program at a path.
    init?(
        environment: [String: String],
        isExecutable: (_ path: String) -> Bool = { access($0, X_OK) == 0 && LocalFile.isFile($0) }
    ) {
        let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        func find(_ program: String) -> String? {
            if program.contains("/") { return isExecutable(program) ? program : nil }
            return folders.map { "\($0)/\(program)" }.first(where: isExecutable)
        }
        // Several, the first of which that there is counts: see xdg-open(1) and Python's webbrowser.
        for choice in (environment["BROWSER"] ?? "").split(separator: ":") {
            let words = choice.split(separator: " ").map(String.init)
            guard let program = words.first, let path = find(program) else { continue }
            command = [path] + words.dropFirst()
            return
        }
        #if canImport(Darwin)
            command = ["/usr/bin/open"]
        #else
            let hasScreen = ["DISPLAY", "WAYLAND_DISPLAY"].contains { !environment[$0, default: ""].isEmpty }
            guard hasScreen, let path = find("xdg-open") else { return nil }
            command = [path]
        #endif
    }

    /// Shows a page, without waiting for the user to close it.
    ///
    /// - Parameter address: other users of this machine see it in the list of processes.
    func open(_ address: String, loop: PollLoop) async throws {
        let words =
            command.contains { $0.contains("%s") }
            ? command.map { $0.replacing("%s", with: address) } : command + [address]
        // Some start the browser itself, and end with it: it must outlive this process.
        let script = #""$@" </dev/null >/dev/null 2>&1 &"#
        try await withChildProcess(
            "/bin/sh", ["-c", script, "sh"] + words, newSession: true, loop: loop
        ) { process in _ = try await process.exitStatus() }
    }
}
