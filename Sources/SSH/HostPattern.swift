/// Which hosts a line of a known_hosts file is about: a list of patterns, or the hash of one name.
enum HostPattern: Sendable, Equatable {
    case patterns([String])
    case hashed(salt: [UInt8], hash: [UInt8])

    /// From the line's first field. Nil when it is malformed.
    init?(_ field: Substring) {
        guard field.hasPrefix("|") else {
            self = .patterns(field.split(separator: ",").map { $0.lowercased() })
            return
        }
        let parts = field.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1] == "1", let salt = Base64.decode(parts[2].utf8),
            let hash = Base64.decode(parts[3].utf8), hash.count == 20
        else { return nil }
        self = .hashed(salt: salt, hash: hash)
    }

    /// Whether it speaks of a host. `name` is in lower case, with brackets and port where that is not 22.
    func matches(_ name: String) -> Bool {
        switch self {
        case .hashed(let salt, let hash): return hmacSHA1(key: salt, Array(name.utf8)) == hash
        case .patterns(let patterns):
            var isMatched = false
            for pattern in patterns {
                let isNegated = pattern.hasPrefix("!")
                guard wildcardMatch(Array(pattern.utf8.dropFirst(isNegated ? 1 : 0))[...], Array(name.utf8)[...]) else {
                    continue
                }
                // One negated match rules the line out, whatever else it lists.
                if isNegated { return false }
                isMatched = true
            }
            return isMatched
        }
    }
}

/// Whether `*` (any bytes, or none) and `?` (any one byte) in the pattern can be filled to make the text.
private func wildcardMatch(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var pattern = pattern
    var text = text
    // Where to go on when the last star must take one byte more: no recursion, and no exponential time.
    var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while true {
        if pattern.first == UInt8(ascii: "*") {
            pattern = pattern.dropFirst()
            retry = (pattern, text)
        } else if let wanted = pattern.first, let next = text.first, wanted == next || wanted == UInt8(ascii: "?") {
            pattern = pattern.dropFirst()
            text = text.dropFirst()
        } else if pattern.isEmpty, text.isEmpty {
            return true
        } else if let again = retry, !again.text.isEmpty {
            pattern = again.pattern
            text = again.text.dropFirst()
            retry = (pattern, text)
        } else {
            return false
        }
    }
}
