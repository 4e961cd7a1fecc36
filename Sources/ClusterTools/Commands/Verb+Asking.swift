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

    /// Removes the side branch that was made for a job that is no more, unless the record of another job names it.
    ///
    /// - Returns: the branch that stays because the user needs it: it is checked out, or was worked on.
    func removeBranch(of job: Job) throws -> String? {
        let others = store.all().jobs
        guard let reference = job.reference,
            !others.contains(where: { $0.reference == reference && $0.repository == job.repository })
        else { return nil }
        let repository: Repository
        do {
            repository = try Repository.discover(from: job.repository)
        } catch {
            // The repository is gone, and its branches with it.
            if error.code == .noRepository { return nil }
            throw error
        }
        return try repository.removeSnapshotReference(reference, of: job.commit)
            ? nil : String(reference.dropFirst("refs/heads/".count))
    }
}
