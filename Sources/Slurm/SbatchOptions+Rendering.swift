extension SbatchOptions {
    /// The options as words of sbatch's command line, where they win over `SBATCH_*` variables of the environment.
    public var arguments: [String] {
        settings.compactMap { setting in
            switch setting.value {
            case .text(let text): "\(setting.option)=\(text)"
            case .flag: setting.option
            case .removed: nil
            }
        }
    }

    /// The options as lines at the top of a script, each `#SBATCH --option=value` without a line break.
    ///
    /// sbatch splits such a line in its own way (`get_argument()` in `src/sbatch/opt.c`): either quote groups, an unquoted `#`
    /// starts a comment, and a backslash keeps the next character inside quotes as well, of both kinds. So double quotes
    /// around the value, with a backslash before backslashes and double quotes, are exact for any line.
    public var directives: [String] {
        settings.compactMap { setting in
            switch setting.value {
            case .text(let text): "#SBATCH \(setting.option)=\(Self.quotedForDirective(text))"
            case .flag: "#SBATCH \(setting.option)"
            case .removed: nil
            }
        }
    }

    private static func quotedForDirective(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_-+=.,:/@%^[]".utf8.contains(byte)
            }
        }
        if plain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
