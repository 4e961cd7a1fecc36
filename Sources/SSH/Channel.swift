internal import CSSH
internal import IO

/// Names a channel of a session. Not used twice.
typealias ChannelID = UInt64

/// The two streams that come in on a channel.
enum ChannelStream: CInt {
    case output = 0
    case errors = 1
}

/// A channel of libssh's, and what has come in on it that nobody has read yet.
///
/// libssh calls it back in the middle of its calls, on whatever behalf those are made: it only takes note, and wakes its readers.
/// What comes in is taken over up to a limit. The rest stays with libssh, which lets the server send no more than a window of it.
final class Channel {
    private struct Inbound {
        private var bytes: [UInt8] = []
        /// How many of them have been read.
        private var start = 0
        /// Whether libssh holds more.
        var isIncomplete = false

        var count: Int { bytes.count - start }

        mutating func append(_ more: UnsafeRawBufferPointer) {
            if start > 0 {
                bytes.removeSubrange(..<start)
                start = 0
            }
            bytes.append(contentsOf: more)
        }

        mutating func next(upTo limit: Int) -> [UInt8] {
            if start == 0, bytes.count <= limit {
                defer { bytes = [] }
                return bytes
            }
            let piece = bytes[start...].prefix(limit)
            start = piece.endIndex
            return Array(piece)
        }
    }

    let pointer: ssh_channel
    /// Signalled when something has come in, or the channel or its session has ended.
    let news = Condition()
    /// How the process ended, once the server has said so.
    private(set) var exitStatus: ExitStatus?
    /// The server will send no more.
    private(set) var hasEnded = false
    /// The server has closed it.
    private(set) var isClosed = false
    /// Whether a person, or a program that one waits for, asks and is answered on it.
    var isInteractive = false
    /// How much has come in since something was sent on it, in bytes.
    private var answer = 0
    private let courtesy: Courtesy
    var window = ReceiveWindow()
    /// How much has been read since the server was last allowed to send more than libssh itself lets it.
    var readSinceWidening = ReceiveWindow.largest
    private var inbound: [ChannelStream: Inbound] = [:]
    private let callbacks: UnsafeMutablePointer<ssh_channel_callbacks_struct>

    /// How much of a stream may lie here before the rest is left with libssh.
    private static let plenty = 1 << 18
    /// The longest answer that is a short one.
    private static let little = 1 << 16

    /// A channel to open. Nil when there is no memory for it.
    init?(in session: ssh_session, courtesy: Courtesy) {
        guard let pointer = ssh_channel_new(session) else { return nil }
        self.pointer = pointer
        self.courtesy = courtesy
        callbacks = .allocate(capacity: 1)
        var callbacks = ssh_channel_callbacks_struct()
        callbacks.size = MemoryLayout<ssh_channel_callbacks_struct>.size
        callbacks.channel_data_function = { _, _, data, count, isError, context in
            guard let data else { return 0 }
            let bytes = UnsafeRawBufferPointer(start: data, count: Int(count))
            return Channel.from(context)?.receive(bytes, isError == 0 ? .output : .errors) ?? 0
        }
        callbacks.channel_eof_function = { _, _, context in Channel.from(context)?.note { $0.hasEnded = true } }
        callbacks.channel_close_function = { _, _, context in
            Channel.from(context)?.note {
                $0.hasEnded = true
                $0.isClosed = true
            }
        }
        callbacks.channel_exit_status_function = { _, _, status, context in
            Channel.from(context)?.note { $0.exitStatus = .exited(status) }
        }
        callbacks.channel_exit_signal_function = { _, _, signal, _, _, _, context in
            let name = signal.map { String(cString: $0) } ?? ""
            Channel.from(context)?.note { $0.exitStatus = .signaled(name) }
        }
        // ``LibraryHandle`` holds it until libssh has forgotten it.
        callbacks.userdata = Unmanaged.passUnretained(self).toOpaque()
        self.callbacks.initialize(to: callbacks)
        ssh_set_channel_callbacks(pointer, self.callbacks)
    }

    deinit { callbacks.deallocate() }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Channel? {
        context.map { Unmanaged<Channel>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: What libssh calls

    /// - Returns: how many of the bytes are taken over.
    private func receive(_ bytes: UnsafeRawBufferPointer, _ stream: ChannelStream) -> CInt {
        defer { news.signal() }
        var inbound = inbound.removeValue(forKey: stream) ?? Inbound()
        defer { self.inbound[stream] = inbound }
        inbound.isIncomplete = inbound.count >= Channel.plenty || isBulk && !courtesy.mayTakeOver(at: .now)
        guard !inbound.isIncomplete else { return 0 }
        inbound.append(bytes)
        answer += bytes.count
        return CInt(bytes.count)
    }

    private func note(_ change: (Channel) -> Void) {
        change(self)
        news.signal()
    }

    // MARK: For readers

    /// What has come in: at most `limit` bytes; none when there is none.
    func next(of stream: ChannelStream, upTo limit: Int) -> [UInt8] {
        guard let bytes = inbound[stream]?.next(upTo: limit), !bytes.isEmpty else { return [] }
        readSinceWidening += bytes.count
        return bytes
    }

    /// Whether libssh holds more than has been taken over.
    func isIncomplete(_ stream: ChannelStream) -> Bool { inbound[stream]?.isIncomplete ?? false }

    /// How much has been taken over and not been read.
    var backlog: Int { inbound.values.reduce(0) { $0 + $1.count } }

    /// Takes over what libssh holds, and has it let the server send so much that at most `window` bytes are on their way.
    ///
    /// - Parameter scratch: as large as the window.
    func pull(_ stream: ChannelStream, window: Int, scratch: UnsafeMutableRawBufferPointer) {
        let room = min(window, scratch.count)
        let count = ssh_channel_read_timeout(pointer, scratch.baseAddress, UInt32(room), stream.rawValue, 0)
        // It has less than it was asked for only when nothing is left.
        inbound[stream, default: Inbound()].isIncomplete = count == room
        guard count > 0 else { return }
        answer += Int(count)
        inbound[stream, default: Inbound()].append(UnsafeRawBufferPointer(rebasing: scratch[..<Int(count)]))
    }

    // MARK: Questions and answers

    /// Whether it brings much: see ``Courtesy``.
    var isBulk: Bool { answer > Channel.plenty }

    /// Whether what was asked last has had a short answer, for which somebody may have waited.
    var hasShortAnswer: Bool { isInteractive && (1...Channel.little).contains(answer) }

    /// Something is sent on it.
    func noteQuestion() { answer = 0 }

    // MARK: The end

    /// Closes it, and does not wait for the server to agree, which it does when the command has ended. Then libssh releases it.
    func close() {
        ssh_remove_channel_callbacks(pointer, callbacks)
        // libssh puts the message that closes it off for ever when the one before cannot leave at once: that one goes first.
        ssh_channel_send_eof(pointer)
        ssh_channel_close(pointer)
        ssh_channel_free(pointer)
        news.signal()
    }

    /// Releases one that the server has refused to open.
    func discard() {
        ssh_remove_channel_callbacks(pointer, callbacks)
        ssh_channel_free(pointer)
    }
}
