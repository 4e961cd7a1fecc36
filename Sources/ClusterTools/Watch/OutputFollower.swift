import IO

/// Shows a job's standard output and standard error as they are written: complete, in order per stream, each byte once, over
/// any number of connections.
///
/// Who owns what: this actor owns how far each stream was shown. One task at a time asks and takes.
actor OutputFollower {
    /// One of the two streams.
    private enum Channel: String, CaseIterable { case out, err }

    private struct Stream {
        /// Nil for one that nobody wants.
        let writer: OutputWriter?
        /// How far it was shown, in bytes of its file; nil as long as it is not known where the command's own output begins.
        var offset: Int?
        /// How much of it there was when last seen.
        var total = 0
        /// What has come and was not written yet: a connection may end in the middle of writing.
        var pending: [UInt8] = []
        /// How much of ``pending`` was written.
        var written = 0
        var isOpen: Bool
        /// Where to stop, in bytes of its file; nil where there is no such place.
        var end: Int?
        /// Whether much may have been written while nobody looked.
        var mayHaveBacklog = false
        /// Where a skipped part began, until it is known at which line it ends.
        var skippedFrom: Int?

        init(_ writer: OutputWriter?, offset: Int?) {
            self.writer = writer
            self.offset = offset
            isOpen = writer != nil
        }

        var isComplete: Bool { !isOpen || (pending.isEmpty && (offset ?? 0) >= min(total, end ?? total)) }
    }

    /// How much may have been written while the link was down, in bytes, to be shown all the same.
    struct Backlog: Sendable {
        /// To somebody who reads along.
        var onTerminal = 64 << 20
        /// To a file or a pipe, after a lost link.
        var elsewhere = 1 << 30
        /// How much of the end of what is skipped is shown.
        var tail = 1 << 20

        /// All of it is shown, however much it is.
        static let unlimited = Backlog(onTerminal: .max, elsewhere: .max)
    }

    /// A part of a stream that is not shown.
    struct Gap: Sendable, Equatable {
        /// The file in the run folder.
        var file: String
        /// The bytes of it.
        var range: Range<Int>
    }

    /// How much of a stream is asked for at once.
    private static let portion = 1 << 20

    private var streams: [Channel: Stream]
    private var isPaused = false
    private var hasBegun = false
    private let limits: Backlog
    /// How many lines of what there is already are wanted; nil for all.
    private var tail: Int?
    private let skipped: @Sendable (Gap) -> Void
    /// What lets lines through, of each stream; empty where all are wanted.
    private var filters: [Channel: LineFilter] = [:]
    private let heading: @Sendable () -> String

    /// - Parameters:
    ///   - hasOwnStart: whether the job script says where the command's own output begins. A template of the user's own need
    ///     not.
    ///   - tail: how many lines of what is there already are to be shown, of each stream; nil for all.
    ///   - limits: from which size on a backlog is skipped.
    ///   - pattern: what lines have to match to be shown; nil for all bytes.
    ///   - heading: what to write before what is shown next; asked just before that.
    ///   - skipped: called for each part that is not shown, before what follows it is.
    init(
        output: OutputWriter?, errors: OutputWriter?, hasOwnStart: Bool, tail: Int? = nil, limits: Backlog = Backlog(),
        pattern: LinePattern? = nil, heading: @escaping @Sendable () -> String = { "" },
        skipped: @escaping @Sendable (Gap) -> Void
    ) {
        self.limits = limits
        self.skipped = skipped
        self.heading = heading
        self.tail = tail
        if let pattern { filters = [.out: LineFilter(pattern), .err: LineFilter(pattern)] }
        streams = [.out: Stream(output, offset: hasOwnStart ? nil : 0), .err: Stream(errors, offset: 0)]
    }

    /// Holds the output back, for as long as a question is on the screen.
    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        if !isPaused { expectBacklog() }
    }

    /// There was nobody who looked at the output for a while, or nobody has yet.
    func expectBacklog() {
        for (channel, stream) in streams where stream.writer?.isTerminal == true || hasBegun {
            streams[channel]?.mayHaveBacklog = true
        }
        hasBegun = true
    }

    /// What to ask the remote program for.
    var request: String {
        Channel.allCases.reduce("files") { request, channel in
            let stream = streams[channel]
            let isWanted = !isPaused && stream?.offset != nil && stream?.isOpen == true
            let room = stream?.end.map { max(0, $0 - (stream?.offset ?? 0)) } ?? Self.portion
            return request + " \(stream?.offset ?? 0) \(isWanted ? min(room, Self.portion) : 0)"
        }
    }

    /// Says where the command's own output begins, as soon as that is known.
    func begin(at offset: Int) {
        if streams[.out]?.offset == nil { streams[.out]?.offset = offset }
    }

    /// Skips what is there already, but for the last lines of each stream where only they are wanted. Once, and after it no
    /// more.
    func skipToTail(_ conversation: Conversation) async throws {
        guard let lines = tail else { return }
        let now = try await conversation.ask("files 0 0 0 0")
        if let start = StateFiles(lines: now.all("file")).outputOffset { begin(at: start) }
        for channel in Channel.allCases {
            guard let start = streams[channel]?.offset, let size = now.streams[channel.rawValue]?.total else {
                continue
            }
            var search = TailSearch(lines: lines, in: start..<max(start, size))
            while let window = search.window {
                let part = "\(window.lowerBound) \(window.count)"
                let answer = try await conversation.ask(channel == .out ? "files \(part) 0 0" : "files 0 0 \(part)")
                search.take(answer.streams[channel.rawValue]?.bytes ?? [])
            }
            streams[channel]?.offset = search.start
        }
        tail = nil
    }

    /// Skips all that is there already.
    func skipAll() { tail = 0 }

    /// Shows what is left: a last line without an end.
    func finish() async throws {
        for channel in Channel.allCases {
            append(filters[channel]?.finish() ?? [], to: channel)
            try await writePending(channel)
        }
    }

    private func append(_ bytes: [UInt8], to channel: Channel) {
        guard !bytes.isEmpty, streams[channel]?.isOpen == true else { return }
        streams[channel]?.pending += Array(heading().utf8) + bytes
    }

    /// Stops where the streams ended when this was said of them.
    func stop(atEndsIn answer: Answer) {
        for channel in Channel.allCases { streams[channel]?.end = answer.streams[channel.rawValue]?.total }
    }

    /// Whether nobody reads any of it any more.
    var isAbandoned: Bool { streams.values.allSatisfy { !$0.isOpen } }

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
        if isBacklog(total - offset, of: channel) {
            // Nobody waits for gigabytes, nor reads them; where they are is worth more.
            streams[channel]?.skippedFrom = offset
            streams[channel]?.offset = total - limits.tail
            return true
        }
        let (skippedMore, bytes) = endGap(bytes, of: channel)
        // A file that is shorter than before was begun anew.
        let isAnew = bytes.isEmpty && total < offset
        streams[channel]?.offset = isAnew ? 0 : offset + skippedMore + bytes.count
        append(filters[channel]?.feed(bytes) ?? bytes, to: channel)
        try await writePending(channel)
        return isAnew || !bytes.isEmpty
    }

    private func isBacklog(_ count: Int, of channel: Channel) -> Bool {
        guard let stream = streams[channel], stream.mayHaveBacklog else { return false }
        streams[channel]?.mayHaveBacklog = false
        return count > (stream.writer?.isTerminal == true ? limits.onTerminal : limits.elsewhere)
    }

    /// Ends the part that is skipped, if one is, at the end of a line.
    ///
    /// - Returns: how many of the bytes still belong to it, and those to show.
    private func endGap(_ bytes: [UInt8], of channel: Channel) -> (skipped: Int, shown: [UInt8]) {
        guard let stream = streams[channel], let start = stream.skippedFrom, let offset = stream.offset, !bytes.isEmpty
        else { return (0, bytes) }
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        streams[channel]?.skippedFrom = nil
        skipped(Gap(file: "slurm.\(channel.rawValue)", range: start..<offset + end))
        return (end, Array(bytes[end...]))
    }

    private func writePending(_ channel: Channel) async throws {
        while let stream = streams[channel], stream.isOpen, let writer = stream.writer,
            stream.written < stream.pending.count
        {
            do {
                let count = try await writer.write(stream.pending[stream.written...])
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
