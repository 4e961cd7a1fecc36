import Testing

@testable import Slurm

struct SlurmDurationTests {
    @Test(arguments: [
        ("0:00", 0), ("0:45", 45), ("5", 300), ("59:59", 3599), ("1:02:03", 3723), ("1-0", 86400),
        ("2-03:04:05", 183845),
        ("1-10", 122400), ("1-10:30", 124200), ("-0:30", -30), ("100:00:00", 360000), ("INVALID", nil),
        ("UNLIMITED", nil),
        ("NOT_SET", nil), ("N/A", nil), ("", nil), ("1:2:3:4", nil), ("1-2-3", nil), ("a:b", nil), ("+1-0", nil),
        ("-", nil),
        ("99999999999999999999", nil),
    ])
    func reads(text: String, seconds: Int?) { #expect(SlurmDuration.seconds(text) == seconds) }

    @Test(arguments: [
        (-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 00 min"),
        (7380, "2 h 03 min"),
        (86399, "23 h 59 min"), (86400, "1 d 00 h"), (273600, "3 d 04 h"),
    ])
    func words(seconds: Int, words: String) { #expect(SlurmDuration.words(seconds) == words) }

    @Test func moments() {
        // 2023-11-14 22:13:20 UTC, a Tuesday.
        let now = 1_700_000_000
        #expect(SlurmDuration.words(until: now + 300, now: now, utcOffset: 0) == "in 5 min (22:18)")
        #expect(SlurmDuration.words(until: now + 300, now: now, utcOffset: -8 * 3600) == "in 5 min (14:18)")
        #expect(SlurmDuration.words(until: now + 7380, now: now, utcOffset: 3600) == "in 2 h 03 min (01:16)")
        #expect(SlurmDuration.words(until: now + 86400, now: now, utcOffset: 0) == "in 1 d 00 h (Wed 22:13)")
        #expect(SlurmDuration.words(until: now + 86400, now: now, utcOffset: 2 * 3600) == "in 1 d 00 h (Thu 00:13)")
        #expect(SlurmDuration.words(until: now, now: now, utcOffset: 0) == "any moment")
    }
}
