import Testing

@testable import ClusterTools

struct FailureTests {
    private struct Cause: Error, CustomStringConvertible { let description: String }

    @Test func saysWhatWhyAndWhatToDo() {
        let failure = Failure(Exit.configuration, "a.json: no", why: "one\ntwo", remedy: "do this\nor that")
        #expect(
            failure.text(program: "submit") == """
                submit: error: a.json: no
                  one
                  two
                  hint: do this
                        or that
                """)
        #expect(failure.status == 78)
    }

    @Test func theCauseSpeaksWhenNothingElseDoes() {
        let failure = Failure(Exit.ioError, "cannot write", cause: Cause(description: "the disk is full"))
        #expect(failure.text(program: "cluster") == "cluster: error: cannot write\n  the disk is full")
        #expect("\(failure)" == "cannot write: the disk is full")
        #expect("\(Failure(1, "what", why: "reason", cause: Cause(description: "x")))" == "what: reason")
        #expect(Failure(1, "alone").text(program: "submit") == "submit: error: alone")
    }
}
