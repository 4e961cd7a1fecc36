/// A path on a cluster as somebody types it: absolute, from the home folder, or with `~` or `$NAME` at its beginning; with patterns.
struct FarPath: Sendable {
    /// The folder that the copy's own name is seen from.
    let folder: RemoteText
    /// What is wanted of it.
    let pattern: PathPattern

    init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "/")
        guard let last = parts.last, parts.count > 1 || text.hasPrefix("/") || !"~$".contains(last.prefix(1)) else {
            throw Failure(
                Exit.usage, "\"\(text)\": what of it?", remedy: "name something in it, such as \"\(text)/results\"")
        }
        // What lies at the first pattern, or at the end, is what is copied.
        let count = parts.firstIndex { PathPattern.isPattern($0.utf8) } ?? parts.count - 1
        let above = parts[..<count].joined(separator: "/")
        folder = RemoteText(text.hasPrefix("/") ? "/" + above : above.isEmpty ? "~" : above)
        if let suspicious = folder.suspicious {
            throw Failure(Exit.usage, "\"\(text)\": \(suspicious) means nothing here", remedy: "write ~/ or $NAME/")
        }
        pattern = try PathPattern(parts[count...].joined(separator: "/") + (text.hasSuffix("/") ? "/" : ""))
    }
}
