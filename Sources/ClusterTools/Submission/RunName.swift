#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Names of folders on the cluster, made of characters that no shell and no file system minds.
enum RunName {
    /// The folder of a project's runs.
    static func folder(for name: String) -> String {
        let plain = String(
            name.unicodeScalars.map { scalar -> Character in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": Character(scalar)
                default: "_"
                }
            }.prefix(60))
        // Not hidden, and not one of ours.
        return plain.isEmpty || plain.hasPrefix(".") || plain.hasPrefix("-") ? "_" + plain : plain
    }

    /// The beginning of a run's folder: what people look for, and a time that sorts. The submission's token follows.
    ///
    /// - Parameter now: seconds since 1970.
    static func stem(at now: Int) -> String {
        var seconds = time_t(now)
        var local = tm()
        localtime_r(&seconds, &local)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(1900 + local.tm_year)\(two(local.tm_mon + 1))\(two(local.tm_mday))-"
            + "\(two(local.tm_hour))\(two(local.tm_min))\(two(local.tm_sec))"
    }
}
