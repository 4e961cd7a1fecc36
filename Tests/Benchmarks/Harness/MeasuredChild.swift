import Foundation

/// Runs a program by way of this one, started once more, to learn what it alone has used: the system keeps that for children
/// only, and for all of them together.
enum MeasuredChild {
    private static let option = "--measure-child"

    /// The words that start `program` and write what it has used into `file`.
    static func words(_ program: String, _ arguments: [String], into file: String) -> (String, [String]) {
        (Programs.itself, [option, file, program] + arguments)
    }

    /// The most memory that it held at one time, in bytes, from the file of ``words(_:_:into:)``.
    static func peakMemory(from file: String) throws -> Double {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard let value = Double(text.split(separator: "\n").first ?? "") else {
            throw BenchmarkError("\(file) does not say what was used: \(text)")
        }
        return value
    }

    /// Does that, when this process was started for it.
    ///
    /// - Returns: the status to exit with, which is the program's; nil when that was not the question.
    static func runIfAsked(_ words: [String]) -> Int32? {
        guard words.count >= 4, words[1] == option else { return nil }
        var process: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = words[3...].map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        arguments.append(nil)
        // It inherits this process's streams and session, and so what is sent to the group.
        let failed = posix_spawnp(&process, words[3], nil, nil, arguments, environ)
        guard failed == 0 else {
            say("\(words[3]): \(String(cString: strerror(failed)))")
            return 71
        }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
        #if canImport(Darwin)
            let peak = usage.ru_maxrss
        #else
            let peak = usage.ru_maxrss * 1024
        #endif
        do {
            try Data("\(peak)\n".utf8).write(to: URL(filePath: words[2]))
        } catch {
            say("\(words[2]) cannot be written: \(error)")
            return 74
        }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }
}
