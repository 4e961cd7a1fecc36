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
        var bytes: [UInt8] = []
        /// Whether libssh holds more.
        var isIncomplete = false
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
    /// How much has been read since the server was last allowed to send more than libssh itself lets it.
    var readSinceWidening = Int.max
    private var inbound: [ChannelStream: Inbound] = [:]
    private let callbacks: UnsafeMutablePointer<ssh_channel_callbacks_struct>

    /// How much of a stream is taken over before it is read.
    private static let limit = 1 << 18

    /// A channel to open. Nil when there is no memory for it.
    init?(in session: ssh_session) {
        guard let pointer = ssh_channel_new(session) else { return nil }
        self.pointer = pointer
        callbacks = .allocate(capacity: 1)
        var callbacks = ssh_channel_callbacks_struct()
        callbacks.size = MemoryLayout<ssh_channel_callbacks_struct>.size
        callbacks.channel_data_function = { _, _, data, count, isError, context in
            guard let data else { return 0 }
            let bytes = UnsafeRawBufferPointer(start: data, count: Int(count))
            return Channel.from(context)?.take(bytes, isError == 0 ? .output : .errors) ?? 0
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
        // It does not outlive the channel: whoever drops it has ended the calls before.
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
    private func take(_ bytes: UnsafeRawBufferPointer, _ stream: ChannelStream) -> CInt {
        defer { news.signal() }
        let isFull = inbound[stream, default: Inbound()].bytes.count >= Channel.limit
        inbound[stream, default: Inbound()].isIncomplete = isFull
        guard !isFull else { return 0 }
        append(bytes, to: stream)
        return CInt(bytes.count)
    }

    private func note(_ change: (Channel) -> Void) {
        change(self)
        news.signal()
    }

    // MARK: For readers

    /// What has come in: at most `limit` bytes; none when there is none.
    func next(of stream: ChannelStream, upTo limit: Int) -> [UInt8] {
        guard var bytes = inbound[stream]?.bytes, !bytes.isEmpty else { return [] }
        if bytes.count > limit {
            inbound[stream]?.bytes = Array(bytes[limit...])
            bytes.removeSubrange(limit...)
        } else {
            inbound[stream]?.bytes = []
        }
        if readSinceWidening < Int.max - bytes.count { readSinceWidening += bytes.count }
        return bytes
    }

    /// Whether libssh holds more than has been taken over.
    func isIncomplete(_ stream: ChannelStream) -> Bool { inbound[stream]?.isIncomplete ?? false }

    /// Takes over what libssh holds, and has it let the server send so much that at most `window` bytes are on their way.
    ///
    /// - Parameter scratch: as large as the window.
    func pull(_ stream: ChannelStream, window: Int, scratch: UnsafeMutableRawBufferPointer) {
        let room = min(window, scratch.count)
        let count = ssh_channel_read_timeout(pointer, scratch.baseAddress, UInt32(room), stream.rawValue, 0)
        // It has less than it was asked for only when nothing is left.
        inbound[stream, default: Inbound()].isIncomplete = count == room
        guard count > 0 else { return }
        append(UnsafeRawBufferPointer(rebasing: scratch[..<Int(count)]), to: stream)
    }

    private func append(_ bytes: UnsafeRawBufferPointer, to stream: ChannelStream) {
        inbound[stream, default: Inbound()].bytes.append(contentsOf: bytes)
    }

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
