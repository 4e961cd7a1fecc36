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
        case let error as GitError:
            self.init(error.code == .unreadableFile ? Exit.noInput : Exit.dataError, error.message)
        case let error as SlurmError: self.init(Exit.usage, error.message, remedy: error.remedy)
        case let error as SSHError: self.init(Exit.unavailable, "the connection failed", cause: error)
        case let error as IOError: self.init(Exit.ioError, error.message)
        default: self.init(Exit.software, "something unforeseen happened", cause: error)
        }
    }
}
