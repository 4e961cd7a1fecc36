import Slurm

/// Everything that a remote program said in answer to one request, up to its line `done`.
struct Answer: Sendable {
    /// The word after `done`.
    var outcome = ""
    /// The lines before it, in order.
    var lines: [(key: String, value: String)] = []
    /// The parts of streams: the bytes, and the stream's length at that time.
    var streams: [String: (bytes: [UInt8], total: Int)] = [:]

    /// The value of the first line with this key.
    subscript(key: String) -> String? { lines.first { $0.key == key }?.value }

    /// The values of all lines with this key.
    func all(_ key: String) -> [String] { lines.filter { $0.key == key }.map(\.value) }

    /// What the queue knows. A line that is none, such as a site's remark, is passed over.
    var queueLines: [QueueLine] {
        all("queue").compactMap { line in
            do { return try QueueLine(line) } catch { return nil }
        }
    }

    /// The failure that the program reported, if it did.
    func failure(on host: String) -> Failure? {
        guard outcome == "failed" else { return nil }
        let reasons = all("reason").joined(separator: "\n")
        return Failure(
            self["status"].flatMap { Int32($0) } ?? Exit.unavailable,
            "\(host): \(self["problem"] ?? "the remote program failed")",
            why: reasons.isEmpty ? nil : reasons)
    }
}
