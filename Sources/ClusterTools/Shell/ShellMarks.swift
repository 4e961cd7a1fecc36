/// Tells what runs in a job from what else comes over the same stream: start files' output before it, the scheduler's words after
/// it. A value without I/O: bytes go in as they come, bytes and marks come out. See `templates/remote/inside.sh`.
struct ShellMarks {
    enum Mark: Equatable {
        /// From here on the bytes are its own.
        case begun
        /// It ended by itself, with this status.
        case ended(Int32)
        /// The kept shell goes on without us.
        case left
        /// The kept shell was killed.
        case lost
        /// There is no kept shell.
        case gone
    }

    /// What stands before a mark: random, after a character that no program ends its output with, as it would not be seen until
    /// more came.
    static func newTag() -> String { "\u{1E}" + randomName(length: 16) }

    /// The last of what came before the beginning: why there is none, where there is none.
    private(set) var preamble: [UInt8] = []
    private static let longestPreamble = 4096

    private let tag: [UInt8]
    private var hasBegun = false
    private var hasEnded = false
    private var pending: [UInt8] = []

    init(tag: String) { self.tag = Array(tag.utf8) }

    /// Takes in bytes.
    ///
    /// - Returns: the bytes that are the program's, and the marks, in their order; no mark stands between bytes.
    mutating func feed(_ bytes: [UInt8]) -> (output: [UInt8], marks: [Mark]) {
        pending += bytes
        var output: [UInt8] = []
        var marks: [Mark] = []
        while !hasEnded, let start = pending.firstRange(of: tag)?.lowerBound {
            guard let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                output += take(pending[..<start])
                pending.removeFirst(start)
                return (output, marks)
            }
            output += take(pending[..<start])
            let words = String(decoding: pending[(start + tag.count)..<end], as: UTF8.self).split {
                $0 == " " || $0.isNewline
            }
            pending.removeFirst(end + 1)
            switch words.first {
            case "begin":
                hasBegun = true
                marks.append(.begun)
            case "end":
                hasEnded = true
                marks.append(.ended(words.dropFirst().first.flatMap { Int32($0) } ?? 0))
            case "left":
                hasEnded = true
                marks.append(.left)
            case "lost":
                hasEnded = true
                marks.append(.lost)
            case "gone":
                hasEnded = true
                marks.append(.gone)
            default: break
            }
        }
        // The beginning of a tag may be all that has come of it.
        let kept = hasEnded ? 0 : (1..<tag.count).last { pending.suffix($0).elementsEqual(tag.prefix($0)) } ?? 0
        output += take(pending.dropLast(kept))
        pending = Array(pending.suffix(kept))
        return (output, marks)
    }

    /// What was held back, when nothing more comes.
    mutating func finish() -> [UInt8] {
        defer { pending = [] }
        return Array(take(pending[...]))
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if hasEnded { return [] }
        if hasBegun { return bytes }
        preamble = (preamble + bytes).suffix(Self.longestPreamble)
        return []
    }
}
