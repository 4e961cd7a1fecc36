/// Finds where the last lines of a file begin, by looking at pieces of it from its end on. A value without I/O: it says which
/// piece it needs, and is given it.
struct TailSearch {
    /// How much is looked at once, in bytes.
    static let portion = 1 << 18

    /// Where the lines begin, once ``window`` is nil.
    private(set) var start: Int
    /// What it needs to see next; nil when it is done.
    private(set) var window: Range<Int>?

    private let floor: Int
    private let end: Int
    private var missing: Int

    /// - Parameters:
    ///   - lines: how many are wanted. One without an end counts.
    ///   - range: the part of the file that is searched.
    init(lines: Int, in range: Range<Int>) {
        missing = lines
        floor = range.lowerBound
        end = range.upperBound
        start = end
        if lines > 0 { look() }
    }

    private mutating func look() {
        window = start > floor ? max(floor, start - Self.portion)..<start : nil
    }

    /// Takes in the bytes of ``window``. Where there are fewer, the file has been cut off, and all of what is left counts.
    mutating func take(_ bytes: [UInt8]) {
        guard let window else { return }
        for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
            let position = window.lowerBound + index
            // The end of the last line begins no other.
            guard position != end - 1 else { continue }
            missing -= 1
            if missing == 0 {
                start = position + 1
                self.window = nil
                return
            }
        }
        start = window.lowerBound
        look()
    }
}
