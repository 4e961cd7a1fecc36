import Foundation
import Testing

@testable import ClusterTools

struct RemoteTextTests {
    /// What `/bin/sh` makes of the expression.
    private func evaluate(
        _ expression: String, _ environment: [String: String]
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "printf %s \(expression)"]
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test(arguments: [
        ("~", "/home/o neil"),
        ("~/runs", "/home/o neil/runs"),
        ("$SCRATCH", "/s/*/\"x\" $HOME `id`"),
        ("$SCRATCH/a b/${SCRATCH}", "/s/*/\"x\" $HOME `id`/a b//s/*/\"x\" $HOME `id`"),
        ("/a/~/b~", "/a/~/b~"),
        ("it's \"quoted\" \\ * ? [a]", "it's \"quoted\" \\ * ? [a]"),
        ("$", "$"), ("a$/b", "a$/b"), ("$1x", "$1x"), ("$$", "$$"),
        ("$(touch /tmp/never)", "$(touch /tmp/never)"),
        ("`touch /tmp/never`", "`touch /tmp/never`"),
        ("${SCRATCH:-x}", "${SCRATCH:-x}"), ("${SCRATCH", "${SCRATCH"), ("~root/x", "~root/x"),
        ("é ü 日本", "é ü 日本"), ("", ""), ("-n", "-n"),
    ])
    func expandsWhatItShouldAndNothingElse(text: String, expected: String) throws {
        let environment = ["HOME": "/home/o neil", "SCRATCH": "/s/*/\"x\" $HOME `id`"]
        let result = try evaluate(RemoteText(text).shellExpression(), environment)
        #expect(result.output == expected)
        #expect(result.status == 0)
    }

    @Test func anUnsetVariableIsAnErrorOrEmpty() throws {
        let failing = try evaluate(RemoteText("$SCRATCH/x").shellExpression(), [:])
        #expect(failing.status != 0)
        #expect(failing.output.contains("SCRATCH: is not set on the cluster"))
        #expect(try evaluate(RemoteText("${NONE}x").shellExpression(unset: .empty), [:]).output == "x")
    }

    @Test func namesTheVariables() {
        #expect(RemoteText("~/$A/${B}/$A").variables == ["HOME", "A", "B"])
        #expect(RemoteText("/plain").variables == [])
    }

    @Test func noticesWhatLooksLikeMore() {
        #expect(RemoteText("$(id)").suspicious == "$(")
        #expect(RemoteText("${A:-b}/x").suspicious == "${A:-b}")
        #expect(RemoteText("~root/x").suspicious == "~root")
        #expect(RemoteText("a`id`").suspicious == "`")
        #expect(RemoteText("~/$A/${B}/$/~x").suspicious == nil)
    }
}
