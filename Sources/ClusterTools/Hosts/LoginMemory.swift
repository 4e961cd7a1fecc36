import SSH

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What is remembered of logins, a file for each host: which key sufficed, so that the next login needs fewer round trips. No
/// secret is among it. Nothing depends on it: what cannot be read or written is passed over.
struct LoginMemory: Sendable {
    private let folder: StateFolder
    private let console: Console

    /// How long no guess is made after one that has cost a connection, in seconds.
    private static let caution = 86_400

    init(environment: [String: String], console: Console) {
        folder = StateFolder("logins", environment: environment)
        self.console = console
    }

    /// A login that makes use of what is known, and adds to it.
    ///
    /// - Parameter opensChannel: whether commands will be run there.
    func apply(to login: inout Login, at endpoint: Endpoint, opensChannel: Bool) {
        let known = record(of: endpoint)
        if let key = known.key, known.restsUntil < time(nil) {
            login.guess = LoginGuess(key: key, opensChannel: opensChannel)
        }
        login.learn = { lesson in
            let record: Record =
                switch lesson {
                case .keySufficed(let key): Record(key: key, restsUntil: known.restsUntil)
                case .tookMore: Record(key: nil, restsUntil: known.restsUntil)
                case .guessFailed: Record(key: known.key, restsUntil: time(nil) + Self.caution)
                }
            if record != known { write(record, of: endpoint) }
        }
    }

    private struct Record: Equatable {
        var key: String?
        /// No guess is made before this time, in seconds since 1970.
        var restsUntil = 0
    }

    private func record(of endpoint: Endpoint) -> Record {
        let path = folder.file(name(of: endpoint))
        guard LocalFile.isFile(path) else { return Record() }
        do {
            let field = try JSONField(
                parsing: LocalFile.contents(of: path, subject: "what is known of a login"), document: path,
                status: Exit.dataError)
            let members = Dictionary(
                try field.members().map { ($0.name, $0.field) }, uniquingKeysWith: { first, _ in first })
            return Record(
                key: try members["key"]?.string(),
                restsUntil: try members["rests_until"]?.integer(in: 0...Int.max) ?? 0)
        } catch {
            console.report(.debug("\(error)"))
            return Record()
        }
    }

    private func write(_ record: Record, of endpoint: Endpoint) {
        let members: [(String, JSONValue?)] = [
            ("key", record.key.map { .string($0) }), ("rests_until", .number("\(record.restsUntil)")),
        ]
        let object = JSONValue.object(members.compactMap { name, value in value.map { .init(name, $0) } })
        do {
            try folder.make()
            try folder.write(Array((object.indented + "\n").utf8), to: name(of: endpoint), isLasting: false)
        } catch {
            console.report(.debug("what was learnt of the login is not kept: \(error)"))
        }
    }

    /// The host as a file's name: what could mean something in a path stands for itself no more.
    private func name(of endpoint: Endpoint) -> String {
        let text = "\(endpoint.user)@\(endpoint.host):\(endpoint.port)"
        return "at-"
            + text.utf8.map { byte in
                let scalar = Unicode.Scalar(byte)
                let isPlain = byte < 0x80 && (scalar.properties.isAlphabetic || "0123456789.-@:".utf8.contains(byte))
                return isPlain ? String(scalar) : "%" + String(byte, radix: 16)
            }.joined() + ".json"
    }
}
