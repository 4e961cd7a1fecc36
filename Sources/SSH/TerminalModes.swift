#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A terminal's modes as a request for one has them (RFC 4254, section 8): what this system knows under the name of POSIX.
enum TerminalModes {
    /// Keys with a meaning, and the numbers that ssh gives them.
    private static let keys: [(UInt8, CInt)] = [
        (1, VINTR), (2, VQUIT), (3, VERASE), (4, VKILL), (5, VEOF), (6, VEOL), (7, VEOL2), (8, VSTART), (9, VSTOP),
        (10, VSUSP), (12, VREPRINT), (13, VWERASE), (14, VLNEXT), (18, VDISCARD),
    ]

    static func encoded(_ modes: termios) -> [UInt8] {
        var writer = PacketWriter()
        func put(_ code: UInt8, _ value: UInt32) {
            writer.byte(code)
            writer.uint32(value)
        }
        withUnsafeBytes(of: modes.c_cc) { values in
            for (code, key) in keys {
                let value = values[Int(key)]
                // 255 says that no key has this meaning.
                put(code, value == unused ? 255 : UInt32(value))
            }
        }
        let flags: [(tcflag_t, [(UInt8, CInt)])] = [
            (
                modes.c_iflag,
                [
                    (30, IGNPAR), (31, PARMRK), (32, INPCK), (33, ISTRIP), (34, INLCR), (35, IGNCR), (36, ICRNL),
                    (38, IXON), (39, IXANY), (40, IXOFF), (41, IMAXBEL), (42, IUTF8),
                ]
            ),
            (
                modes.c_lflag,
                [
                    (50, ISIG), (51, ICANON), (53, ECHO), (54, ECHOE), (55, ECHOK), (56, ECHONL), (57, NOFLSH),
                    (58, TOSTOP), (59, IEXTEN), (60, ECHOCTL), (61, ECHOKE), (62, PENDIN),
                ]
            ),
            (modes.c_oflag, [(70, OPOST), (72, ONLCR), (73, OCRNL), (74, ONOCR), (75, ONLRET)]),
            (modes.c_cflag, [(91, CS8), (92, PARENB), (93, PARODD)]),
        ]
        for (value, names) in flags {
            for (code, flag) in names { put(code, value & tcflag_t(truncatingIfNeeded: flag) != 0 ? 1 : 0) }
        }
        // Speeds mean nothing, but some servers want them.
        put(128, 38400)
        put(129, 38400)
        writer.byte(0)
        return writer.bytes
    }

    /// What stands for no key.
    private static var unused: UInt8 {
        #if canImport(Darwin)
            0xFF
        #else
            0
        #endif
    }
}
