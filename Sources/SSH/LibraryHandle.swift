internal import CSSH2
internal import Synchronization

/// A libssh2 session's memory, the wire it talks through, and what it reports by callback.
///
/// libssh2 allows one thread at a time, which is the business of whoever owns this.
final class LibraryHandle {
    /// What libssh2's callbacks can reach.
    final class Context: Sendable {
        let wire = Wire()
        /// Why the server disconnected, in its words, once it has.
        let disconnection = Mutex<String?>(nil)
        /// Who answers the server's questions while a keyboard-interactive login runs.
        let conversation = Mutex<Conversation?>(nil)

        /// From the pointer to a pointer that every callback gets.
        static func from(_ abstract: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Context? {
            guard let pointer = abstract?.pointee else { return nil }
            return Unmanaged<Context>.fromOpaque(pointer).takeUnretainedValue()
        }
    }

    let context = Context()
    let pointer: OpaquePointer

    /// libssh2_init counts its calls without a lock: once, for the life of the process.
    private static let initialization: CInt = {
        // Without it libssh2 works as well, only slower.
        _ = CounterMode.isInstalled
        return libssh2_init(0)
    }()

    init() throws {
        guard LibraryHandle.initialization == 0,
            // The context outlives the session: both end with this handle, in its deinit's order.
            let pointer = libssh2_session_init_ex(nil, nil, nil, Unmanaged.passUnretained(context).toOpaque())
        else { throw SSHError(.protocolFailure, "libssh2 could not be initialised") }
        self.pointer = pointer
        libssh2_session_set_blocking(pointer, 0)
        submit_ssh_set_callbacks(pointer) { _, bytes, count, _, abstract in
            Context.from(abstract)?.wire.send(UnsafeRawBufferPointer(start: bytes, count: count)) ?? -1
        } _: { _, buffer, count, _, abstract in
            Context.from(abstract)?.wire.receive(into: UnsafeMutableRawBufferPointer(start: buffer, count: count)) ?? -1
        } _: { _, _, message, length, _, _, abstract in
            let text = message.map {
                String(decoding: UnsafeRawBufferPointer(start: $0, count: Int(length)), as: UTF8.self)
            }
            Context.from(abstract)?.disconnection.withLock { $0 = text ?? "no reason given" }
        }
    }

    deinit {
        // Releasing sends what is left to be sent and waits for answers, unless the wire says that it is over.
        context.wire.abandon()
        libssh2_session_free(pointer)
    }
}
