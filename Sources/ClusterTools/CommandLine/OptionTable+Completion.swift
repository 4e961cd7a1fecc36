extension OptionTable {
    /// What the last of some words is.
    enum Position: Sendable {
        /// The beginning of an option: those that there are.
        case option([Completion.Candidate])
        /// An option's value, by its placeholder.
        /// - Parameter before: what stands before it in the word: `--cluster=`.
        case value(String, before: String)
        /// No option.
        /// - Parameters:
        ///   - count: how many other words before it are none.
        ///   - index: where the first of them is.
        case operand(Int, index: Int)
    }

    /// Finds out what the last word of an unfinished command line is.
    func position(in words: [String], operands: Operands) -> Position {
        let last = words.count - 1
        var count = 0
        var first: Int?
        var index = 0
        while index < last {
            let word = words[index]
            if word == "--" {
                // All that follows are operands.
                return .operand(count + last - index - 1, index: first ?? index + 1)
            } else if word.hasPrefix("-"), word.utf8.count > 1 {
                if let option = optionAwaitingValue(word) {
                    if index + 1 == last { return .value(option, before: "") }
                    index += 1
                }
            } else {
                first = first ?? index
                count += 1
                if operands.endOptions(after: count) { return .operand(last - index + count - 1, index: index) }
            }
            index += 1
        }
        let word = words.last ?? ""
        guard word.hasPrefix("-") else { return .operand(count, index: first ?? max(0, last)) }
        if let sign = word.firstIndex(of: "="), let option = optionAwaitingValue(String(word[..<sign])) {
            return .value(option, before: String(word[...sign]))
        }
        return .option(candidates)
    }

    /// The placeholder of the option that a word is, if its value is the next word.
    private func optionAwaitingValue(_ word: String) -> String? {
        let option = options.first { option in
            word.hasPrefix("--")
                ? option.names.contains(String(word.dropFirst(2)))
                // The last of several letters.
                : option.short.map { word.last == $0 && word.dropFirst().allSatisfy(isLetter) } ?? false
        }
        guard let option, case .required(let placeholder) = option.argument else { return nil }
        return placeholder
    }

    private func isLetter(_ letter: Character) -> Bool { options.contains { $0.short == letter } }

    /// Every option by its long names, and the words of the help.
    private var candidates: [Completion.Candidate] {
        options.flatMap { option in
            guard let name = option.names.first else { return [Completion.Candidate]() }
            let negation =
                option.argument == .boolean
                ? [.init(text: "--no-\(name)", meaning: "not: \(option.help)")]
                : []
                    as [Completion.Candidate]
            return [.init(text: "--\(name)", meaning: option.help)] + negation
        }
    }
}
