import IO

/// Shows a job's standard output and standard error as they are written: complete, in order per stream, each byte once, over
/// any number of connections.
///
/// Who owns what: this actor owns how far each stream was shown. One task at a time asks and takes.
actor OutputFollower {
    /// One of the two streams.
    private enum Channel: String, CaseIterable { case out, err }

    private struct Stream {
        let writer: OutputWriter
        /// How far it was shown, in bytes of its file; nil as long as it is not known where the command's own output begins.
        var offset: Int?
        /// How much of it there was when last seen.
        var total = 0
        /// What has come and was not written yet: a connection may end in the middle of writing.
        var pending: [UInt8] = []
        /// How much of ``pending`` was written.
        var written = 0
        var isOpen = true

        var isComplete: Bool { !isOpen || (pending.isEmpty && (offset ?? 0) >= total) }
    }

    /// How much of a stream is asked for at once.
    private static let portion = 1 << 20

    private var streams: [Channel: Stream]
    private var isPaused = false

    /// - Parameter hasOwnStart: whether the job script says where the command's own output begins. A template of the user's
    ///   own need not.
    init(output: OutputWriter, errors: OutputWriter, hasOwnStart: Bool) {
        streams = [
            .out: Stream(writer: output, offset: hasOwnStart ? nil : 0), .err: Stream(writer: errors, offset: 0),
        ]
    }

    /// Holds the output back, for as long as a question is on the screen.
    func pause(_ isPaused: Bool) { self.isPaused = isPaused }

    /// What to ask the remote program for.
    var request: String {
        Channel.allCases.reduce("files") { request, channel in
            let stream = streams[channel]
            let isWanted = !isPaused && stream?.offset != nil && stream?.isOpen == true
            return request + " \(stream?.offset ?? 0) \(isWanted ? Self.portion : 0)"
        }
    }

    /// Says where the command's own output begins, as soon as that is known.
    func begin(at offset: Int) {
        if streams[.out]?.offset == nil { streams[.out]?.offset = offset }
    }

    /// Shows what has come.
    ///
    /// - Returns: whether there was anything.
    func take(_ answer: Answer) async throws -> Bool {
        var isNew = false
        for channel in Channel.allCases {
            guard let part = answer.streams[channel.rawValue] else { continue }
            isNew = try await show(part.bytes, total: part.total, of: channel) || isNew
        }
        return isNew
    }

    /// Whether everything that was there when last seen has been shown.
    var isComplete: Bool { !isPaused && streams.values.allSatisfy(\.isComplete) }

    private func show(_ bytes: [UInt8], total: Int, of channel: Channel) async throws -> Bool {
        streams[channel]?.total = total
        guard let offset = streams[channel]?.offset else { return false }
        // A file that is shorter than before was begun anew.
        let isAnew = bytes.isEmpty && total < offset
        streams[channel]?.offset = isAnew ? 0 : offset + bytes.count
        streams[channel]?.pending += bytes
        try await writePending(channel)
        return isAnew || !bytes.isEmpty
    }

    private func writePending(_ channel: Channel) async throws {
        while let stream = streams[channel], stream.isOpen, stream.written < stream.pending.count {
            do {
                let count = try await stream.writer.write(stream.pending[stream.written...])
                streams[channel]?.written += count
            } catch is OutputWriter.Closed {
                // Nobody reads it any more. The job goes on, and so does the watch over it.
                streams[channel]?.isOpen = false
            }
        }
        streams[channel]?.pending = []
        streams[channel]?.written = 0
    }
}
