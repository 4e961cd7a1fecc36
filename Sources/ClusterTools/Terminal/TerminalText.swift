#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Text in a terminal's columns.
enum TerminalText {
    /// How many columns the terminal at this descriptor has; nil when it is none.
    static func width(of descriptor: CInt) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// One line of it: what a terminal would take for a command, or for the end of the line, is a space.
    static func line(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            scalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(scalars)
    }

    /// How many columns a line takes.
    static func width(_ line: some StringProtocol) -> Int { line.reduce(0) { $0 + width($1) } }

    /// The line in at most so many columns, with dots in place of what is cut off.
    static func cut(_ line: String, to limit: Int) -> String {
        guard width(line) > limit else { return line }
        guard limit > 0 else { return "" }
        var left = limit - 1
        let kept = line.prefix { character in
            left -= width(character)
            return left >= 0
        }
        return kept + "…"
    }

    /// The line, filled up with spaces.
    static func pad(_ line: String, to count: Int) -> String {
        line + String(repeating: " ", count: max(0, count - width(line)))
    }

    /// East Asian wide characters and emoji take two columns (Unicode Standard Annex 11, in its main blocks).
    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return scalar.properties.generalCategory == .nonspacingMark ? 0 : 1
        }
    }
}
