import Foundation

/// A git repository that is submitted from, made and changed with the git command.
struct Repository: Sendable {
    let laboratory: Laboratory
    /// The working tree's top folder.
    let folder: String

    /// Runs git here.
    @discardableResult
    func git(_ arguments: String...) async throws -> String {
        try await Command(laboratory: laboratory, program: "git", arguments: arguments, directory: folder)
            .run(within: .seconds(600)).output
    }

    /// Writes a file, whose folder exists.
    func write(_ path: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(filePath: folder + "/" + path))
    }

    /// Writes `count` files of `size` bytes each, a hundred in a folder, and commits them.
    func fill(files count: Int, ofSize size: Int) async throws {
        for index in 0..<count {
            if index % 100 == 0 {
                try FileManager.default.createDirectory(
                    atPath: folder + "/" + URL(filePath: path(of: index)).deletingLastPathComponent().relativePath,
                    withIntermediateDirectories: true)
            }
            try write(path(of: index), text(index, ofSize: size))
        }
        try await git("add", "--all")
        try await git("commit", "--quiet", "--message", "First")
    }

    /// The file of this number, as ``fill(files:ofSize:)`` names it.
    func path(of index: Int) -> String { "part\(index / 10_000)/folder\(index / 100)/file\(index).txt" }

    /// Text that compresses about as source code does: words, each from a small stock.
    func text(_ seed: Int, ofSize size: Int) -> [UInt8] {
        var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 16)
        while bytes.count < size {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            bytes += Repository.stock[Int(state >> 33) % Repository.stock.count]
        }
        return Array(bytes.prefix(size))
    }

    private static let stock: [[UInt8]] = (0..<512).map { index in
        Array((String(index &* 2_654_435_761 % 100_003, radix: 36) + (index % 9 == 0 ? "\n" : " ")).utf8)
    }
}
