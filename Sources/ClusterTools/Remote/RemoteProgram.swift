import Slurm
import Templates

/// A program for `/bin/sh` on a host, made from the pieces in `templates/remote`, and the tag of its answers.
///
/// The user's login shell (whichever it is) sees only ``command``, a line that means the same in sh, bash, zsh, tcsh and
/// fish. The program itself goes in by standard input, before whatever data it reads.
struct RemoteProgram: Sendable {
    /// What the answers begin with: random, so that nothing else that is printed can be taken for one.
    let tag: String
    /// The program's text.
    let text: [UInt8]

    /// The line for the login shell. Each `dd` reads what has come, and no more than the rest of the program, so what follows is
    /// left to that. In the locale C the shell counts bytes; the `x` keeps the line ends before it.
    var command: String {
        #"exec /bin/sh -c 'eval "$(LC_ALL=C; n=\#(text.count); while [ $n -gt 0 ]; do "#
            + #"c=$(dd bs=$n count=1 2>/dev/null; echo x); c=${c%x}; [ -n "$c" ] || break; "#
            + #"printf %s "$c"; n=$((n - ${#c})); done)"'"#
    }

    /// - Parameters:
    ///   - verb: what is to be done.
    ///   - root: the folder for runs, for a verb that has to find it.
    ///   - definitions: shell text that sets what the verb needs; see the head of its template.
    init(_ verb: Template.Piece, of profile: Profile, root: RunRoot? = nil, definitions: String) {
        tag = "@" + randomName(length: 16)
        let kind: Template.Piece = profile.scheduler == .slurm ? .slurm : .none
        let root = root?.definitions ?? "ct_variables=\n"
        // A program of its own, which has to outlive this one.
        let sweep = kind == .none ? "ct_sweep=\(ShellWord.quote(Template.remote(.sweep).text))\n" : ""
        let helpers: [Template.Piece] =
            switch verb {
            case .submit: [.snapshots, .building]
            case .clean, .env: [.storage]
            case .probe: [.gpus]
            default: []
            }
        let pieces = ([.prelude, kind] + helpers + [verb]).map { Self.essence(of: Template.remote($0).text) }
        text = Array(("ct_tag='\(tag)'\n" + root + sweep + definitions + "\n" + pieces.joined()).utf8)
    }
}

extension RemoteProgram {
    /// What runs elsewhere than where the program is sent to: a text that the program passes on.
    static func text(of pieces: Template.Piece...) -> String {
        pieces.map { essence(of: Template.remote($0).text) }.joined()
    }

    /// A program without what is there for people: half of it. No piece has a text of several lines in it that would mind.
    private static func essence(of piece: String) -> String {
        piece.split(separator: "\n").lazy.map { $0.drop { $0 == " " } }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
            .map { $0 + "\n" }.joined()
    }
}

/// The folder for runs on the cluster.
struct RunRoot: Sendable {
    /// The `untar_path` of the profile, or nil for the default: `$SCRATCH/cluster-tools`, else `~/cluster-tools`.
    private let path: RemoteText?
    /// The variables that are worth a look at what a login sets.
    private let variables: [String]

    init(of profile: Profile) {
        path = profile.untarPath
        // Here the user's environment is ours already.
        variables = profile.hostname == nil ? [] : path?.variables ?? ["SCRATCH"]
    }

    /// What the remote programs need to find it.
    var definitions: String {
        let word = path?.shellExpression() ?? #""${SCRATCH:-${HOME:?is not set}}/cluster-tools""#
        return """
            ct_variables='\(variables.joined(separator: " "))'
            ct_root() { printf %s \(word); }

            """
    }
}

/// A name that nobody guesses, of lower-case letters and digits.
func randomName(length: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return String((0..<length).map { _ in letters[Int.random(in: letters.indices, using: &generator)] })
}
