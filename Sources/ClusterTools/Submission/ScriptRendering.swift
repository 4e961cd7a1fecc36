import Slurm
import Templates

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the job script is made from.
struct ScriptPlan {
    var profile: Profile
    var options: SbatchOptions
    /// The command's words, exactly as they were typed.
    var command: [String]
    /// The subfolder of the repository to run in; empty for its top.
    var directory: String
    /// The folder that TensorBoard shows, relative to where the command runs.
    var logdir: String
    var wantsTensorBoard: Bool
    var lingers: Bool
    /// How long before the time limit the job is put back in the queue, in seconds; nil for never.
    var requeueBefore: Int?

    /// Renders `templates/sbatch_script.sh`, or the profile's own template.
    func script() throws -> String {
        let template: String
        if let path = profile.template {
            do {
                template = try String(contentsOf: URL(filePath: path), encoding: .utf8)
            } catch {
                throw Failure(
                    Exit.noInput, "cannot read the template \(path)",
                    remedy: "\"template\" in \(profile.path ?? "the profile") names it", cause: error)
            }
        } else {
            template = Template.jobScript.text
        }
        let suffix = options.isArray ? "-%a" : ""
        do {
            return try ScriptTemplate(template, name: profile.template ?? "sbatch_script.sh").render(
                [
                    "OPTIONS": options.directives.joined(separator: "\n"),
                    "OUTPUT": "slurm\(suffix).out",
                    "ERROR": "slurm\(suffix).err",
                    "SUMMARY": summary,
                    "DIRECTORY": ShellWord.quote(directory),
                    "LOGDIR": ShellWord.quote(logdir),
                    "TENSORBOARD": wantsTensorBoard ? "yes" : "no",
                    "LINGER": lingers ? "yes" : "no",
                    "REQUEUE": requeueBefore.map { "\($0)" } ?? "",
                    "COMMAND": ShellWord.join(command),
                    "ENVIRONMENT": profile.environment.shellLines.joined(separator: "\n"),
                    "ACTIVATE": activation,
                    "REQUIREMENTS": requirements,
                ], required: requeueBefore == nil ? ["COMMAND"] : ["COMMAND", "REQUEUE"])
        } catch {
            throw Failure(Exit.configuration, error.message, remedy: error.remedy)
        }
    }

    /// The command in one line of a comment.
    private var summary: String {
        let text = ShellWord.join(command)
        return String(text.map { $0.isNewline ? " " : $0 }.prefix(200))
    }

    private var activation: String {
        guard !profile.activatePython.isEmpty else { return "" }
        return (profile.activatePython + ["submit_activation=$?"]).joined(separator: "\n")
    }

    private var requirements: String {
        profile.requirements.map { "submit_use_environment \(ShellWord.quote($0.file ?? ""))" } ?? ""
    }
}
