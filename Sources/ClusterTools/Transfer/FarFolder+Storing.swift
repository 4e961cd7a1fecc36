import IO
import Slurm

/// Writing to a folder on the far side.
extension FarFolder {
    /// Unpacks an archive there. Its files appear under their names when all of it has arrived.
    ///
    /// - Parameter body: gives the archive to the function that it is given, until that says that no more is taken.
    func store(
        on host: any Host, _ body: (_ send: ([UInt8]) async throws -> Bool) async throws -> Void
    ) async throws {
        try await give("write", "ct_token=\(randomName(length: 10))\n", on: host, body)
    }

    /// Sends a file from an offset on; it gets its mode, its time and its name when all of it has arrived.
    func append(
        _ entry: FileEntry, from offset: Int, on host: any Host,
        _ body: (_ send: ([UInt8]) async throws -> Bool) async throws -> Void
    ) async throws {
        let definitions = """
            \(Self.definition("ct_path", entry.path))
            \(Self.definition("ct_part", PartName.path(of: entry)))
            ct_offset=\(offset)
            ct_size=\(entry.size)
            ct_mode=\(String(entry.mode, radix: 8))
            ct_stamp=\(UTCStamp.text(entry.modified))

            """
        try await give("append", definitions, on: host, body)
    }

    /// Gives folders their modes and times.
    func finish(_ folders: [FileEntry], on host: any Host) async throws {
        let words = folders.flatMap { folder in
            [
                Array(String(folder.mode, radix: 8).utf8), Array(UTCStamp.text(folder.modified).utf8),
                Self.below(folder.path),
            ]
        }
        try await give("folders", "", on: host) { send in _ = try await send(Self.words(words)) }
    }

    /// Makes an empty file, which says something by being there.
    func mark(_ name: String, on host: any Host) async throws {
        try await give("mark", Self.definition("ct_path", Array(name.utf8)) + "\n", on: host) { _ in }
    }

    /// Starts the program, gives it its input, and waits for its answer.
    private func give(
        _ action: String, _ more: String, on host: any Host,
        _ body: (_ send: ([UInt8]) async throws -> Bool) async throws -> Void
    ) async throws {
        try await Conversation.with(program(action, more), on: host) { conversation in
            // The answer may come before all is sent: a full disk is told at once.
            try await withThrowingTaskGroup(of: Answer.self) { group in
                group.addTask { try await conversation.answer() }
                defer { group.cancelAll() }
                try await body { try await conversation.sendIfTaken($0) }
                try await conversation.finishSending()
                guard let answer = try await group.next() else { return }
                if let failure = answer.failure(on: host.name) { throw failure }
            }
        }
    }

    /// Shell text that sets a variable to a path. It may be no UTF-8: such bytes are given by their numbers.
    private static func definition(_ variable: String, _ path: [UInt8]) -> String {
        let path = below(path)
        if let text = String(validating: path, as: UTF8.self) { return "\(variable)=\(ShellWord.quote(text))" }
        let octal = path.map { byte in
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        // What stands behind it keeps line ends at the end of the name.
        return "\(variable)=$(printf '\(octal.joined())x'); \(variable)=${\(variable)%x}"
    }
}
