import Templates

extension Verb {
    static let completion = Verb(
        name: "completion", operands: "SHELL", words: ["bash", "zsh", "fish"], operandCount: 1...1,
        summary: "tab completion for bash, zsh or fish",
        description: """
            Prints a script that makes the tab key complete options, verbs, profiles, branches and jobs. Its first lines say where \
            to put it.
            """,
        examples: [
            .init("source <(cluster completion bash)", "for this shell; in ~/.bashrc for every one"),
            .init("cluster completion fish >~/.config/fish/completions/cluster.fish", "for fish"),
        ],
        options: []
    ) { call in
        switch call.operands[0] {
        case "bash": print(Template.completion(.bash).text, terminator: "")
        case "zsh": print(Template.completion(.zsh).text, terminator: "")
        case "fish": print(Template.completion(.fish).text, terminator: "")
        case let other:
            throw Failure(Exit.usage, "completion: there is none for \(other)", remedy: "bash, zsh or fish")
        }
        return 0
    }
}
