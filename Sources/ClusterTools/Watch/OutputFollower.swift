import IO

/// Shows a job's standard output and standard error as they are written: complete, in order per stream, each byte once, over
/// any number of connections.
///
/// Who owns what: this actor owns how far each stream was shown. One task at a time asks and takes.
actor OutputFollower {
    /// One of the two streams.
    private struct Stream {
        let writer: OutputWriter
        /// How far it was shown, in bytes of its file; nil as long as it is not known where the command's own output begins.
        var offset: Int?
        /// How much of it there was when last seen.
        var total = 0
        var isOpen = true

        var isComplete: Bool { !isOpen || (offset ?? 0) >= total }
    }

    /// How much of a stream is asked for at once.
    private static let portion = 1 << 20

    private var out: Stream
    private var err: Stream
    private var isPaused = false

    /// - Parameter hasOwnStart: whether the job script says where the command's own output begins. A template of the user's
    ///   own need not.
    init(output: OutputWriter, errors: OutputWriter, hasOwnStart: Bool) {
        out = Stream(writer: output, offset: hasOwnStart ? nil : 0)
        err = Stream(writer: errors, offset: 0)
    }

    /// Holds the output back, for as long as a question is on the screen.
    func pause(_ isPaused: Bool) { self.isPaused = isPaused }

    /// What to ask the remote program for.
    var request: String {
        func part(_ stream: Stream) -> String {
            "\(stream.offset ?? 0) \(isPaused || stream.offset == nil || !stream.isOpen ? 0 : Self.portion)"
        }
        return "files \(part(out)) \(part(err))"
    }

    /// Says where the command's own output begins, as soon as that is known.
    func begin(at offset: Int) { out.offset = out.offset ?? offset }

    /// Shows what has come.
    ///
    /// - Returns: whether there was anything.
    func take(_ answer: Answer) async throws -> Bool {
        var isNew = false
        for (key, path) in [("out", \OutputFollower.out), ("err", \OutputFollower.err)] {
            guard let part = answer.streams[key] else { continue }
            isNew = try await show(part.bytes, total: part.total, of: path) || isNew
        }
        return isNew
    }

    /// Whether everything that was there when last seen has been shown.
    var isComplete: Bool { !isPaused && out.isComplete && err.isComplete }

    private func show(
        _ bytes: [UInt8], total: Int, of path: ReferenceWritableKeyPath<OutputFollower, Stream>
    ) async throws -> Bool {
        self[keyPath: path].total = total
        guard let offset = self[keyPath: path].offset else { return false }
        // A file that is shorter than before was begun anew.
        if total < offset { self[keyPath: path].offset = 0 }
        guard !bytes.isEmpty else { return total < offset }
        self[keyPath: path].offset = offset + bytes.count
        do {
            try await self[keyPath: path].writer.write(bytes)
        } catch is OutputWriter.Closed {
            // Nobody reads it any more. The job goes on, and so does the watch over it.
            self[keyPath: path].isOpen = false
        }
        return true
    }
}
