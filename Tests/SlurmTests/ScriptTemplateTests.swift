import Testing

@testable import Slurm

struct ScriptTemplateTests {
    @Test func fillsInOnce() throws {
        let template = try ScriptTemplate("#!/bin/bash\n{{A}}{{B}}\n  {{ A }}\n", name: "t.sh")
        #expect(template.placeholders == ["A", "B"])
        // A value that looks like a placeholder is a value.
        #expect(
            try template.render(["A": "{{B}}", "B": "'$x' é\n{{A}}"]) == "#!/bin/bash\n{{B}}'$x' é\n{{A}}\n  {{B}}\n")
    }

    @Test(arguments: [
        "${x}", "{{a,b},c}", "{ { A } }", "{{}}", "{{A}", "awk '{{print $1}}'", "{{A B}}", "${#x[@]}", "{{é}}",
    ])
    func otherBracesAreTheScripts(text: String) throws {
        let script = "#!/bin/sh\n\(text)\n"
        let template = try ScriptTemplate(script, name: "t.sh")
        #expect(template.placeholders == [])
        #expect(try template.render([:]) == script)
    }

    @Test func anUnknownPlaceholderIsNamed() throws {
        let template = try ScriptTemplate("#!/bin/sh\n\n x {{COMAND}}\n", name: "job.sh")
        let error = #expect(throws: SlurmError.self) { try template.render(["COMMAND": "x", "ARGS": "y"]) }
        #expect(
            error
                == SlurmError(
                    .badTemplate, "job.sh:3: there is no placeholder {{COMAND}}", remedy: "there are ARGS, COMMAND"))
    }

    @Test func aMissingPlaceholderIsNamed() throws {
        let template = try ScriptTemplate("#!/bin/sh\n{{A}}\n", name: "job.sh")
        let error = #expect(throws: SlurmError.self) {
            try template.render(["A": "x", "COMMAND": "y"], required: ["A", "COMMAND"])
        }
        #expect(error?.message == "job.sh: the placeholder {{COMMAND}} is missing")
    }

    @Test(arguments: [
        ("echo\n", "my job.sh:1: a job script starts with #!"),
        ("", "my job.sh:1: a job script starts with #!"),
        ("#!/bin/sh\necho\r\n", "my job.sh:2: a Windows line end (CRLF)"),
        ("#!/bin/sh\n\necho \0\n", "my job.sh:3: a NUL byte"),
    ])
    func textsThatAreNoScript(text: String, message: String) {
        let error = #expect(throws: SlurmError.self) { try ScriptTemplate(text, name: "my job.sh") }
        #expect(error?.message == message)
    }
}
