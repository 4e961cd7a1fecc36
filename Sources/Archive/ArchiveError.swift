/// Why an archive could not be made.
public struct ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// A path that cannot be unpacked below a folder: empty, absolute, or with `..` or NUL in it.
        case invalidPath
        /// A file turned out longer or shorter than it was announced: it changes while it is read.
        case sizeChanged
        /// The calls came in an order that makes no archive.
        case misuse
        /// libarchive refused; the message is its own.
        case library
    }

    public let code: Code
    /// What failed, and where: a phrase without a full stop.
    public let message: String

    public var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
