import Foundation
import IO

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

    /// Commits `count` files of `size` bytes each, a hundred in a folder, and checks them out: objects are in a pack, as in
    /// a clone.
    func fill(files count: Int, ofSize size: Int) async throws {
        let identity = "Ada Example <ada@example.org> 1700000000 +0000"
        let importer = Command(
            laboratory: laboratory, program: "git", arguments: ["fast-import", "--quiet"], directory: folder)
        try await importer.with(.seconds(600)) { process in
            try await withErrorTail(of: process) { tail in
                var stream = Array("commit refs/heads/main\ncommitter \(identity)\ndata 5\nFirst\n".utf8)
                for index in 0..<count {
                    stream += Array("M 644 inline \(path(of: index))\ndata \(size)\n".utf8) + text(index, ofSize: size)
                    stream.append(UInt8(ascii: "\n"))
                    if stream.count > 1 << 18 {
                        try await process.write(stream)
                        stream = []
                    }
                }
                try await process.write(stream)
                try await process.finishWriting()
                guard try await process.exitStatus().isSuccess else {
                    throw BenchmarkError("git fast-import: \(tail.text)")
                }
            }
        }
        try await git("reset", "--quiet", "--hard")
        // Entries of the index that are as new as itself would have to be read again and again.
        try await Task.sleep(for: .milliseconds(1100))
        try await git("update-index", "--really-refresh", "-q")
        try await git("status", "--short")
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
