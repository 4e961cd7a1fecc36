/// Lines and bytes in turn, from the data of a remote program.
struct DataReader {
    private let conversation: Conversation
    private var buffer: ArraySlice<UInt8> = []

    /// No line of ours is longer.
    private static let longestLine = 1 << 10

    init(_ conversation: Conversation) { self.conversation = conversation }

    /// The words of the next line; nil at the end.
    mutating func line() async throws -> [Substring]? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffer = buffer[(end + 1)...] }
                return String(decoding: buffer[..<end], as: UTF8.self).split(separator: " ").map { $0 }
            }
            guard buffer.count <= Self.longestLine else {
                throw ConversationEnded(description: "the far side said something that it never should")
            }
            let more = try await conversation.data()
            guard !more.isEmpty else {
                guard buffer.isEmpty else { throw ConversationEnded(description: "the far side ended early") }
                return nil
            }
            buffer = buffer + more
        }
    }

    /// The next bytes, at most so many.
    mutating func bytes(upTo limit: Int) async throws -> [UInt8] {
        if buffer.isEmpty { buffer = try await conversation.data()[...] }
        guard !buffer.isEmpty else { throw ConversationEnded(description: "the far side ended early") }
        defer { buffer = buffer.dropFirst(limit) }
        return Array(buffer.prefix(limit))
    }
}
