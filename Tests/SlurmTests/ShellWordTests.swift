import Foundation
import Testing

@testable import Slurm

struct ShellWordTests {
    private static let words = [
        "", "plain", "a b", "it's", "'", "''", "\"", "$HOME", "`id`", "$(id)", "\\", "\\n", "a\nb", "\n", "*", "?",
        "[a]", "~",
        "~/x", "!x", "#x", "a=b", "PATH=x", "-n", "--", "if", "time", "done", "{a,b}", "<", ">", "|", "&", ";", "(",
        ")",
        "é", "e\u{301}", "'\u{301}", "日本", "\u{1F600}", "\t", "\u{1}", "\u{7f}", "a\r", "%s", "=", "function",
    ]

    private static let shells = ["/bin/sh", "/bin/bash", "/bin/busybox", "/usr/bin/zsh"].filter {
        let found = FileManager.default.isExecutableFile(atPath: $0)
        if !found { print("skipped: \($0) is not installed, so it is not asked what it makes of quoted words") }
        return found
    }

    @Test(.timeLimit(.minutes(1)), arguments: shells)
    func everyShellReadsTheSameWords(shell: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: shell)
        // Printed with what cannot be in a word: NUL.
        let script = "printf '%s\\0' " + ShellWord.join(Self.words)
        process.arguments = (shell.hasSuffix("busybox") ? ["sh"] : []) + ["-c", script]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let read = data.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { Array($0) }
        #expect(read == Self.words.map { Array($0.utf8) })
    }

    @Test func aKeywordAsAFirstWordIsAWord() {
        #expect(ShellWord.join(["time", "x"]) == "'time' x")
        #expect(ShellWord.join(["A=1", "x"]) == "'A=1' x")
    }

    @Test func harmlessWordsStayReadable() {
        #expect(ShellWord.join(["python", "main.py", "--lr=0.1", "a b"]) == "python main.py '--lr=0.1' 'a b'")
        #expect(ShellWord.quote("") == "''")
        #expect(ShellWord.quote("it's") == "'it'\\''s'")
    }
}
