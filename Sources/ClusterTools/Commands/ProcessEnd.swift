#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ends this process, when all of its work is done and what it printed has to be written.
///
/// Not by `exit(3)`: that runs the cleaning up of C libraries, OpenSSL's among them, while a thread that has just done its
/// last work may still be ending and release the same memory. Once in a hundred times the process crashed.
public func endProcess(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
}
