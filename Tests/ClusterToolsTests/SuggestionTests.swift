import Testing

@testable import ClusterTools

struct SuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1), ("abc", "xabc", 1), ("abc", "acb", 1),
        ("kitten", "sitting", 3), ("", "abc", 3),
    ])
    func distances(first: String, second: String, distance: Int) {
        #expect(Suggestion.distance(first, second) == distance)
        #expect(Suggestion.distance(second, first) == distance)
    }

    @Test func theNearest() {
        #expect(Suggestion.nearest(to: "--detatch", among: ["--json", "--detach"]) == "--detach")
        #expect(Suggestion.nearest(to: "HOSTNAME", among: ["hostname"]) == "hostname")
        #expect(Suggestion.nearest(to: "fri", among: ["cedar", "fir"]) == "fir")
        #expect(Suggestion.nearest(to: "zzz", among: ["cedar", "fir"]) == nil)
        #expect(Suggestion.nearest(to: "x", among: []) == nil)
    }
}
