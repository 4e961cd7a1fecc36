import Dispatch
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The signals that ask this process to stop, as messages. To be made once, at the beginning of `main`, and kept for the life
/// of the process: from then on none of them ends it.
public final class Interrupts: Sendable {
    public enum Signal: Sendable, Equatable {
        /// Ctrl-C.
        case interrupt
        /// SIGTERM: somebody wants the process gone.
        case terminate
        /// SIGHUP: the terminal is gone.
        case hangup

        fileprivate var number: CInt {
            switch self {
            case .interrupt: SIGINT
            case .terminate: SIGTERM
            case .hangup: SIGHUP
            }
        }

        /// The status of a process that this signal ends.
        public var exitStatus: Int32 { 128 + number }
    }

    private let mailbox = Mailbox<Signal>()
    private let first = Beacon<Signal?>(nil)
    /// Only kept, never used again: safe to share.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    public init() {
        // A reader that goes away is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let mailbox = mailbox
        let first = first
        sources = [Signal.interrupt, .terminate, .hangup].map { name in
            signal(name.number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: name.number, queue: .global(qos: .userInitiated))
            source.setEventHandler {
                if first.value == nil { first.set(name) }
                mailbox.post(name)
            }
            source.activate()
            return source
        }
    }

    /// The first that came, for work that cannot wait for messages.
    public var received: Signal? { first.value }

    /// Waits for the next one.
    public func next() async throws -> Signal { try await mailbox.take() }
}
