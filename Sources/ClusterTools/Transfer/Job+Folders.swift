extension Job {
    /// The folder here that it was submitted from.
    var folderHere: String { below(repository) }

    /// The folder there that its command runs in.
    ///
    /// - Throws: when it is not a job yet.
    func workFolder(of profile: Profile) throws(Failure) -> FarFolder {
        guard let run else { throw Failure(Exit.noInput, "the submission \(token) has no run folder yet") }
        return FarFolder(path: below(run + "/code"), of: profile)
    }

    private func below(_ folder: String) -> String {
        guard let directory = plan?.directory, !directory.isEmpty else { return folder }
        return folder + "/" + directory
    }
}
