/// What a terminal can show, by the user's environment.
struct TerminalStyle: Sendable, Equatable {
    /// Whether it shows more than ASCII.
    var isUnicode: Bool
    var isColoured: Bool
    /// Whether text can be put where one likes.
    var hasCursor: Bool

    init(isUnicode: Bool, isColoured: Bool, hasCursor: Bool) {
        self.isUnicode = isUnicode
        self.isColoured = isColoured
        self.hasCursor = hasCursor
    }

    init(environment: [String: String]) {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let name = locale.lowercased()
        isUnicode = name.contains("utf-8") || name.contains("utf8")
        hasCursor = !["", "dumb"].contains(environment["TERM", default: ""])
        isColoured = hasCursor && environment["NO_COLOR", default: ""].isEmpty
    }

    var ellipsis: String { isUnicode ? "…" : "~" }
    var degrees: String { isUnicode ? "°C" : "C" }

    private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let signs: [Character] = ["_", ".", ":", "-", "=", "+", "*", "#"]

    /// The last values as a line of columns, each as high as its value.
    ///
    /// - Parameters:
    ///   - top: the value of a full column.
    ///   - width: how many columns; those before the first value are empty.
    func sparkline(_ values: some BidirectionalCollection<Double>, top: Double, width: Int) -> String {
        let columns = isUnicode ? Self.blocks : Self.signs
        let shown = values.suffix(max(0, width)).map { value -> Character in
            guard top > 0, value > 0 else { return columns[0] }
            let height = (value / top * Double(columns.count)).rounded(.up)
            return columns[min(columns.count, max(1, Int(min(height, 1000)))) - 1]
        }
        return String(repeating: " ", count: max(0, width - shown.count)) + String(shown)
    }

    enum Colour: Sendable { case strong, faint, good, warning, bad }

    func paint(_ text: String, _ colour: Colour) -> String {
        guard isColoured, !text.isEmpty else { return text }
        let code =
            switch colour {
            case .strong: "1"
            case .faint: "2"
            case .good: "32"
            case .warning: "33"
            case .bad: "31"
            }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    /// Without what this terminal cannot show.
    func plain(_ text: String) -> String {
        let line = TerminalText.line(text)
        guard !isUnicode else { return line }
        return String(line.map { $0.isASCII ? $0 : "?" })
    }
}
