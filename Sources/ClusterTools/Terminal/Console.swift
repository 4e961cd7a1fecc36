import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Where status lines go: standard error. The job's own output never passes through here.
public final class Console: Sendable {
    public enum Detail: Int, Sendable, Comparable {
        case quiet, normal, verbose
        public static func < (a: Detail, b: Detail) -> Bool { a.rawValue < b.rawValue }
    }

    public let program: String
    public let detail: Detail
    /// One JSON object a line instead of text.
    public let isJSON: Bool
    /// Whether standard error is a terminal that is written to in plain text: then there may be colour and progress.
    let isTerminal: Bool
    private let isColoured: Bool
    /// What stands in the last line.
    private enum Foot {
        case nothing
        case progress
        case question(String)
    }
    private let foot = Mutex(Foot.nothing)

    public init(program: String, detail: Detail, isJSON: Bool, environment: [String: String]) {
        self.program = program
        self.detail = detail
        self.isJSON = isJSON
        isTerminal = isatty(STDERR_FILENO) == 1 && !isJSON
        isColoured = isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }

    /// Says what happened.
    public func report(_ event: Event) {
        guard detail >= event.detail else { return }
        if isJSON {
            write(event.json.description + "\n")
        } else {
            line(event.text, style: event.style)
        }
    }

    /// Says why it ends.
    public func report(_ failure: Failure) {
        if isJSON {
            report(.failure(failure))
        } else {
            write(failure.text(program: program) + "\n")
        }
    }

    /// A line that the next one replaces; nothing where standard error is no terminal, or while there is a question.
    func progress(_ text: String) {
        guard isTerminal, detail >= .normal else { return }
        foot.withLock { foot in
            if case .question = foot { return }
            foot = .progress
            // What wraps cannot be erased as one line.
            let columns = TerminalText.width(of: STDERR_FILENO) ?? 80
            Console.put(Console.eraseLine + TerminalText.cut(text, to: columns - 1))
        }
    }

    /// There is no progress to show any more.
    func endProgress() {
        foot.withLock { foot in
            guard case .progress = foot else { return }
            Console.put(Console.eraseLine)
            foot = .nothing
        }
    }

    /// A question, as it is, shown however quiet it is. What is reported before ``endQuestion(isAnswered:)`` appears above it.
    func ask(_ question: String) {
        write(question)
        foot.withLock { $0 = .question(question.split(separator: "\n").last.map(String.init) ?? "") }
    }

    /// There is no question any more, if there was one.
    ///
    /// - Parameter isAnswered: whether it was ended by the enter key, which the terminal shows. Otherwise it disappears.
    func endQuestion(isAnswered: Bool) {
        foot.withLock { foot in
            guard case .question = foot else { return }
            if !isAnswered { Console.put(Console.eraseLine) }
            foot = .nothing
        }
    }

    /// Leaves the line that somebody else has written to, such as the terminal itself.
    func breakLine() { write("\n") }

    private func line(_ text: String, style: Event.Style) {
        let codes =
            switch style {
            case .plain: ""
            case .faint: "\u{1B}[2m"
            case .good: "\u{1B}[32m"
            case .bad: "\u{1B}[31m"
            case .link: "\u{1B}[1m"
            }
        let prefix = program + ": "
        write(isColoured ? "\u{1B}[2m\(prefix)\u{1B}[0m\(codes)\(text)\u{1B}[0m\n" : prefix + text + "\n")
    }

    private func write(_ text: String) {
        foot.withLock { foot in
            switch foot {
            case .nothing: Console.put(text)
            case .progress:
                Console.put(Console.eraseLine + text)
                foot = .nothing
            case .question(let question): Console.put(Console.eraseLine + text + question)
            }
        }
    }

    private static let eraseLine = "\r\u{1B}[K"

    private static func put(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var bytes = UnsafeRawBufferPointer(bytes)
            while !bytes.isEmpty {
                #if canImport(Darwin)
                    let count = Darwin.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
                #else
                    let count = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
                #endif
                if count < 0 {
                    if errno == EINTR { continue }
                    // Nobody can be told that nobody can be told.
                    return
                }
                bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
            }
        }
    }
}
