/// Something that a job needs of a machine or of this one, what was found, and what to do about it.
struct Requirement: Sendable, Equatable {
    enum Verdict: String, Sendable {
        case ok
        /// Jobs run all the same, with less.
        case warning
        case failure
    }

    /// A word or two.
    var name: String
    var verdict: Verdict
    /// What was found, in a line.
    var finding: String
    var remedy: String?
    /// The status to exit with because of it.
    var status: Int32 = Exit.unavailable

    static func ok(_ name: String, _ finding: String) -> Requirement {
        .init(name: name, verdict: .ok, finding: finding)
    }

    static func warning(_ name: String, _ finding: String, _ remedy: String? = nil) -> Requirement {
        .init(name: name, verdict: .warning, finding: finding, remedy: remedy)
    }

    static func failure(
        _ name: String, _ finding: String, _ remedy: String? = nil, status: Int32 = Exit.unavailable
    ) -> Requirement {
        .init(name: name, verdict: .failure, finding: finding, remedy: remedy, status: status)
    }

    /// What a failure says of a requirement.
    static func failure(_ name: String, _ failure: Failure) -> Requirement {
        .failure(
            name, failure.description, failure.remedy,
            status: failure.status == Exit.configuration ? Exit.configuration : Exit.unavailable)
    }

    var json: JSONValue {
        .object(
            [
                .init("requirement", .string(name)), .init("verdict", .string(verdict.rawValue)),
                .init("finding", .string(finding)),
            ] + (remedy.map { [.init("remedy", .string($0))] } ?? []))
    }
}
