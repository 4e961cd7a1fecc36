/// Which files look like secrets, by their names and, where a name can mean two things, their first bytes.
enum SecretNames {
    /// How sure a name is.
    enum Suspicion: Equatable {
        case none
        case secret
        /// Only when it holds a private key.
        case ifPrivateKey
    }

    private static let names: Set<String> = [
        ".env", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".git-credentials", ".pypirc", ".npmrc", ".htpasswd",
        ".dockercfg", ".s3cfg", ".boto", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk",
        "credentials", "credentials.json", "credentials.yaml", "credentials.yml", "secrets.json", "secrets.yaml",
        "secrets.yml", "secrets.toml", "client_secret.json", "service_account.json", "service-account.json",
        "kaggle.json",
        "kubeconfig", ".vault-token",
    ]
    private static let suffixes = [".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk"]
    private static let keySuffixes = [".pem", ".key", ".der", ".asc"]
    /// What people commit on purpose, so that others know what to fill in.
    private static let samples: Set<Substring> = ["example", "sample", "template", "dist", "defaults", "schema"]

    static func suspicion(of path: String) -> Suspicion {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.index(after: $0)...]) } ?? path
        if names.contains(name) { return .secret }
        if name.hasPrefix(".env."), let last = name.split(separator: ".").last, !samples.contains(last) {
            return .secret
        }
        if suffixes.contains(where: name.hasSuffix) { return .secret }
        return keySuffixes.contains(where: name.hasSuffix) ? .ifPrivateKey : .none
    }

    /// Whether the beginning of a file is that of a private key.
    static func isPrivateKey(_ head: some Sequence<UInt8>) -> Bool {
        String(decoding: Array(head), as: UTF8.self).contains("PRIVATE KEY")
    }
}
