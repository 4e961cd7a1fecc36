import Slurm
import Templates

/// The programs that make a shell, or a command, in a job: see `templates/remote/shell.sh`, `terminal.sh`, `inside.sh` and
/// `hold.sh`.
struct ShellPrograms: Sendable {
    let profile: Profile
    let run: String
    /// The folder of the job's state files, and that where its command runs.
    let own: String
    let folder: String
    /// Slurm's number of the job; nil for a shell on the machine that is logged in to.
    let step: String?
    let node: String
    /// The command's words; none for a shell.
    let command: [String]

    /// What comes before the marks of what runs there.
    let tag = ShellMarks.newTag()

    /// What becomes the command, with three streams.
    var onPipes: RemoteProgram { entering("ct_pty=\nct_how=pipes\nct_guarded=\(ShellWord.quote(guarded))") }

    /// What ends the command on pipes when we have gone.
    var guarding: RemoteProgram {
        RemoteProgram(.guardian, of: profile, definitions: "ct_guarded=\(ShellWord.quote(guarded))\n")
    }

    private var guarded: String { "\(own)/.shell-\(tag.dropFirst())" }

    /// What becomes the shell or the command on a terminal, as a file: what is typed is not for reading programs from. Its
    /// argument says how; see `inside.sh`.
    private var onTerminal: String {
        "rm -f -- \"$0\"\n" + String(decoding: entering("ct_pty=yes\nct_how=$1\nct_guarded=").text, as: UTF8.self)
    }

    private func entering(_ how: String) -> RemoteProgram {
        let definitions = """
            ct_id=\(ShellWord.quote(step ?? ""))
            ct_node=\(ShellWord.quote(node))
            ct_inside=\(ShellWord.quote(RemoteProgram.text(of: .inside)))
            ct_arguments() { ct_enter \(ShellWord.join([tag, own, folder])) "$ct_how" \(ShellWord.join(command)); }
            \(how)

            """
        return RemoteProgram(.terminal, of: profile, definitions: definitions)
    }

    /// What makes it ready; see ``Conversation``.
    var preparing: RemoteProgram {
        let kept =
            "set -- " + ShellWord.join([tag, own, folder, "keep"]) + "\n"
            + RemoteProgram.text(of: .inside)
        let definitions = """
            ct_run=\(ShellWord.quote(run))
            ct_own=\(ShellWord.quote(own))
            ct_id=\(ShellWord.quote(step ?? ""))
            ct_hold=\(ShellWord.quote(RemoteProgram.text(of: .hold)))
            ct_kept=\(ShellWord.quote(kept))
            ct_program=\(ShellWord.quote(onTerminal))

            """
        return RemoteProgram(.shell, of: profile, definitions: definitions)
    }

    /// The line for the login shell, whichever that is, that runs the program in a file with an argument. Both may hold anything.
    static func command(runningFile path: String, _ argument: String) -> String {
        #"exec /bin/sh -c 'exec /bin/sh "$(printf "\#(escaped(path))")" "$(printf "\#(escaped(argument))")"'"#
    }

    /// A text for printf that no shell reads anything into.
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                return String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 8)
                return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }.joined()
    }
}
