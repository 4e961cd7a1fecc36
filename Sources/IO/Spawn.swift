internal import CSystem

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A started child and our ends of its three pipes.
struct SpawnedChild {
    var pid: pid_t
    var input: CInt
    var output: CInt
    var errors: CInt
}

/// Starts a program. See `withChildProcess` for what it inherits.
func spawn(
    _ executable: String, _ arguments: [String], environment: [String: String]?, directory: String?, newSession: Bool
) throws -> SpawnedChild {
    var pipes: [(read: CInt, write: CInt)] = []
    do {
        for _ in 0..<3 { pipes.append(try makePipe()) }
        let actions = try FileActions(
            input: pipes[0].read, output: pipes[1].write, errors: pipes[2].write, directory: directory)
        let attributes = SpawnAttributes(newSession: newSession)
        let pid = try start(executable, arguments, environment: environment, actions, attributes, in: directory)
        for end in [pipes[0].read, pipes[1].write, pipes[2].write] { _ = close(end) }
        return SpawnedChild(pid: pid, input: pipes[0].write, output: pipes[1].read, errors: pipes[2].read)
    } catch {
        for pipe in pipes {
            _ = close(pipe.read)
            _ = close(pipe.write)
        }
        throw error
    }
}

/// Starts a program as the leader of a session whose terminal is the one at this path.
func spawn(_ executable: String, _ arguments: [String], terminal: String) throws -> pid_t {
    try start(
        executable, arguments, environment: nil, FileActions(terminal: terminal), SpawnAttributes(newSession: true),
        in: nil)
}

private func start(
    _ executable: String, _ arguments: [String], environment: [String: String]?, _ actions: borrowing FileActions,
    _ attributes: borrowing SpawnAttributes, in directory: String?
) throws -> pid_t {
    var pid: pid_t = 0
    let status = withCStrings([executable] + arguments) { argv in
        guard let environment else {
            return posix_spawnp(&pid, executable, &actions.value.pointee, &attributes.value.pointee, argv, environ)
        }
        return withCStrings(environment.map { "\($0)=\($1)" }) { envp in
            posix_spawnp(&pid, executable, &actions.value.pointee, &attributes.value.pointee, argv, envp)
        }
    }
    guard status == 0 else {
        let place = directory.map { " in \($0)" } ?? ""
        throw IOError.of(status, "starting \(executable)\(place)", code: .spawnFailed)
    }
    return pid
}

/// A null-terminated array of C strings, as exec(3) takes it.
private func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}

/// What the child does with descriptors before it becomes the program.
private struct FileActions: ~Copyable {
    #if canImport(Darwin)
        let value = UnsafeMutablePointer<posix_spawn_file_actions_t?>.allocate(capacity: 1)
    #else
        let value = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
    #endif

    init(input: CInt, output: CInt, errors: CInt, directory: String?) throws {
        posix_spawn_file_actions_init(value)
        posix_spawn_file_actions_adddup2(value, input, 0)
        posix_spawn_file_actions_adddup2(value, output, 1)
        posix_spawn_file_actions_adddup2(value, errors, 2)
        #if canImport(Darwin)
            if let directory { posix_spawn_file_actions_addchdir_np(value, directory) }
        #else
            if let directory { _ = submit_spawn_addchdir(value, directory) }
            // Whatever other code has open without close-on-exec. (Darwin has an attribute for it.)
            _ = submit_spawn_addclosefrom(value, 3)
        #endif
    }

    /// The first terminal that a session's leader opens becomes the session's.
    init(terminal: String) {
        posix_spawn_file_actions_init(value)
        posix_spawn_file_actions_addopen(value, 0, terminal, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(value, 0, 1)
        posix_spawn_file_actions_adddup2(value, 0, 2)
        #if !canImport(Darwin)
            _ = submit_spawn_addclosefrom(value, 3)
        #endif
    }

    deinit {
        posix_spawn_file_actions_destroy(value)
        value.deallocate()
    }
}

/// What the child does with signals and sessions before it becomes the program.
private struct SpawnAttributes: ~Copyable {
    #if canImport(Darwin)
        let value = UnsafeMutablePointer<posix_spawnattr_t?>.allocate(capacity: 1)
    #else
        let value = UnsafeMutablePointer<posix_spawnattr_t>.allocate(capacity: 1)
    #endif

    init(newSession: Bool) {
        posix_spawnattr_init(value)
        // Threads here block signals, and the process may ignore some; a program expects neither.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(value, &none)
        posix_spawnattr_setsigdefault(value, &all)
        var flags = CInt(POSIX_SPAWN_SETSIGMASK) | CInt(POSIX_SPAWN_SETSIGDEF)
        #if canImport(Darwin)
            if newSession { flags |= CInt(POSIX_SPAWN_SETSID) }
            flags |= CInt(POSIX_SPAWN_CLOEXEC_DEFAULT)
        #else
            if newSession { flags |= CInt(SUBMIT_SPAWN_SETSID) }
        #endif
        posix_spawnattr_setflags(value, Int16(flags))
    }

    deinit {
        posix_spawnattr_destroy(value)
        value.deallocate()
    }
}
