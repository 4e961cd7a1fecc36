/// Where two long outputs differ first; nil when they are the same. A failed test shows one number then, and not megabytes.
func firstDifference<Element: Equatable>(_ first: [Element], _ second: [Element]) -> Int? {
    // Unoptimised, the search below takes seconds for megabytes, and most often there is nothing to find.
    if first == second { return nil }
    if let index = zip(first, second).enumerated().first(where: { $1.0 != $1.1 })?.offset { return index }
    return first.count == second.count ? nil : min(first.count, second.count)
}
