#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A terminal's modes as a command that sets them, by stty(1): libssh asks for a terminal without any.
enum TerminalModes {
    /// Names of keys and of what else can be on or off, and where they stand.
    private struct Names {
        var keys: [(String, CInt)]
        var input: [(String, CInt)]
        var output: [(String, CInt)]
        var line: [(String, CInt)]
    }

    private static let ofPOSIX = Names(
        keys: [
            ("intr", VINTR), ("quit", VQUIT), ("erase", VERASE), ("kill", VKILL), ("eof", VEOF), ("start", VSTART),
            ("stop", VSTOP), ("susp", VSUSP),
        ],
        input: [
            ("ignpar", IGNPAR), ("parmrk", PARMRK), ("inpck", INPCK), ("istrip", ISTRIP), ("inlcr", INLCR),
            ("igncr", IGNCR), ("icrnl", ICRNL), ("ixon", IXON), ("ixany", IXANY), ("ixoff", IXOFF),
        ],
        output: [
            ("opost", OPOST), ("onlcr", ONLCR), ("ocrnl", OCRNL), ("onocr", ONOCR), ("onlret", ONLRET),
        ],
        line: [
            ("isig", ISIG), ("icanon", ICANON), ("echo", ECHO), ("echoe", ECHOE), ("echok", ECHOK), ("echonl", ECHONL),
            ("noflsh", NOFLSH), ("tostop", TOSTOP), ("iexten", IEXTEN),
        ])

    /// What Linux, macOS and the BSDs have besides.
    private static let others = Names(
        keys: [("werase", VWERASE), ("lnext", VLNEXT)], input: [("iutf8", IUTF8)], output: [],
        line: [("echoctl", ECHOCTL), ("echoke", ECHOKE)])

    /// A command for any shell. It says nothing when it fails: the terminal is of use with other modes too.
    static func command(_ modes: termios) -> String {
        // One word that a stty does not know makes it do nothing.
        let commands = [ofPOSIX, others].map { "stty " + words(modes, $0).joined(separator: " ") }
        // By way of sh, since not every shell has the same words for "without its errors".
        return "sh -c 'exec 2>/dev/null; \(commands.joined(separator: "; "))'"
    }

    private static func words(_ modes: termios, _ names: Names) -> [String] {
        var words: [String] = []
        withUnsafeBytes(of: modes.c_cc) { values in
            for (name, key) in names.keys { words += [name, notation(values[Int(key)])] }
        }
        for (value, flags) in [
            (modes.c_iflag, names.input), (modes.c_oflag, names.output), (modes.c_lflag, names.line),
        ] {
            for (name, flag) in flags {
                words.append((value & tcflag_t(truncatingIfNeeded: flag) != 0 ? "" : "-") + name)
            }
        }
        return words
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
