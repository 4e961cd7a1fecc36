/// Questions to the person at the terminal, each with an answer that Enter takes.
struct Interview {
    let console: Console
    let keyboard: Keyboard

    /// Whether there is somebody to ask.
    var isPossible: Bool { keyboard.isPresent }

    /// Asks until the answer will do; the proposal itself where nobody is there.
    ///
    /// - Parameter check: what is wrong with an answer; nil when it will do.
    func ask(_ question: String, _ proposal: String, check: (String) -> String? = { _ in nil }) async throws -> String {
        guard isPossible else { return proposal }
        while true {
            console.ask(question + (proposal.isEmpty ? ": " : " [\(proposal)]: "))
            let line = try await keyboard.readLine()
            console.endQuestion(isAnswered: line != nil)
            guard let line else { throw Failure(Exit.interrupted, "the input ended; nothing was written") }
            let words = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let answer = words == "-" ? "" : words.isEmpty ? proposal : words
            guard let problem = check(answer) else { return answer }
            console.report(.warning(problem))
        }
    }

    /// Asks for a yes or a no.
    func confirm(_ question: String, proposal: Bool) async throws -> Bool {
        let answer = try await ask("\(question) \(proposal ? "[Y/n]" : "[y/N]")", "") { answer in
            ["", "y", "yes", "n", "no"].contains(answer.lowercased()) ? nil : "y or n?"
        }
        return answer.isEmpty ? proposal : answer.lowercased().hasPrefix("y")
    }
}
