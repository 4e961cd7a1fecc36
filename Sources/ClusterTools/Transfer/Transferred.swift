/// What a transfer has done, as its status line says it.
public struct Transferred: Sendable, Equatable {
    public enum Direction: String, Sendable { case pulled, pushed }

    var direction: Direction
    var files: Int
    /// Those that went over the link.
    var bytes: Int
    var seconds: Double
    /// How many files were as they should be.
    var unchanged: Int
    /// The folder that they are in now.
    var place: String

    var text: String {
        let rest = unchanged == 0 ? "" : "\(Self.count(unchanged)) \(unchanged == 1 ? "was" : "were") there already"
        guard files > 0 else {
            return "nothing to be \(direction.rawValue)" + (rest.isEmpty ? "" : ": \(rest)")
        }
        return "\(direction.rawValue) \(Self.count(files)), \(byteCount(bytes)) in \(tenths(seconds)) s, to \(place)"
            + (rest.isEmpty ? "" : "; \(rest)")
    }

    var members: [(String, JSONValue?)] {
        [
            ("files", .number("\(files)")), ("bytes", .number("\(bytes)")), ("seconds", .number(tenths(seconds))),
            ("unchanged", .number("\(unchanged)")), ("place", .string(place)),
        ]
    }

    static func count(_ files: Int) -> String { "\(files) file\(files == 1 ? "" : "s")" }
}
