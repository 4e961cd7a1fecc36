extension Verb {
    static let notebook = Verb(
        name: "notebook", operands: "", operandCount: 0...0,
        summary: "JupyterLab as a job, shown in the browser",
        description: """
            Submits a job whose command is JupyterLab, with the files as they are now, and leads the browser there. The notebooks \
            that are made in it stay in the job's run folder. Ctrl-C asks whether to end it; cluster open comes back to it.
            """,
        examples: [
            .init("cluster notebook -c fir", "on that cluster, with the profile's options"),
            .init(
                "cluster notebook --sbatch_json '{\"--gres\": \"gpu:1\", \"--time\": \"8:00:00\"}'",
                "on a GPU, for a day's work"),
        ],
        options: [
            .init(.cluster, "c", ["cluster"], .required("PROFILE"), help: "where: as for submit"),
            .init(.name, "n", ["name"], .required("NAME"), help: "the job's name (default: the repository's)"),
            .init(.branch, "b", ["branch"], .required("BRANCH"), help: "send this branch, not the working tree"),
            .init(
                .sbatch, nil, ["sbatch_json", "sbatch-json"], .required("JSON"),
                help: "options for sbatch, over those of the profile and of sbatch.json"),
            .init(.detach, nil, ["detach"], help: "print the job's id and leave"),
        ]
    ) { try await NotebookVerb(call: $0).run() }
}

/// `cluster notebook`: a submission whose command is ours.
struct NotebookVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        // The options mean what they mean to submit: it reads them.
        var words: [String] = []
        for (option, spelling) in [
            (Verb.Option.cluster, "--cluster"), (.name, "--name"), (.branch, "--branch"), (.sbatch, "--sbatch_json"),
        ] {
            if let text = call.text(option) { words.append("\(spelling)=\(text)") }
        }
        if call.has(.detach) { words.append("--detach") }
        guard case .submit(var invocation) = try InvocationRequest.parse((words + ["notebook"]).map { Array($0.utf8) })
        else { preconditionFailure("options and a command are a submission") }
        invocation.isNotebook = true
        return try await SubmitCommand(
            invocation: invocation, surroundings: call.surroundings, console: call.console
        ).run()
    }
}
