/// Which keys belong to which hosts, as files in OpenSSH's format say (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
///
/// A pure value: it is given the files' texts, and does no input or output.
struct KnownHosts: Sendable {
    /// Where a line is, for messages.
    struct Place: Sendable, Equatable, CustomStringConvertible {
        var file: String
        var line: Int
        var description: String { "\(file):\(line)" }
    }

    enum Verdict: Sendable, Equatable {
        /// The key is recorded for the host.
        case known
        /// Nothing, or keys of these other types only, are recorded for the host.
        case unknown(recordedTypes: [String])
        /// Another key of the same type is recorded, there.
        case changed(Place)
        /// This very key is marked as revoked, there.
        case revoked(Place)
    }

    fileprivate enum Marker { case none, revoked, certificateAuthority }

    fileprivate struct Entry {
        var place: Place
        var marker: Marker
        var hosts: HostPattern
        var key: HostKey
    }

    private var entries: [Entry] = []
    /// Lines that are no entry, which ssh passes over too.
    private(set) var malformedLines = 0
    /// Whether names are written as hashes here, so that new ones should be.
    private(set) var hashesNames = false

    init() {}

    /// Takes in the lines of a file.
    mutating func add(file: String, text: String) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.drop(while: \.isWhitespace)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let entry = Entry(line, at: Place(file: file, line: index + 1)) else {
                malformedLines += 1
                continue
            }
            if case .hashed = entry.hosts { hashesNames = true }
            entries.append(entry)
        }
    }

    /// What the files say about a key that a host has shown.
    func verdict(on key: HostKey, host: String, port: UInt16, alias: String?) -> Verdict {
        let names = lookupNames(host: host, port: port, alias: alias)
        let matching = entries.filter { $0.hosts.matches(names.own) }
        // Revoked wins, wherever in the files it stands.
        if let entry = matching.first(where: { $0.marker == .revoked && $0.key == key }) {
            return .revoked(entry.place)
        }
        let recorded = matching.filter { $0.marker == .none }
        if recorded.contains(where: { $0.key == key }) { return .known }
        if let other = recorded.first(where: { $0.key.type == key.type }) { return .changed(other.place) }
        // As ssh does: a key recorded without the port is good for every port, but a different one says nothing.
        if let plain = names.plain {
            let byPlainName = entries.filter { $0.hosts.matches(plain) && $0.key == key }
            if let entry = byPlainName.first(where: { $0.marker == .revoked }) { return .revoked(entry.place) }
            if byPlainName.contains(where: { $0.marker == .none }) { return .known }
        }
        return .unknown(recordedTypes: unique(recorded.map(\.key.type)))
    }

    /// The types of the keys recorded for a host, in the files' order: what to ask the host for.
    func keyTypes(host: String, port: UInt16, alias: String?) -> [String] {
        let names = lookupNames(host: host, port: port, alias: alias)
        let own = entries.filter { $0.marker == .none && $0.hosts.matches(names.own) }
        let plain = names.plain.map { name in entries.filter { $0.marker == .none && $0.hosts.matches(name) } }
        return unique((own + (plain ?? [])).map(\.key.type))
    }

    /// Whether a certificate authority is named for a host. Its certificates are not supported, so it is never a reason
    /// to believe a key; but it is worth a word.
    func hasCertificateAuthority(host: String, port: UInt16, alias: String?) -> Bool {
        let names = lookupNames(host: host, port: port, alias: alias)
        return entries.contains { $0.marker == .certificateAuthority && $0.hosts.matches(names.own) }
    }

    /// The line that records a key for a host, without its end.
    ///
    /// - Parameter salt: 20 random bytes when the name is to be hashed.
    static func line(for key: HostKey, host: String, port: UInt16, alias: String?, salt: [UInt8]?) -> String {
        let name = lookupName(host: host, port: port, alias: alias)
        guard let salt else { return "\(name) \(key.line)" }
        let hash = hmacSHA1(key: salt, Array(name.utf8))
        return "|1|\(Base64.encode(salt))|\(Base64.encode(hash)) \(key.line)"
    }

    /// The name that a host is recorded under, and that `ssh-keygen -R` takes.
    static func lookupName(host: String, port: UInt16, alias: String?) -> String {
        if let alias { return alias.lowercased() }
        return port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)"
    }

    private func lookupNames(host: String, port: UInt16, alias: String?) -> (own: String, plain: String?) {
        let own = KnownHosts.lookupName(host: host, port: port, alias: alias)
        return (own, alias == nil && port != 22 ? host.lowercased() : nil)
    }

    private func unique(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }
}

extension KnownHosts.Entry {
    /// Nil when the line is malformed.
    fileprivate init?(_ line: Substring, at place: KnownHosts.Place) {
        var fields = line.split(maxSplits: 4, whereSeparator: \.isWhitespace)[...]
        var marker = KnownHosts.Marker.none
        if let first = fields.first, first.hasPrefix("@") {
            switch first {
            case "@revoked": marker = .revoked
            case "@cert-authority": marker = .certificateAuthority
            default: return nil
            }
            fields.removeFirst()
        }
        let parts = Array(fields.prefix(3))
        guard parts.count == 3, let hosts = HostPattern(parts[0]), let key = HostKey(line: "\(parts[1]) \(parts[2])")
        else { return nil }
        self.init(place: place, marker: marker, hosts: hosts, key: key)
    }
}
