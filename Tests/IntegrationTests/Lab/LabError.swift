#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What went wrong in the test laboratory itself: a program that did not answer in time, a cluster that did not start.
struct LabError: Error, CustomStringConvertible {
    enum Code: Equatable {
        /// A deadline passed.
        case timeout
        /// A process, pseudo-terminal or pipe could not be made.
        case system
        /// A helper program (git, the demo cluster's scripts) reported a failure.
        case command
    }

    let code: Code
    let message: String

    var description: String { message }

    /// A failed system call: `name` is the call, `number` its errno.
    static func system(_ name: String, _ number: Int32) -> LabError {
        LabError(code: .system, message: "\(name): \(String(cString: strerror(number)))")
    }
}
