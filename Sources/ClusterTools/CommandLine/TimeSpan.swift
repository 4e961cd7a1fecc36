/// A span of time as a person types it: `90s`, `5m`, `1h30m`, `30d`.
enum TimeSpan {
    private static let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]

    /// The seconds of a span: numbers, each with its unit. A number alone is refused: sbatch would take it for minutes, most
    /// others for seconds.
    ///
    /// - Parameter spelling: the option that it was given with, for the message.
    static func seconds(_ text: String, _ spelling: String) throws(Failure) -> Int {
        var total = 0
        var digits = ""
        var isComplete = false
        for character in text.lowercased() {
            if character.isASCII, character.isNumber, digits.count < 9 {
                digits.append(character)
                isComplete = false
            } else if let unit = units[character], let number = Int(digits) {
                let (part, isTooLong) = number.multipliedReportingOverflow(by: unit)
                guard !isTooLong, part < 1 << 40 else { throw notATime(text, spelling) }
                total += part
                digits = ""
                isComplete = true
            } else {
                throw notATime(text, spelling)
            }
        }
        guard isComplete else { throw notATime(text, spelling) }
        return total
    }

    private static func notATime(_ text: String, _ spelling: String) -> Failure {
        Failure(Exit.usage, "\(spelling): \"\(text)\" is no span of time", remedy: "write 90s, 5m, 1h30m or 30d")
    }
}
