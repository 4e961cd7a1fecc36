/// A command line as the system has it: bytes. Swift's own `CommandLine.arguments` repairs what is not UTF-8, and a word that was
/// repaired is another word than was typed.
public enum RawArguments {
    /// This process's arguments, without the program's name.
    public static func ofThisProcess() -> [[UInt8]] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            guard let word = CommandLine.unsafeArgv[index] else { return nil }
            var bytes: [UInt8] = []
            var next = word
            while next.pointee != 0 {
                bytes.append(UInt8(bitPattern: next.pointee))
                next += 1
            }
            return bytes
        }
    }

    /// The words as text, unchanged; one that is none is refused.
    public static func strings(_ arguments: [[UInt8]]) throws(Failure) -> [String] {
        var words: [String] = []
        for (index, bytes) in arguments.enumerated() {
            guard let word = String(validating: bytes, as: UTF8.self) else {
                throw Failure(
                    Exit.usage, "argument \(index + 1) is not UTF-8: \(String(decoding: bytes, as: UTF8.self))",
                    why: "it could not reach the command exactly as typed")
            }
            words.append(word)
        }
        return words
    }
}
