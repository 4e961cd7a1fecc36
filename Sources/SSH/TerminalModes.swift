#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A terminal's modes as a command that sets them: what stty(1) of any system knows under the name that POSIX gives it.
enum TerminalModes {
    private static let keys: [(String, CInt)] = [
        ("intr", VINTR), ("quit", VQUIT), ("erase", VERASE), ("kill", VKILL), ("eof", VEOF), ("start", VSTART),
        ("stop", VSTOP), ("susp", VSUSP),
    ]

    /// A command for any shell. It says nothing when it fails: the terminal is of use with other modes too.
    static func command(_ modes: termios) -> String {
        var words: [String] = []
        withUnsafeBytes(of: modes.c_cc) { values in
            for (name, key) in keys { words += [name, notation(values[Int(key)])] }
        }
        let flags: [(tcflag_t, [(String, CInt)])] = [
            (
                modes.c_iflag,
                [
                    ("ignpar", IGNPAR), ("parmrk", PARMRK), ("inpck", INPCK), ("istrip", ISTRIP), ("inlcr", INLCR),
                    ("igncr", IGNCR), ("icrnl", ICRNL), ("ixon", IXON), ("ixany", IXANY), ("ixoff", IXOFF),
                ]
            ),
            (
                modes.c_lflag,
                [
                    ("isig", ISIG), ("icanon", ICANON), ("echo", ECHO), ("echoe", ECHOE), ("echok", ECHOK),
                    ("echonl", ECHONL), ("noflsh", NOFLSH), ("tostop", TOSTOP), ("iexten", IEXTEN),
                ]
            ),
            (modes.c_oflag, [("opost", OPOST), ("onlcr", ONLCR), ("ocrnl", OCRNL), ("onocr", ONOCR), ("onlret", ONLRET)]),
        ]
        for (value, names) in flags {
            for (name, flag) in names { words.append((value & tcflag_t(truncatingIfNeeded: flag) != 0 ? "" : "-") + name) }
        }
        // By way of sh, since not every shell has the same words for "without its errors".
        return "sh -c 'stty \(words.joined(separator: " ")) 2>/dev/null'"
    }

    /// A key as stty takes it, for a shell.
    private static func notation(_ key: UInt8) -> String {
        switch key {
        case unused: "undef"
        // A backslash takes two of them.
        case 0x1C: #""^\\""#
        case ..<0x20: "\"^\(Character(Unicode.Scalar(key + 0x40)))\""
        case 0x7F: "\"^?\""
        case UInt8(ascii: "#"), UInt8(ascii: "@"): "\"\(Character(Unicode.Scalar(key)))\""
        // Nobody has that any more.
        default: "undef"
        }
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
