import SSH

/// What is remembered of logins, a file for each host: which key sufficed, so that the next login needs fewer round trips. No
/// secret is among it. Nothing depends on it: what cannot be read or written is passed over.
struct LoginMemory: Sendable {
    private let folder: StateFolder
    private let console: Console

    init(environment: [String: String], console: Console) {
        folder = StateFolder("logins", environment: environment)
        self.console = console
    }

    /// A login that makes use of what is known, and adds to it.
    func apply(to login: inout Login, at endpoint: Endpoint) {
        let known = key(of: endpoint)
        login.expectedKey = known
        login.learn = { key in
            if key != known { write(key, of: endpoint) }
        }
    }

    private func key(of endpoint: Endpoint) -> String? {
        let path = folder.file(name(of: endpoint))
        guard LocalFile.isFile(path) else { return nil }
        do {
            let field = try JSONField(
                parsing: LocalFile.contents(of: path, subject: "what is known of a login"), document: path,
                status: Exit.dataError)
            return try field.members().first { $0.name == "key" }?.field.string()
        } catch {
            console.report(.debug("\(error)"))
            return nil
        }
    }

    private func write(_ key: String?, of endpoint: Endpoint) {
        let object = JSONValue.object(key.map { [.init("key", .string($0))] } ?? [])
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
