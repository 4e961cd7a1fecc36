#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// What a new thread is to run; handed to it through a C pointer.
private final class ThreadBody {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Runs `body` on a new detached thread with all signals blocked.
///
/// Signals are the main thread's business; and a write to a broken pipe must answer `EPIPE` here instead of killing the
/// process, without changing how the whole process treats SIGPIPE.
public func startThread(_ body: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))

    // The new thread inherits the mask, so that no signal can slip in before it blocks them.
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }

    let argument = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(&thread, &attributes, { runThread($0) }, argument)
    #else
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, { $0.flatMap { runThread($0) } }, argument)
    #endif
    precondition(status == 0, "no thread can be started: \(IOError.describe(status))")
}

private func runThread(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}

/// Runs `body`, which may block, on a thread of its own: neither the loop's thread nor a cooperative one stands still.
///
/// A cancelled caller returns at once; the thread ends when its call does, and its result is dropped.
public func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    let outcome = OneShot<Value>()
    startThread { outcome.deliver(Result { try body() }) }
    return try await outcome.value()
}

/// Tells threads apart.
func currentThreadID() -> UInt {
    #if canImport(Darwin)
        UInt(bitPattern: pthread_self())
    #else
        UInt(pthread_self())
    #endif
}
