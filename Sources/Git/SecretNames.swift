/// Which files look like secrets, by their names and, where a name can mean two things, by what is in them.
enum SecretNames {
    /// What a name says.
    enum Suspicion: Equatable {
        case none
        case secret
        /// A secret if the file has this text in it.
        case secretIfItContains(String)
    }

    private static let names: Set<Substring> = [
        ".env", ".envrc", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".git-credentials", ".htpasswd", ".dockercfg",
        ".s3cfg",
        ".boto", ".vault-token", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk",
        "credentials",
        "credentials.json", "credentials.yaml", "credentials.yml", "credentials.toml", "secrets.json", "secrets.yaml",
        "secrets.yml", "secrets.toml", "client_secret.json", "service_account.json", "service-account.json",
        "application_default_credentials.json", "kaggle.json", "kubeconfig",
    ]
    private static let ends = [
        ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".kube/config", ".docker/config.json",
        ".huggingface/token",
    ]
    /// Ends of names that can be those of a certificate, or of settings that anybody may see.
    private static let ambiguous = [
        (".pem", "PRIVATE KEY"), (".key", "PRIVATE KEY"), (".asc", "PRIVATE KEY"), (".npmrc", "_auth"),
        (".pypirc", "password"),
    ]
    /// What people commit on purpose, so that others know what to fill in.
    private static let samples: Set<Substring> = ["example", "sample", "template", "dist", "defaults", "schema"]

    /// What the names that say something begin or end with. A hundred thousand others need no closer look.
    private static let firstBytes = ByteSet(names.compactMap { $0.utf8.first })
    private static let lastBytes = ByteSet((ends + ambiguous.map(\.0)).compactMap { $0.utf8.last })

    static func suspicion(of path: String) -> Suspicion {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.utf8.index(after: $0)...] } ?? path[...]
        if let first = name.utf8.first, firstBytes.contains(first) {
            if names.contains(name) { return .secret }
            if name.utf8.starts(with: ".env.".utf8), let last = name.split(separator: ".").last, !samples.contains(last)
            {
                return .secret
            }
        }
        guard let last = path.utf8.last, lastBytes.contains(last) else { return .none }
        if ends.contains(where: { has(path, end: $0) }) { return .secret }
        return ambiguous.first { has(path, end: $0.0) }.map { .secretIfItContains($0.1) } ?? .none
    }

    /// By bytes: `hasSuffix` would compare characters.
    private static func has(_ path: String, end: String) -> Bool {
        let (path, end) = (path.utf8, end.utf8)
        return path.last == end.last && path.count >= end.count && path.suffix(end.count).elementsEqual(end)
    }
}

/// Some of the 256 bytes.
private struct ByteSet {
    private var holds = [Bool](repeating: false, count: 256)

    init(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { holds[Int(byte)] = true }
    }

    func contains(_ byte: UInt8) -> Bool { holds[Int(byte)] }
}
