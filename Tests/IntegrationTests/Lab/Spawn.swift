import CLab

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A process that has been started, and this side of its streams: non-blocking descriptors that the owner closes.
struct Spawned {
    let process: pid_t
    var readers: [Launch.Stream: Int32]
    /// The pipe to standard input; -1 where standard input is the terminal.
    var input: Int32
}

/// Starts a process in a session of its own, with default signals, no blocked signal and no descriptor but 0, 1 and 2.
///
/// `Foundation.Process` would hand on the signal mask of the thread it happens to run on, and cannot give the child a
/// controlling terminal.
func spawn(_ launch: Launch) throws(LabError) -> Spawned {
    var ours: [Int32] = []
    var theirs: [Int32] = []
    defer { for descriptor in theirs { close(descriptor) } }
    do {
        var readers: [Launch.Stream: Int32] = [:]
        var input: Int32 = -1
        var standard: [Int32] = [-1, -1, -1]
        var terminal: String?

        if let size = launch.terminal {
            let (leader, name) = try openTerminal(size)
            ours.append(leader)
            readers[.terminal] = leader
            terminal = name
        } else {
            let (read, write) = try makePipe()
            ours.append(write)
            theirs.append(read)
            standard[0] = read
            input = write
        }
        for (target, stream) in [(1, Launch.Stream.output), (2, .errors)]
        where launch.terminal == nil || launch.pipes.contains(stream) {
            let (read, write) = try makePipe()
            ours.append(read)
            theirs.append(write)
            readers[stream] = read
            standard[target] = write
        }
        let process = try start(launch, terminal: terminal, standard: standard)
        for descriptor in ours { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
        return Spawned(process: process, readers: readers, input: input)
    } catch {
        for descriptor in ours { close(descriptor) }
        throw error
    }
}

private func makePipe() throws(LabError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    let failed = lab_pipe(&ends)
    guard failed == 0 else { throw .system("pipe", failed) }
    return (ends[0], ends[1])
}

private func openTerminal(_ size: Launch.Size) throws(LabError) -> (leader: Int32, name: String) {
    var leader: Int32 = -1
    var name = [CChar](repeating: 0, count: 128)
    let failed = lab_open_terminal(size.rows, size.columns, &leader, &name, name.count)
    guard failed == 0 else { throw .system("pseudo-terminal", failed) }
    return (leader, String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
}

private func start(_ launch: Launch, terminal: String?, standard: [Int32]) throws(LabError) -> pid_t {
    let program = try find(launch.program, in: launch.environment["PATH"] ?? "/usr/bin:/bin")
    let variables = launch.environment.map { "\($0.key)=\($0.value)" }
    var process: pid_t = 0
    let failed = withCStrings([launch.program] + launch.arguments) { arguments in
        withCStrings(variables) { environment in
            lab_spawn(&process, program, arguments, environment, launch.directory, terminal, standard)
        }
    }
    guard failed == 0 else { throw .system("start \(program) in \(launch.directory)", failed) }
    return process
}

private func find(_ program: String, in path: String) throws(LabError) -> String {
    if program.contains("/") { return program }
    for folder in path.split(separator: ":") where access("\(folder)/\(program)", X_OK) == 0 {
        return "\(folder)/\(program)"
    }
    throw LabError(code: .system, message: "no program '\(program)' in \(path)")
}

/// Calls `body` with the strings as C wants them: an array of pointers that ends with nil.
private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
}
