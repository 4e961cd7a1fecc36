/// What a remote program says, taken from between whatever else its output holds: lines `TAG KEY VALUE`, some of them
/// followed by bytes. A value without I/O: bytes go in as they come, answers come out.
struct AnswerDecoder {
    enum Item: Equatable {
        case line(key: String, value: String)
        /// A part of a stream: the bytes, and how long the whole stream was at that time.
        case bytes(key: String, [UInt8], total: Int)
        /// Output of somebody else, such as a start file of the login shell.
        case noise(String)
    }

    /// Lines beyond this length are nobody's answer; they are dropped in pieces, so that memory stays bounded.
    static let longestLine = 1 << 16

    private let tag: [UInt8]
    private let streamKeys: Set<String>
    private var buffer: [UInt8] = []
    private var start = 0
    private var pending: (key: String, count: Int, total: Int)?

    /// - Parameter streamKeys: the keys whose value is `COUNT TOTAL` and that COUNT bytes follow.
    init(tag: String, streamKeys: Set<String> = ["out", "err"]) {
        self.tag = Array((tag + " ").utf8)
        self.streamKeys = streamKeys
    }

    mutating func feed(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// What has come and was not taken: what follows a line that announces data to the end of the output.
    mutating func takeRest() -> [UInt8] {
        defer { start = buffer.count }
        return Array(buffer[start...])
    }

    /// The next item, or nil when more bytes are needed.
    mutating func next() -> Item? {
        while true {
            if let (key, count, total) = pending {
                guard buffer.count - start >= count else { return nil }
                pending = nil
                defer { start += count }
                return .bytes(key: key, Array(buffer[start..<start + count]), total: total)
            }
            guard let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                guard buffer.count - start > Self.longestLine else { return nil }
                defer { start = buffer.count }
                return .noise(String(decoding: buffer[start...], as: UTF8.self))
            }
            let line = buffer[start..<end]
            start = end + 1
            if line.starts(with: tag) {
                if let item = answer(in: line.dropFirst(tag.count)) { return item }
            } else if !line.isEmpty {
                return .noise(String(decoding: line, as: UTF8.self))
            }
        }
    }

    /// The item of a line, or nil when it announces bytes.
    private mutating func answer(in line: ArraySlice<UInt8>) -> Item? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
        let key = String(decoding: words[0], as: UTF8.self)
        let value = words.count > 1 ? String(decoding: words[1], as: UTF8.self) : ""
        guard streamKeys.contains(key) else { return .line(key: key, value: value) }
        let numbers = value.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] >= 0 else { return .line(key: key, value: value) }
        pending = (key, numbers[0], numbers[1])
        return nil
    }
}
