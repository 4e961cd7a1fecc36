/// What a finished program left.
struct Finished: Sendable {
    let status: ExitStatus
    let outputBytes: [UInt8]
    let errorBytes: [UInt8]

    /// Standard output.
    var output: String { String(decoding: outputBytes, as: UTF8.self) }
    /// Standard error.
    var errors: String { String(decoding: errorBytes, as: UTF8.self) }
    var succeeded: Bool { status == .exited(0) }

    /// Itself, when the program succeeded.
    ///
    /// - Throws: what the program wrote, when it did not.
    func checked(_ what: String) throws(LabError) -> Finished {
        guard succeeded else {
            throw LabError(code: .command, message: "\(what): \(status)\n\(output)\(errors)")
        }
        return self
    }
}

/// Runs a program without a terminal to its end.
///
/// - Throws: a timeout when it takes longer than `limit`; it has been ended then. A failing exit status is no error.
func run(_ launch: Launch, within limit: Duration = .seconds(60)) async throws -> Finished {
    try await withChild(launch) { child in
        let status = try await child.finish(within: limit)
        return Finished(
            status: status, outputBytes: await child.bytes(.output), errorBytes: await child.bytes(.errors))
    }
}
