/// What was wrong with something meant for Slurm, or said by it.
public struct SlurmError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The key is no option as sbatch spells them.
        case badOptionName
        /// The option has a value it cannot have, or none where it needs one.
        case badOptionValue
        /// Two spellings of one option, with nothing to say which is meant.
        case duplicateOption
        /// sbatch has the option, but it makes no sense in a submission.
        case refusedOption
        /// A script's template asks for something there is not, or is malformed.
        case badTemplate
        /// A text of Slurm's has another form than documented.
        case unreadable
    }

    public let code: Code
    /// What is wrong and where: a phrase without a full stop.
    public let message: String
    /// What to write instead, when that is known.
    public let remedy: String?

    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    public var description: String { remedy.map { "\(message) (\($0))" } ?? message }
}
