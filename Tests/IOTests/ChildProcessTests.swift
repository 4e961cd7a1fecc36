import IO
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct ChildProcessTests {
    private func run(
        _ executable: String, _ arguments: [String], input: String = "", environment: [String: String]? = nil,
        directory: String? = nil, newSession: Bool = false
    ) async throws -> (output: String, errors: String, status: IO.ExitStatus) {
        let loop = try PollLoop()
        return try await withChildProcess(
            executable, arguments, environment: environment, directory: directory, newSession: newSession, loop: loop
        ) { child in
            try await within(20) {
                async let errors = readErrors(of: child)
                try await child.write(Array(input.utf8))
                try await child.finishWriting()
                let output = text(try await child.readToEnd(limit: 1 << 24))
                return (output, try await errors, try await child.exitStatus())
            }
        }
    }

    @Test func streamsAndStatus() async throws {
        let result = try await run("/bin/sh", ["-c", "cat; echo oops >&2; exit 3"], input: "hello")
        #expect(result.output == "hello")
        #expect(result.errors == "oops\n")
        #expect(result.status == .exited(3))
    }

    @Test func argumentsAreArguments() async throws {
        let words = ["", "a b", "$HOME", "it's", "\n", "ü", "*"]
        let result = try await run("/bin/sh", ["-c", #"for w; do printf '<%s>' "$w"; done"#, "sh"] + words)
        #expect(result.output == words.map { "<\($0)>" }.joined())
    }

    @Test func namesAreFoundInPath() async throws {
        #expect(try await run("sh", ["-c", "exit 0"]).status.isSuccess)
    }

    @Test func aSignalHasItsName() async throws {
        #expect(try await run("/bin/sh", ["-c", "kill -TERM $$"]).status == .signaled("TERM"))
        #expect(try await run("/bin/sh", ["-c", "kill -KILL $$"]).status == .signaled("KILL"))
    }

    @Test func environmentAndDirectory() async throws {
        let result = try await run(
            "/bin/sh", ["-c", "echo $ONLY $HOME; pwd"], environment: ["ONLY": "x"], directory: "/")
        #expect(result.output == "x\n/\n")
    }

    @Test func aMissingProgramSaysItsName() async throws {
        let error = await #expect(throws: IOError.self) { _ = try await run("/no/such/program", []) }
        #expect(error?.code == .spawnFailed)
        #expect(error?.message.contains("/no/such/program") == true)
    }

    @Test func theChildsSignalsAreAsAShellExpects() async throws {
        #if canImport(Glibc)
            let result = try await run("/bin/sh", ["-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status"])
            let masks = result.output.split(separator: "\n").compactMap {
                $0.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) }
            }
            // The signals 1 to 31: beyond them, the C library keeps two to itself.
            #expect(masks.map { $0 & 0x7fff_ffff } == [0, 0])
        #else
            print("skipped: no /proc here")
        #endif
    }

    @Test func noOtherDescriptorIsInherited() async throws {
        #if canImport(Glibc)
            let fd = open("/", O_RDONLY)  // Without close-on-exec.
            defer { _ = close(fd) }
            let result = try await run("/bin/ls", ["/proc/self/fd"])
            // The fourth is the folder that ls itself reads.
            #expect(result.output == "0\n1\n2\n3\n")
        #else
            print("skipped: no /proc here")
        #endif
    }

    @Test func aNewSessionIsItsOwnGroup() async throws {
        let result = try await run("/bin/sh", ["-c", "ps -o pid=,pgid=,sid= -p $$"], newSession: true)
        let numbers = result.output.split(whereSeparator: \.isWhitespace)
        #expect(numbers.count == 3)
        #expect(Set(numbers).count == 1)
    }

    @Test func leavingTheScopeEndsTheChild() async throws {
        let loop = try PollLoop()
        let start = ContinuousClock.now
        let pid = try await withChildProcess("/bin/sh", ["-c", "echo $$; exec sleep 60"], loop: loop) { child in
            try #require(Int32(text(try await child.read(upTo: 100)).dropLast()))
        }
        #expect(kill(pid, 0) == -1)
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func aStubbornChildIsKilled() async throws {
        let loop = try PollLoop()
        let pid = try await withChildProcess(
            "/bin/sh", ["-c", "trap '' TERM; echo $$; while :; do sleep 0.05; done"], newSession: true, loop: loop
        ) { child in
            try #require(Int32(text(try await child.read(upTo: 100)).dropLast()))
        }
        #expect(kill(pid, 0) == -1)
    }

    @Test func cancellationEndsTheChild() async throws {
        let loop = try PollLoop()
        let task = Task {
            try await withChildProcess("/bin/sleep", ["60"], loop: loop) { child in
                _ = try await child.readToEnd()
            }
        }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await within { try await value(of: task) } }
    }

    @Test func writingToAProgramThatHasGoneIsAnError() async throws {
        let loop = try PollLoop()
        let error = await #expect(throws: IOError.self) {
            try await withChildProcess("/bin/true", [], loop: loop) { child in
                try await within {
                    while true { try await child.write([UInt8](repeating: 0, count: 65536)) }
                }
            }
        }
        #expect(error?.code == .brokenPipe)
    }
}

private func readErrors(of child: any RunningProcess) async throws -> String {
    var all: [UInt8] = []
    while case let bytes = try await child.readError(upTo: 1 << 16), !bytes.isEmpty { all += bytes }
    return text(all)
}
