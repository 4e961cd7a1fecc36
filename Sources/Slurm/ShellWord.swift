/// Words for a POSIX shell.
public enum ShellWord {
    /// A word that any POSIX shell reads back as exactly `word`, which must not contain NUL. A word of harmless characters
    /// stays as it is, so that scripts can be read.
    public static func quote(_ word: String) -> String {
        if !word.isEmpty && word.utf8.allSatisfy(isPlain) && !reserved.contains(word) { return word }
        // Inside single quotes nothing is special but the quote itself. Scalars, since a quote followed by a combining mark
        // is another Character than a quote.
        var quoted = "'"
        for scalar in word.unicodeScalars {
            if scalar == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "'"
    }

    /// The words as one command line.
    public static func join(_ words: some Sequence<String>) -> String {
        words.map(quote).joined(separator: " ")
    }

    /// As a first word these are the shell's own (POSIX, and bash's and zsh's additions), unless a part of them is quoted.
    private static let reserved: Set<String> = [
        "case", "coproc", "do", "done", "elif", "else", "end", "esac", "fi", "for", "foreach", "function", "if", "in",
        "nocorrect", "repeat", "select", "then", "time", "until", "while",
    ]

    /// Never special, anywhere in a word: `=` and `~` are not among them, since a first word with one is an assignment, or a home.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_-+.,:/@%".utf8.contains(byte)
        }
    }
}
