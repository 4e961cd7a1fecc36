import Foundation
import Testing

@testable import ClusterTools

@Suite struct ShellTests {
    // MARK: Marks

    /// However the bytes come, the same is read of them.
    @Test(arguments: [1, 2, 3, 7, 1000]) func whatRunsIsToldFromTheRest(size: Int) {
        let tag = ShellMarks.newTag()
        let stream = Array(
            "Welcome!\nsrun: x\n\(tag) begin\r\nout \u{1E} put\(tag.dropLast())\n\(tag) end 7\nsrun: y\n".utf8)
        var marks = ShellMarks(tag: tag)
        var output: [UInt8] = []
        var found: [ShellMarks.Mark] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            let (bytes, some) = marks.feed(Array(stream[start..<min(start + size, stream.count)]))
            output += bytes
            found += some
        }
        output += marks.finish()
        #expect(String(decoding: output, as: UTF8.self) == "out \u{1E} put\(tag.dropLast())\n")
        #expect(found == [.begun, .ended(7)])
        #expect(String(decoding: marks.preamble, as: UTF8.self) == "Welcome!\nsrun: x\n")
    }

    @Test func whatIsTypedAppearsAtOnce() {
        var marks = ShellMarks(tag: "\u{1E}abc")
        #expect(marks.feed(Array("\u{1E}abc begin\n@".utf8)).output == Array("@".utf8))
        #expect(marks.feed(Array("~a".utf8)).output == Array("~a".utf8))
        #expect(marks.feed(Array("\u{1E}ab".utf8)).output == [])
        // It ended without a word.
        #expect(marks.finish() == Array("\u{1E}ab".utf8))
    }

    @Test func aLongPreambleIsCutOff() {
        var marks = ShellMarks(tag: "\u{1E}abc")
        for _ in 0..<1000 { _ = marks.feed(Array(repeating: UInt8(ascii: "x"), count: 1000)) }
        #expect(marks.preamble.count == 4096)
    }

    // MARK: Keys

    @Test(
        arguments: [
            ("ls\r", "ls\r", nil), ("~.", "", .leave), ("ls\r~.", "ls\r", .leave), ("a~.\r", "a~.\r", nil),
            ("~~.\r", "~.\r", nil), ("~a~.", "~a~.", nil), ("~?~.", "", .leave), ("\r~?x", "\rx", .help),
            ("~\r~.", "~\r", .leave),
        ] as [(String, String, EscapeKeys.Request?)])
    func keysForUs(typed: String, sent: String, request: EscapeKeys.Request?) {
        var whole = EscapeKeys()
        let (output, found) = whole.feed(typed.utf8)
        #expect(String(decoding: output, as: UTF8.self) == sent)
        #expect(found == request)
        // One by one, as they are typed.
        var single = EscapeKeys()
        var sentSingly = ""
        var last: EscapeKeys.Request?
        for key in typed.utf8 {
            let (output, found) = single.feed([key])
            sentSingly += String(decoding: output, as: UTF8.self)
            last = found ?? last
            if found == .leave { break }
        }
        #expect(sentSingly == sent)
        #expect(last == request)
    }

    // MARK: Programs

    @Test(arguments: ["sh", "bash", "zsh", "tcsh", "fish", "busybox"]) func anyLoginShellRunsAFile(shell: String) throws
    {
        let path = ["/bin/", "/usr/bin/"].map { $0 + shell }.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let path else {
            print("\(shell) is not installed")
            return
        }
        let name = "ct it's! $HOME \\ \"q\" % \(UUID().uuidString.prefix(8))"
        let file = FileManager.default.temporaryDirectory.appending(path: name).path
        defer { unlink(file) }
        try "printf '<%s>' \"$1\"".write(toFile: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments =
            (shell == "busybox" ? ["sh"] : []) + ["-c", ShellPrograms.command(runningFile: file, "tmux /tmp/é %s\\n")]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(String(decoding: output, as: UTF8.self) == "<tmux /tmp/é %s\\n>")
    }

    @Test func theWordsAfterTheJobAreTheCommands() throws {
        func parsed(_ words: String...) throws -> (options: Set<Verb.Option>, operands: [String]) {
            let request = try ClusterRequest.parse(["ssh"] + words)
            guard case .run(_, let occurrences, let operands) = request else { return ([], []) }
            return (Set(occurrences.map(\.id)), operands)
        }
        #expect(try parsed("4242", "ls", "-l", "--json").operands == ["4242", "ls", "-l", "--json"])
        #expect(try parsed("4242", "--no-keep", "ls", "-w").operands == ["4242", "ls", "-w"])
        #expect(try parsed("4242", "--no-keep", "ls", "-w").options == [.keep])
        #expect(try parsed("-w", "n2", "4242", "--", "-x").operands == ["4242", "-x"])
        #expect(try parsed().operands == [])
    }
}
