/// A moment as `touch -t` takes it, in UTC.
enum UTCStamp {
    /// `CCYYMMDDhhmm.SS`.
    ///
    /// - Parameter seconds: since 1970. Years that have no four digits are the nearest that have.
    static func text(_ seconds: Int) -> String {
        // The years 1000 to 9999.
        let seconds = min(max(seconds, -30_610_224_000), 253_402_300_799)
        let (days, rest) = seconds.quotientAndFloorRemainder(by: 86400)
        let (year, month, day) = date(days)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)\(two(month))\(two(day))\(two(rest / 3600))\(two(rest / 60 % 60)).\(two(rest % 60))"
    }

    /// The civil date of a day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (days + 719_468).quotientAndFloorRemainder(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int {
    fileprivate func quotientAndFloorRemainder(by divisor: Int) -> (Int, Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
