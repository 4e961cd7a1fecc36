#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ends this process, once what was printed is written.
///
/// Not by `exit`, which runs the exit handlers of the C libraries while other threads still use them: OpenSSL then frees
/// what the release of a last ssh session frees too.
public func endProcess(status: Int32) -> Never {
    fflush(nil)
    _exit(status)
}
