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

        /// The status of a process that this signal ends.
        var exitStatus: Int32 {
            switch self {
            case .interrupt: 128 + SIGINT
            case .terminate: 128 + SIGTERM
            case .hangup: 128 + SIGHUP
            }
        }
    }

    private let mailbox = Mailbox<Signal>()
    private let fired = Atomic(false)
    private let sources: [any DispatchSourceSignal & Sendable]

    public init() {
        // A reader that goes away is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let mailbox = mailbox
        sources = [(SIGINT, Signal.interrupt), (SIGTERM, .terminate), (SIGHUP, .hangup)].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler { mailbox.post(name) }
            source.activate()
            return source
        }
    }

    /// Waits for the next one.
    public func next() async throws -> Signal { try await mailbox.take() }
}
