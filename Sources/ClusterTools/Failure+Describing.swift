import Archive
import Git
import IO
import SSH
import Slurm

extension Failure {
    /// The failure that an error of any module means for the user.
    public init(describing error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as GitError: self.init(describing: error)
        case let error as SlurmError: self.init(Exit.usage, error.message, remedy: error.remedy)
        case let error as SSHError: self.init(Exit.unavailable, "the connection failed", cause: error)
        case let error as IOError: self.init(Exit.ioError, error.message)
        default: self.init(Exit.software, "something unforeseen happened", cause: error)
        }
    }

    private init(describing error: GitError) {
        switch error.code {
        case .fileTooLarge(let files):
            let names = files.prefix(10).map { "\($0.path) (\(byteCount($0.size)))" }
            let more = files.count > names.count ? ["and \(files.count - names.count) more"] : []
            self.init(
                Exit.dataError, "these files are not in git, and too large to be sent by accident",
                why: (names + more).joined(separator: "\n"),
                remedy: "name them in .gitignore, git add them, or allow them with --max-file-size")
        case .system: self.init(Exit.ioError, error.message)
        case .unreadableFile: self.init(Exit.noInput, error.message)
        case .unknownRevision: self.init(Exit.usage, error.message)
        default: self.init(Exit.dataError, error.message)
        }
    }
}
