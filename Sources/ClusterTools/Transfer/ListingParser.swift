/// Reads what `templates/remote/files.sh` tells of files: bytes go in as they come, entries come out.
struct ListingParser {
    /// A record that cannot be one: what the far side says would not be believed.
    struct Malformed: Error, CustomStringConvertible { let description: String }

    /// Whether the last record has come: until then some may be missing.
    private(set) var isComplete = false
    private var buffer: [UInt8] = []

    mutating func feed(_ bytes: [UInt8]) throws(Malformed) -> [FileEntry] {
        buffer += bytes
        var entries: [FileEntry] = []
        var start = 0
        while let middle = buffer[start...].firstIndex(of: 0), let end = buffer[(middle + 1)...].firstIndex(of: 0) {
            if let entry = try record(buffer[start..<middle], target: Array(buffer[(middle + 1)..<end])) {
                entries.append(entry)
            }
            start = end + 1
        }
        buffer.removeFirst(start)
        return entries
    }

    /// - Returns: nil for the top folder itself, and for the last record.
    private mutating func record(_ record: ArraySlice<UInt8>, target: [UInt8]) throws(Malformed) -> FileEntry? {
        let fields = record.split(separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count == 5, let type = fields[0].first, fields[0].count == 1 else { throw malformed(record) }
        if type == UInt8(ascii: ".") {
            isComplete = true
            return nil
        }
        let words = fields[1...3].map { String(decoding: $0, as: UTF8.self) }
        // Fractions of a second come after a point.
        guard let mode = UInt32(words[0], radix: 8), let size = Int(words[1]), size >= 0,
            let modified = Int(words[2].prefix { $0 != "." }), let components = BytePath.components(fields[4])
        else { throw malformed(record) }
        guard !components.isEmpty else { return nil }
        let kind: FileEntry.Kind =
            switch type {
            case UInt8(ascii: "f"): .file
            case UInt8(ascii: "d"): .folder
            case UInt8(ascii: "u"): .closedFolder
            case UInt8(ascii: "l"): .link(target: target)
            default: .other
            }
        return FileEntry(
            path: BytePath.join(components), kind: kind, mode: mode & FileEntry.keptMode,
            size: kind == .file ? size : 0, modified: modified)
    }

    private func malformed(_ record: ArraySlice<UInt8>) -> Malformed {
        Malformed(description: "the far side told of a file that cannot be: \(BytePath.text(record))")
    }
}
