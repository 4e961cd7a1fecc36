/// Slurm's durations and ours.
public enum SlurmDuration {
    /// Reads a duration as Slurm prints and takes it: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`,
    /// `days-hours:minutes`, `days-hours:minutes:seconds`. Nothing for the words it has for none, such as `UNLIMITED` and `INVALID`.
    public static func seconds(_ text: String) -> Int? {
        let isNegative = text.hasPrefix("-")
        let dash = text.dropFirst(isNegative ? 1 : 0).split(separator: "-", omittingEmptySubsequences: false)
        guard let clock = dash.last, dash.count <= 2 else { return nil }
        var numbers: [Int] = []
        for field in clock.split(separator: ":", omittingEmptySubsequences: false) {
            // Nothing but digits, and few enough that the sum cannot overflow.
            guard field.count <= 9, field.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(field) else {
                return nil
            }
            numbers.append(number)
        }
        let seconds: Int
        if dash.count == 2 {
            guard dash[0].allSatisfy({ $0.isASCII && $0.isNumber }), let days = Int(dash[0]), days < 1_000_000,
                numbers.count <= 3
            else { return nil }
            let padded = numbers + [0, 0]
            seconds = days * 86400 + padded[0] * 3600 + padded[1] * 60 + padded[2]
        } else {
            switch numbers.count {
            case 1: seconds = numbers[0] * 60
            case 2: seconds = numbers[0] * 60 + numbers[1]
            case 3: seconds = numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
            default: return nil
            }
        }
        return isNegative ? -seconds : seconds
    }

    /// A duration for a person, in its two largest units: `45 s`, `5 min`, `2 h 03 min`, `3 d 04 h`.
    public static func words(_ seconds: Int) -> String {
        let seconds = max(0, seconds)
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86400: return "\(seconds / 3600) h \(twoDigits(seconds / 60 % 60)) min"
        default: return "\(seconds / 86400) d \(twoDigits(seconds / 3600 % 24)) h"
        }
    }

    /// A moment to come, for a person: `in 5 min (14:05)`, `in 2 d 03 h (Tue 14:05)`, `any moment`.
    ///
    /// - Parameters:
    ///   - time: the moment, in seconds since 1970.
    ///   - now: the present one.
    ///   - utcOffset: how far the person's clock is ahead of UTC at `time`, in seconds.
    public static func words(until time: Int, now: Int, utcOffset: Int) -> String {
        let wait = time - now
        guard wait > 0 else { return "any moment" }
        let local = time + utcOffset
        let clock = "\(twoDigits(modulo(local, 86400) / 3600)):\(twoDigits(modulo(local, 3600) / 60))"
        // Within a day the clock alone means one moment only.
        guard wait >= 86400 else { return "in \(words(wait)) (\(clock))" }
        // 1 January 1970 was a Thursday.
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        return "in \(words(wait)) (\(weekdays[modulo((local - modulo(local, 86400)) / 86400, 7)]) \(clock))"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func modulo(_ number: Int, _ divisor: Int) -> Int { (number % divisor + divisor) % divisor }
}
