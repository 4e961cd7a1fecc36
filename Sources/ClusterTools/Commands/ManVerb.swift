extension Verb {
    static let man = Verb(
        name: "man", operands: "[PAGE]", operandCount: 0...1,
        summary: "print a manual page: of cluster, submit, or a verb",
        description: """
            Prints a manual page in the form of man(7), made from the same tables as the help.
            """,
        examples: [
            .init("cluster man submit | man -l -", "read it"),
            .init("cluster man logs >~/.local/share/man/man1/cluster-logs.1", "keep it: man cluster-logs"),
        ],
        options: []
    ) { call in
        print(try ManPage.named(call.operands.first).text, terminator: "")
        return 0
    }
}
