import Slurm

/// An environment that is made on the access node, as `templates/remote/building.sh` does it.
struct EnvironmentBuild: Sendable {
    /// What for.
    enum Purpose: String, Sendable {
        /// For the job that is submitted when it is there.
        case job
        /// For itself, ahead of jobs.
        case alone
    }

    /// How far it is.
    enum Progress: Sendable {
        /// The last line of its log.
        case line(String)
        /// What a person is to be told.
        case note(String)
    }

    /// The user wants no job any more. What has become of the run is for ``RunClaim/settle(on:)`` to find out.
    struct Abandoned: Error {}

    var purpose: Purpose
    var profile: Profile
    /// The folder that the command runs in.
    var directory: String

    /// What the submitting program needs to know.
    var definitions: String {
        """
        ct_build=\(purpose.rawValue)
        ct_activation=\(ShellWord.quote(activation))

        """
    }

    /// The same where nothing is to be made.
    static let noDefinitions = "ct_build=\n"

    /// The environment is for the Python that jobs have: in a login shell, after the profile's lines.
    private var activation: String {
        let folder = directory.isEmpty ? "" : "/" + ShellWord.quote(directory)
        let file = ShellWord.quote(profile.requirements?.file ?? "")
        let program = purpose == .job ? "submit" : "cluster env build"
        let lines =
            [#"cd "$CT_RUN/code"\#(folder) || exit 66"#] + profile.environment.shellLines + ["true"]
            + profile.activatePython + [
                "submit_activation=$?",
                #"[ "$submit_activation" -eq 0 ] || { echo "activate_python failed with status $submit_activation"; exit 78; }"#,
                #"exec /bin/sh "$CT_RUN/job/maker/environment.sh" "$CT_RUN/code" \#(ShellWord.quote(directory)) \#(file) "$CT_POOL" \"#,
                #""$CT_RUN/job" "\#(program) on $(uname -n)""#,
            ]
        return lines.joined(separator: "\n")
    }

    /// The last answer of the program, after those that tell how far the environment is.
    static func lastAnswer(
        _ conversation: Conversation, abort: Submission.Abort, progress: (Progress) -> Void
    ) async throws -> Answer {
        while true {
            let answer = try await conversation.answer()
            guard answer.outcome == "building" else { return answer }
            if abort.isAsked { throw Abandoned() }
            for note in answer.all("note") { progress(.note(note)) }
            if let line = answer["line"], !line.isEmpty { progress(.line(line)) }
        }
    }
}

extension EnvironmentBuild.Progress {
    func show(on console: Console) {
        switch self {
        case .line(let line): console.progress("environment: " + TerminalText.line(line))
        case .note(let note): console.report(.note(note))
        }
    }
}
