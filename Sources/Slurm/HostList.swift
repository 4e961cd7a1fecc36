/// Slurm's lists of hosts, such as `n[1-3,7],gpu-02`.
public enum HostList {
    /// The hosts, in the list's order. Numbers keep their leading zeros; a name may have several brackets.
    ///
    /// - Parameter limit: the most hosts to make of a list; more are an error.
    public static func expand(_ list: String, limit: Int = 100_000) throws(SlurmError) -> [String] {
        var hosts: [String] = []
        for item in try items(of: list) {
            hosts += try expand(item: item, limit: limit - hosts.count)
        }
        return hosts
    }

    /// The items between the commas that are in no bracket.
    private static func items(of list: String) throws(SlurmError) -> [Substring] {
        var items: [Substring] = []
        var start = list.startIndex
        var inBrackets = false
        for index in list.indices {
            switch list[index] {
            case "[" where !inBrackets: inBrackets = true
            case "]" where inBrackets: inBrackets = false
            case "[", "]": throw unreadable(list)
            case "," where !inBrackets:
                items.append(list[start..<index])
                start = list.index(after: index)
            default: break
            }
        }
        guard !inBrackets else { throw unreadable(list) }
        items.append(list[start...])
        return items.filter { !$0.isEmpty }
    }

    private static func expand(item: Substring, limit: Int) throws(SlurmError) -> [String] {
        guard limit > 0 else { throw SlurmError(.unreadable, "a list of too many hosts") }
        guard let open = item.firstIndex(of: "["), let close = item[open...].firstIndex(of: "]") else {
            return [String(item)]
        }
        let numbers = try expand(ranges: item[item.index(after: open)..<close], of: item, limit: limit)
        let ends = try expand(item: item[item.index(after: close)...], limit: limit)
        guard numbers.count * ends.count <= limit else { throw SlurmError(.unreadable, "a list of too many hosts") }
        return numbers.flatMap { number in ends.map { item[..<open] + number + $0 } }
    }

    private static func expand(
        ranges: Substring, of item: Substring, limit: Int
    ) throws(SlurmError) -> [String] {
        var numbers: [String] = []
        for range in ranges.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false)
            let isNumeric = ends.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }
            guard isNumeric, ends.count <= 2, let first = ends.first.flatMap({ Int($0) }),
                let last = ends.last.flatMap({ Int($0) }), last >= first
            else { throw unreadable(item) }
            guard last - first < limit - numbers.count else {
                throw SlurmError(.unreadable, "a list of too many hosts")
            }
            let width = ends[0].count
            for number in first...last {
                let digits = String(number)
                numbers.append(String(repeating: "0", count: max(0, width - digits.count)) + digits)
            }
        }
        return numbers
    }

    private static func unreadable(_ text: some StringProtocol) -> SlurmError {
        SlurmError(.unreadable, "no list of hosts: \(text)")
    }
}
