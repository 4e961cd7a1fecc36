import Git

extension Verb.Call {
    /// Asks a question that `y` answers with yes; everything else, and nobody, is a no.
    func isConfirmed(_ question: String, by keyboard: Keyboard) async throws -> Bool {
        guard keyboard.isPresent else { return false }
        let line = try await keyboard.readLine { console.ask(question) }
        console.endQuestion(isAnswered: line != nil)
        return ["y", "yes"].contains(line?.lowercased())
    }

    /// The profile that `-c` names.
    func profileOfOption() throws -> Profile {
        var repository: String?
        do {
            repository = try Repository.discover(from: surroundings.folder).workTree
        } catch {
            // Not in one: then there is no clusters/ to look in.
        }
        return try surroundings.profile(named: text(.cluster), repository: repository)
    }
}
